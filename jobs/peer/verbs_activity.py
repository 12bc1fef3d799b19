"""What each server does for the other one's activity: the primary brings it in, and both know where it ends."""

from __future__ import annotations

from app.core.activity import read_records
from app.core.activity_chain import LINK_LENGTH, Head
from app.core.errors import InvalidInput, NotAllowed
from app.core.roles import Role
from app.ports import Json, Node
from jobs.activity import PEER_HEAD_NOTE, bring_in, known_head
from jobs.peer.body import same_pair, text, whole


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


def activity_head(node: Node, body: Json) -> Json:
    """The end of the peer's journal is remembered here, apart from that journal; what was known of it before.

    An end that is further back than the one that is known, or another one, is not taken: the peer is told what it was.
    """
    state = node.store.state()
    same_pair(state, body)
    if state.peer is None:
        raise NotAllowed("not-paired", "This Server Has No Peer")
    head = Head(whole(body, "entry"), text(body, "chain", LINK_LENGTH))
    known = known_head(node.store.note(PEER_HEAD_NOTE), state.peer.node_id)
    if head.entry > known.entry:
        node.store.save_note(PEER_HEAD_NOTE, {"node_id": state.peer.node_id, "entry": head.entry, "chain": head.chain})
    return {"entry": known.entry, "chain": known.chain}
