"""The legal changes of a node's durable state, one function each. An illegal one raises and changes nothing.

Used inside NodeStore.change_state, so that the state is read, checked and written in one transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.core.acts import Cause
from app.core.errors import NotAllowed
from app.core.roles import Role
from app.core.state import Fence, FenceReason, NodeState, Phase, Promotion, with_standby_out

_BY_A_SECONDARY = (Cause.FAILOVER.value, Cause.HANDOVER.value, Cause.TAKEOVER.value)


def _refuse(detail: str) -> NotAllowed:
    return NotAllowed(
        "illegal-move",
        "This Change Of The Node's State Is Not Possible",
        detail=detail,
        hint="Look at the status of both servers and try again.",
    )


def fence(state: NodeState, reason: FenceReason, now: datetime, detail: str = "") -> NodeState:
    """The node is fenced for `reason`. A fence for the same reason keeps its time.

    A secondary is not: its database is read-only anyway, and a fence of which only a primary knows the way out would
    stay. So a watchdog that acts while its node rejoins changes nothing.
    """
    if state.role is Role.SECONDARY:
        return state
    if state.fence is not None and state.fence.reason is reason:
        return replace(state, fence=replace(state.fence, detail=detail))
    return replace(state, fence=Fence(reason, now, detail))


def lift(state: NodeState) -> NodeState:
    """The node is not fenced. Never on a secondary, and never while a promotion is unfinished."""
    if state.role is Role.SECONDARY:
        raise _refuse("A secondary never accepts application writes.")
    if promotion_unfinished(state):
        raise _refuse("A promotion is under way; its own last step opens the database.")
    return replace(state, fence=None)


def record_standby_out(state: NodeState, now: datetime, shared_position: str = "") -> NodeState:
    """The standby is out of the pair since `now` (or since it was recorded first), and has everything up to that
    position."""
    if state.role is not Role.PRIMARY:
        raise _refuse("Only a primary has a standby.")
    if state.standby_out:
        return state
    return with_standby_out(state, now, shared_position)


def record_standby_back(state: NodeState) -> NodeState:
    """The standby is part of the pair."""
    if state.role is not Role.PRIMARY:
        raise _refuse("Only a primary has a standby.")
    return with_standby_out(state, None)


def await_secondary(state: NodeState) -> NodeState:
    """A primary whose secondary was being set up waits for APPLY there again; any other node stays as it is."""
    joining = state.role is Role.PRIMARY and state.phase is Phase.SYNCHRONIZING
    return replace(state, phase=Phase.INITIALIZED) if joining else state


def adopt_term(state: NodeState, term: int) -> NodeState:
    """The secondary knows its primary's term. Never lower than its own."""
    if state.role is not Role.SECONDARY:
        raise _refuse("Only a secondary adopts the term of its peer.")
    if term < state.term:
        raise _refuse(f"The term {term} is older than this node's own term {state.term}.")
    return replace(state, term=term)


def promotion_unfinished(state: NodeState) -> bool:
    """Whether a promotion was begun here and its point is not known yet."""
    return state.role is Role.PRIMARY and state.promotion is not None and state.promotion.point is None


def intend_promotion(
    state: NodeState, cause: Cause, term: int, now: datetime, *, lost_bound: str = "", standby_out: bool
) -> NodeState:
    """First step of a promotion: role and term are written, the node stays fenced until its last step.

    Repeating it for the same term changes nothing. `standby_out` says whether the new primary starts without a
    standby that commits wait for (failover.standby_out_after_promotion knows).
    """
    if promotion_unfinished(state) and state.term == term:
        return state
    if term <= state.term:
        raise _refuse(f"A promotion needs a higher term than {state.term}, not {term}.")
    by_itself = cause in (Cause.FAILOVER, Cause.HANDOVER)
    return replace(
        with_standby_out(state, now if standby_out else None),
        role=Role.PRIMARY,
        term=term,
        promotion=Promotion(term, now, cause.value, None, lost_bound),
        fence=Fence(FenceReason.OPERATION, now, f"promotion ({cause.value})"),
        last_failover_at=now if by_itself else state.last_failover_at,
        stable_since_failover=False if by_itself else state.stable_since_failover,
    )


def complete_promotion(state: NodeState, point: str) -> NodeState:
    """Last durable step of a promotion: its point is known and the fence is gone. Repeating it changes nothing.

    Where a secondary has taken over, everything up to the point came from the other server, so that one has it too.
    """
    if state.role is not Role.PRIMARY or state.promotion is None:
        raise _refuse("No promotion was begun on this node.")
    if state.promotion.point is not None:
        return state
    shared = point if state.standby_out and state.promotion.cause in _BY_A_SECONDARY else ""
    return replace(state, promotion=replace(state.promotion, point=point), fence=None, shared_position=shared)


def demote(state: NodeState, term: int, now: datetime, *, by_failover: bool) -> NodeState:
    """The node is secondary of the primary with `term`. `by_failover` starts the anti-flapping time here too, so that
    the two servers don't take turns."""
    if term < state.term:
        raise _refuse(f"The peer's term {term} is older than this node's own term {state.term}.")
    if term == state.term and state.role is Role.PRIMARY:
        raise _refuse(f"The peer has the same term {term}: it is not proven to be the rightful primary.")
    return replace(
        with_standby_out(state, None),
        role=Role.SECONDARY,
        term=term,
        phase=Phase.PAIRED,
        promotion=None,
        fence=None,
        last_failover_at=now if by_failover else state.last_failover_at,
        stable_since_failover=False if by_failover else state.stable_since_failover,
    )


def give_up_swap(state: NodeState, job_id: str) -> NodeState:
    """This node does not take over in that swap, also when requests of it arrive late or once more."""
    return replace(end_operation(state, job_id), swap_given_up=job_id)


def record_stable(state: NodeState) -> NodeState:
    """The pair was stable again since the last failover."""
    return replace(state, stable_since_failover=True)


def end_operation(state: NodeState, job_id: str | None = None) -> NodeState:
    """No operation is announced (with `job_id`: none of that job)."""
    if state.operation is not None and job_id is not None and state.operation.job_id != job_id:
        return state
    return replace(state, operation=None)
