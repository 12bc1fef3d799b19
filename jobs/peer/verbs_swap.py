"""The secondary's part in a swap, and what a node says of its promotions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.core import config as configuration
from app.core import moves
from app.core.acts import Cause
from app.core.errors import HapairError, InvalidInput, NotAllowed
from app.core.roles import Role
from app.core.state import NodeState, Operation, Phase
from app.ports import Json, Node
from jobs.peer.body import seconds, text, whole
from jobs.steps import address, promotion, settings

PREPARED_MAX = timedelta(minutes=10)
WAIT_MAX_S = 60.0
KIND = "swap"


def prepare(node: Node, body: Json) -> Json:
    """This secondary holds itself ready for the swap of that number, and acts on its own no more until its bound."""
    job_id, term = text(body, "job_id", 64), whole(body, "term")
    try:
        until = min(datetime.fromisoformat(text(body, "until", 64)), node.clock.now() + PREPARED_MAX)
    except (ValueError, TypeError) as error:
        raise InvalidInput("bad-request", "This Message Can't Be Understood", detail="`until` is no time.") from error

    def ready(state: NodeState) -> NodeState:
        if state.role is not Role.SECONDARY or state.phase is not Phase.PAIRED or state.term != term:
            detail = f"It is {state.role} of the term {state.term}."
            raise NotAllowed("not-secondary", "The Other Server Can't Take Over Now", detail=detail)
        if state.swap_given_up == job_id:
            raise _over()
        other = state.operation
        if other is not None and other.job_id != job_id and other.until > node.clock.now():
            raise NotAllowed("busy", "The Other Server Is Busy", detail=f"Its operation {other.kind} is under way.")
        return replace(state, operation=Operation(job_id, KIND, until))

    node.store.change_state(ready)
    address.get_ready(node)
    return {"position": node.database.facts().position}


def promote(node: Node, body: Json) -> Json:
    """This node is the primary of that term, if it has applied exactly that position in time.

    Raises NotAllowed (codes `swap-over`, `swap-timeout`); it has not taken over then, and will not.
    """
    job_id, term = text(body, "job_id", 64), whole(body, "term")
    position, timeout_s = text(body, "position"), seconds(body, "timeout_s", WAIT_MAX_S)
    _must_be_prepared(node, node.store.state(), job_id)
    if not node.database.wait_for(position, timeout_s):
        raise NotAllowed(
            "swap-timeout",
            "The Other Server Was Not Ready in Time",
            detail=f"It could not apply the last changes within {timeout_s:g} s.",
            hint="Nothing was changed. Try again when there is less load.",
        )
    promoted = promotion.promote(
        node, Cause.SWAP, term=term, guard=lambda state: _must_be_prepared(node, state, job_id)
    )
    return {"term": promoted.state.term, "point": promoted.point}


def abort(node: Node, body: Json) -> Json:
    """Whether this node has taken over in that swap; if not, it will not any more. One transaction decides."""
    job_id, term = text(body, "job_id", 64), whole(body, "term")

    def give_up(state: NodeState) -> NodeState:
        return state if _has_taken_over(state, term) else moves.give_up_swap(state, job_id)

    state = node.store.change_state(give_up)
    return {"promoted": _has_taken_over(state, term)}


def finish(node: Node, body: Json) -> Json:
    """The swap is over: this node's configuration names its role, and it acts on its own again."""
    job_id, term = text(body, "job_id", 64), whole(body, "term")
    if not _has_taken_over(node.store.state(), term):
        raise NotAllowed("not-primary", "The Other Server Has Not Taken Over", detail="The swap is not finished there.")
    settings.take_settings(node, body.get("shared"))
    promotion.settle(node)

    def over(state: NodeState) -> NodeState:
        ours = state.operation is not None and state.operation.job_id == job_id
        return replace(state, operation=None) if ours else state

    node.store.change_state(over)
    return {"shared": configuration.shared(node.store.config().applied)}


def promotion_state(node: Node, body: Json) -> Json:  # noqa: ARG001
    """What a returning server compares itself with: role, term, the promotion's point and the whole history."""
    state = node.store.state()
    facts = node.database.facts()
    try:
        data_bytes = node.database.data_bytes()
    except HapairError:
        data_bytes = 0
    promoted = state.promotion
    return {
        "role": state.role.value,
        "term": state.term,
        "point": "" if promoted is None or promoted.point is None else promoted.point,
        "history": facts.binlog_state,
        "position": facts.position,
        "data_bytes": data_bytes,
    }


def _has_taken_over(state: NodeState, term: int) -> bool:
    return state.role is Role.PRIMARY and state.term >= term


def _must_be_prepared(node: Node, state: NodeState, job_id: str) -> None:
    operation = state.operation
    if operation is None or operation.job_id != job_id or operation.until <= node.clock.now():
        raise _over()


def _over() -> NotAllowed:
    return NotAllowed(
        "swap-over",
        "The Other Server No Longer Waits for This Swap",
        detail="The swap was given up or took too long.",
        hint="Nothing was changed. Start the swap again.",
    )
