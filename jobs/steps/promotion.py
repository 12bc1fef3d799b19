"""Becoming primary: the same steps for the monitor (failover, handover) and for jobs (swap, takeover).

The order is the contract of docs/failover.md. The intent is durable first; from there only forward: every step may be
repeated after a crash, and `promote` called again finishes what was begun. Neither Redis nor the worker is needed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from app.core import events, failover, moves
from app.core.acts import Cause
from app.core.errors import HapairError
from app.core.events import EventSpec
from app.core.pairconfig import pair_config
from app.core.roles import Role
from app.core.state import NodeState
from app.ports import Node
from jobs.steps.fencing import PeerFencing

log = logging.getLogger(__name__)

DRAIN_S = 120.0
"""Bound of applying what was received; a longer backlog is drained by calling `promote` again."""
WRITE_S = 3.0


@dataclass(frozen=True)
class Promoted:
    """What a promotion has led to."""

    state: NodeState
    point: str
    peer_fenced: bool
    writable_after_s: float


def promote(
    node: Node,
    cause: Cause,
    *,
    term: int | None = None,
    lost_bound: str = "",
    guard: Callable[[NodeState], None] | None = None,
) -> Promoted:
    """This node is the primary of `term` (the own term + 1 when None) and its database accepts writes.

    Called again after a crash it goes on with the promotion that was begun, whatever the arguments. `guard` may forbid
    it by raising, in the same transaction in which the intent is written. Raises
    LocalFailure where the database fails; the intent then stays, and only going forward is left.
    """
    started = node.clock.monotonic()
    config = pair_config(node.store.config().applied)
    standby_out = failover.standby_out_after_promotion(cause, config)
    state = _intend(node, cause, term, lost_bound, standby_out=standby_out, guard=guard)
    promotion = state.promotion
    if promotion is not None and promotion.point is not None:
        node.database.lift()
        name_role(node)
        return Promoted(state, promotion.point, peer_fenced=False, writable_after_s=node.clock.monotonic() - started)
    cause = Cause(promotion.cause) if promotion is not None else cause
    fencing = None if cause in (Cause.SWAP, Cause.SETUP) else PeerFencing(node, state.term, cause.value)
    database = node.database
    database.stop_receiver()
    position = database.drain(DRAIN_S)
    database.end_replication()
    database.set_semi_sync(enabled=False)
    database.probe_write(state.term, WRITE_S)
    peer_fenced = False if fencing is None else fencing.wait()
    # The event is recorded with the last durable step, not after it: a node that dies in between would never tell.
    event = _event(node, state, cause, lost_bound)
    if event is not None:
        node.store.add_event(event.key, event.kind.value, event.parameters, event.detail)
    state = node.store.change_state(lambda before: moves.complete_promotion(before, position))
    if failover.commits_wait(state, config):
        database.set_semi_sync(enabled=True)
    database.lift()
    writable_after = node.clock.monotonic() - started
    log.warning("promoted (%s): term %d, writable after %.3f s", cause.value, state.term, writable_after)
    name_role(node)
    return Promoted(state, position, peer_fenced, writable_after)


def name_role(node: Node) -> None:
    """The applied configuration names the role that the node has; a draft is kept. Idempotent.

    The role is decided in the node's state alone; the configuration follows, here and whenever a process starts.
    """
    role = node.store.state().role
    config = node.store.config()
    if config.applied.get("HAServerRole", Role.STANDALONE.value) != role.value:
        node.store.save_applied({**config.applied, "HAServerRole": role.value}, keep_draft=True)


def _intend(
    node: Node,
    cause: Cause,
    term: int | None,
    lost_bound: str,
    *,
    standby_out: bool,
    guard: Callable[[NodeState], None] | None,
) -> NodeState:
    now = node.clock.now()

    def intend(state: NodeState) -> NodeState:
        done = state.promotion is not None and state.role is Role.PRIMARY and state.promotion.term == term == state.term
        if moves.promotion_unfinished(state) or done:
            return state
        if guard is not None:
            guard(state)
        wanted = state.term + 1 if term is None else term
        return moves.intend_promotion(state, cause, wanted, now, lost_bound=lost_bound, standby_out=standby_out)

    return node.store.change_state(intend)


def _event(node: Node, state: NodeState, cause: Cause, detail: str) -> EventSpec | None:
    active = node.machine.facts().hostname
    standby = state.peer.hostname if state.peer is not None else ""
    if cause in (Cause.FAILOVER, Cause.HANDOVER):
        return events.failover(active, standby, state.term, detail)
    if cause in (Cause.SWAP, Cause.TAKEOVER):
        return events.manual_switch(active, standby, state.term, detail)
    return None


def promotion_under_way(node: Node) -> bool:
    """Whether a promotion was begun here and must be finished. Raises what the node store raises."""
    return moves.promotion_unfinished(node.store.state())


def try_to_finish(node: Node) -> bool:
    """A promotion that was begun is finished; False where it can't be yet (the log says why)."""
    if not promotion_under_way(node):
        return True
    try:
        promote(node, Cause.FAILOVER)
    except HapairError as error:
        log.warning("the promotion can't be finished yet: %s", error)
        return False
    return True
