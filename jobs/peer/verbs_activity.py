"""The secondary's part of the common activity log, brought in on the primary."""

from __future__ import annotations

from app.core.activity import read_records
from app.core.errors import InvalidInput, NotAllowed
from app.core.roles import Role
from app.ports import Json, Node
from jobs.activity import bring_in
from jobs.peer.body import same_pair, whole


def activity(node: Node, body: Json) -> Json:
    """The peer's entries after number `after` are in the common log; the highest number of the peer that is in it.

    Whose entries they are is known from the pairing: nobody writes in another's name.
    """
    state = node.store.state()
    same_pair(state, body)
    if state.role is not Role.PRIMARY or state.peer is None:
        raise NotAllowed("not-primary", "The Other Server Is Not Primary", detail=f"It is {state.role} now.")
    after = whole(body, "after")
    try:
        entries = read_records(body.get("records"), state.peer.node_id, after)
    except ValueError as error:
        raise InvalidInput("bad-request", "This Message Can't Be Understood", detail=f"Refused: {error}.") from error
    return {"highest": bring_in(node.common_log, state.peer.node_id, after, entries)}
