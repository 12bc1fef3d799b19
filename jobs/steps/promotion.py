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
from app.core.errors import LocalFailure
from app.core.events import EventSpec
from app.core.pairconfig import PairConfig, ProtectionMode, pair_config
from app.core.roles import Role
from app.core.state import NodeState
from app.ports import Node
from jobs.steps import address
from jobs.steps.fencing import FENCE_PEER_S, FENCE_PEER_WAIT_S, PeerFencing

log = logging.getLogger(__name__)

DRAIN_S = 120.0
"""Bound of applying what was received; a longer backlog is drained by calling `promote` again."""
WRITE_S = 3.0
CATCH_UP_S = 30.0
"""How long a new primary fetches what the fenced one has more, where it may wait for that at all."""
UNHURRIED = frozenset({Cause.TAKEOVER, Cause.HANDOVER})
"""Causes where the other server may well be alive, so that it is fenced and followed to its end first."""


@dataclass(frozen=True)
class Promoted:
    """What a promotion has led to."""

    state: NodeState
    point: str
    writable_after_s: float


def promote(
    node: Node,
    cause: Cause,
    *,
    term: int | None = None,
    lost_bound: str = "",
    catch_up: bool = False,
    guard: Callable[[NodeState], None] | None = None,
) -> Promoted:
    """This node is the primary of `term` (the own term + 1 when None) and its database accepts writes.

    Called again after a crash it goes on with the promotion that was begun, whatever the arguments. `catch_up` asks the
    fenced peer first for what this server's restarted database has lost. `guard` may forbid the promotion by raising,
    in the transaction in which the intent is written. Raises LocalFailure where the database fails; the intent then
    stays, and only going forward is left.
    """
    started = node.clock.monotonic()
    config = pair_config(node.store.config().applied)
    standby_out = failover.standby_out_after_promotion(cause, config)
    state = _intend(node, cause, term, lost_bound, standby_out=standby_out, guard=guard)
    promotion = state.promotion
    if promotion is None or promotion.point is None:
        cause = cause if promotion is None else Cause(promotion.cause)
        state = _carry_out(node, state, cause, config, catch_up=catch_up)
    node.database.lift()
    address.claim(node)
    writable_after = node.clock.monotonic() - started
    log.warning("promoted (%s): term %d, writable after %.3f s", cause.value, state.term, writable_after)
    settle(node)
    point = "" if state.promotion is None else state.promotion.point or ""
    return Promoted(state, point, writable_after)


def _carry_out(node: Node, state: NodeState, cause: Cause, config: PairConfig, *, catch_up: bool) -> NodeState:
    """Everything between the durable intent and the opening of the database."""
    database = node.database
    fencing = None if cause in (Cause.SWAP, Cause.SETUP) else PeerFencing(node, state.term, cause.value)
    if fencing is not None and (catch_up or cause in UNHURRIED):
        _catch_up(node, fencing, must=catch_up and config.protection_mode is ProtectionMode.PROTECTION)
    database.stop_receiver()
    position = database.drain(DRAIN_S)
    database.end_replication()
    database.set_semi_sync(enabled=False)
    database.probe_write(state.term, WRITE_S)
    if fencing is not None:
        fencing.wait(FENCE_PEER_WAIT_S)
    state = node.store.change_state(lambda before: moves.complete_promotion(before, position))
    if failover.commits_wait(state, config):
        database.set_semi_sync(enabled=True)
    return state


def _catch_up(node: Node, fencing: PeerFencing, *, must: bool) -> None:
    """What the fenced peer has more is here too. Raises LocalFailure where it must be and can't be asked now."""
    reached = False
    if fencing.wait(FENCE_PEER_S) and node.database.facts().replication is not None:
        reached = node.database.wait_for(fencing.position, CATCH_UP_S)
    if must and not reached:
        raise LocalFailure(
            "catch-up-needed",
            "The Other Server's Last Changes Are Needed",
            detail="This server's database was restarted while it took over, and the other server does not answer.",
            hint="Bring the other server back, or accept the loss by taking over by hand.",
        )


def settle(node: Node) -> None:
    """What follows from a finished promotion is there, once: its event, and the role in the configuration.

    It comes after the database is open, so that it delays nobody's write; whoever starts on this node calls it again,
    in case that a crash came in between.
    """
    state = node.store.state()
    promotion = state.promotion
    if state.role is Role.PRIMARY and promotion is not None and promotion.point is not None:
        event = _event(node, state, Cause(promotion.cause), promotion.lost_bound)
        if event is not None:
            node.store.add_event(event.key, event.kind.value, event.parameters, event.detail)
    name_role(node)


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
    active = node.machine.hostname()
    standby = state.peer.hostname if state.peer is not None else ""
    if cause in (Cause.FAILOVER, Cause.HANDOVER):
        return events.failover(active, standby, state.term, detail)
    if cause in (Cause.SWAP, Cause.TAKEOVER):
        return events.manual_switch(active, standby, state.term, detail)
    return None
