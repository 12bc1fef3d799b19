"""What the acts of the core do in the fake world: the steps of the real monitor and jobs, in their order.

Each step yields its name and how long it takes; the node may crash between any two. The order of the promotion is that
of jobs/steps/promotion.py, the order of the rejoin that of its plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.core import acts, events, moves, positions
from app.core.acts import Act, Cause
from app.core.failover import commits_wait, standby_out_after_promotion
from app.core.pairconfig import ProtectionMode
from app.core.roles import Role
from app.core.state import FenceReason, Operation
from tests.simulation.looks import acknowledged_position, position
from tests.simulation.truth import promise_kept

if TYPE_CHECKING:
    from tests.simulation.node import SimulatedNode

Steps = Iterator[tuple[str, float]]
DISK_S = 0.003
"""A durable write."""
FENCE_PEER_WAIT_S = 0.15
REJOIN_BOUND_S = 60.0
CATCH_UP_BOUND_S = 20.0
FENCE_PEER_BOUND_S = 2.0


def carry_out(node: SimulatedNode, told: tuple[Act, ...]) -> Steps:
    """The acts in their order; the first that fails ends the round."""
    for act in told:
        if act.__class__ not in _EFFECTS:
            raise AssertionError(f"no effect is known for {act}")
        for step in _EFFECTS[act.__class__](node, act):
            if step == FAILED:
                return
            yield step


FAILED = ("failed", 0.0)


def _lift(node: SimulatedNode, act: Act) -> Steps:
    if not node.database.up:
        yield FAILED
        return
    node.change(moves.lift(node.state))
    yield ("Lift", DISK_S)
    if node.database.up and node.state.fence is None and node.state.role is not Role.SECONDARY:
        node.database.read_only = False
    yield ("Lift", 0.0)


def _fence_self(node: SimulatedNode, act: Act) -> Steps:
    assert isinstance(act, acts.FenceSelf)
    node.change(moves.fence(node.state, act.reason, node.wall(), act.detail))
    yield ("FenceSelf", DISK_S)
    node.database.fence()
    yield ("FenceSelf", 0.0)


def _handover(node: SimulatedNode, act: Act) -> Steps:
    node.change(moves.fence(node.state, FenceReason.HANDOVER, node.wall()))
    yield ("Handover", DISK_S)
    node.database.fence()
    yield ("Handover", 0.0)


def _enforce(node: SimulatedNode, act: Act) -> Steps:
    node.database.fence()
    yield ("EnforceReadOnly", 0.0)


def _standby_out(node: SimulatedNode, act: Act) -> Steps:
    assert isinstance(act, acts.RecordStandbyOut)
    shared = act.shared_position
    asks = act.ask_further and node.database.up
    if asks:
        shared = positions.merge(shared, acknowledged_position(node.world, node.database))
    if not node.state.standby_out:
        node.truth.standby_out_at = node.world.now if asks else None
    node.change(moves.record_standby_out(node.state, node.wall(), shared))
    yield ("RecordStandbyOut", DISK_S)


def _standby_back(node: SimulatedNode, act: Act) -> Steps:
    node.change(moves.record_standby_back(node.state))
    if node.world.config.commits_wait:
        node.world.everything_is_there(node)
    yield ("RecordStandbyBack", DISK_S)


def _semi_sync(node: SimulatedNode, act: Act) -> Steps:
    assert isinstance(act, acts.SetSemiSync)
    if not node.database.up:
        yield FAILED
        return
    node.world.acknowledge(node.database.set_semi_sync(act.enabled))
    yield ("SetSemiSync", 0.0)


def _promote(node: SimulatedNode, act: Act) -> Steps:
    assert isinstance(act, acts.Promote)
    config, database = node.world.config, node.database
    if not database.up:
        yield FAILED
        return
    if not moves.promotion_unfinished(node.state):
        out = standby_out_after_promotion(act.cause, config)
        state = moves.intend_promotion(
            node.state, act.cause, act.term, node.wall(), lost_bound=act.lost_bound, standby_out=out
        )
        node.truth.before_promotion = node.state
        node.change(state)
    yield ("Promote", DISK_S)
    _fence_peer(node)
    # Who takes over in a swap has applied everything before it was begun.
    if act.catch_up and database.follows and act.cause is not Cause.SWAP:
        yield from _catch_up(node)
    database.receiving = database.connected = False
    yield ("Promote", 0.01)
    if not database.up:
        yield FAILED
        return
    yield from _drain(node)
    if not database.up or database.full or database.relay:
        yield FAILED
        return
    database.follows = False
    yield ("Promote", 0.005)
    yield from _open_as_primary(node, act.cause)


def _drain(node: SimulatedNode) -> Steps:
    database = node.database
    started = database.started_at
    while database.relay and database.up:
        yield ("Promote", max(0.05, node.apply_delay_s))
        if database.started_at != started:
            yield FAILED
        database.apply(node.world.now - node.apply_delay_s)


def _open_as_primary(node: SimulatedNode, cause: Cause) -> Steps:
    database, world = node.database, node.world
    world.acknowledge(database.set_semi_sync(False))
    point = position(world, database)
    if database.up:
        world.write(node, probe=True, marks_term=True)
    yield ("Promote", FENCE_PEER_WAIT_S)
    if not database.up:
        yield FAILED
        return
    if cause in (Cause.FAILOVER, Cause.HANDOVER):
        event = events.failover(node.name, world.other(node.name).name, node.state.term)
        node.add_event(event.key, event.parameters)
    yield ("Promote", DISK_S)
    node.change(moves.complete_promotion(node.state, point))
    yield ("Promote", DISK_S)
    if database.up and commits_wait(node.state, world.config):
        database.set_semi_sync(True)
    if database.up and node.state.fence is None:
        database.read_only = False
    yield ("Promote", 0.0)


def _catch_up(node: SimulatedNode) -> Steps:
    """The rest is fetched from the other server's fenced database, where it answers."""
    database, peer = node.database, node.world.other(node.name)
    protection = node.world.config.protection_mode is ProtectionMode.PROTECTION
    started = node.world.now
    while not (database.connected and peer.state.fence is not None and database.position == len(peer.database.log)):
        yield ("Promote", 0.2)
        if not database.up or (protection and node.world.now - started > CATCH_UP_BOUND_S):
            yield FAILED
            return
        if node.world.now - started > FENCE_PEER_BOUND_S and not protection:
            return


def _fence_peer(node: SimulatedNode) -> None:
    world, term = node.world, node.state.term
    if world.both_ways():
        world.after(world.delay(), lambda: _fenced_by_peer(world.other(node.name), term))


def _fenced_by_peer(node: SimulatedNode, term: int) -> None:
    """The peer channel does not need the monitor."""
    if not node.runs() or node.state.role is not Role.PRIMARY or term <= node.state.term:
        return
    node.world.say(node.name, f"is fenced by its peer (term {term})")
    node.change(moves.fence(node.state, FenceReason.SUPERSEDED, node.wall(), f"term {term}"))
    node.database.fence()


def _rejoin(node: SimulatedNode, act: Act) -> Steps:
    node.job = "rejoin"
    node.change(replace(node.state, operation=_operation(node)))
    yield ("Rejoin", DISK_S)
    yield from resume_job(node)


def _operation(node: SimulatedNode) -> Operation:
    return Operation("job", "rejoin", node.wall() + timedelta(seconds=REJOIN_BOUND_S))


def resume_job(node: SimulatedNode) -> Steps:
    """The rejoin: compare, rescue, rewind, follow, catch up, become secondary. Any failure ends it; the core asks
    again."""
    yield from _rejoin_steps(node)
    node.job = ""
    node.change(moves.end_operation(node.state))
    yield ("Rejoin", DISK_S)


def _rejoin_steps(node: SimulatedNode) -> Steps:
    node.change(replace(node.state, operation=_operation(node)))
    yield ("Rejoin", 0.05)
    if node.state.role is Role.PRIMARY:
        if not _primary_answers(node) or not node.database.up:
            return
        term = node.world.other(node.name).state.term
        life = node.database.process_id
        yield from _rescue_and_rewind(node)
        if not node.database.up or node.database.process_id != life:
            return
        node.tree.keeping = True
        node.change(moves.demote(node.state, term, node.wall(), by_failover=True))
        yield ("Rejoin", DISK_S)
    yield from _follow(node)


def _rescue_and_rewind(node: SimulatedNode) -> Steps:
    """What only this node has is kept, then taken back."""
    world, database = node.world, node.database
    database.fence()
    their_log = list(world.other(node.name).database.log)
    common = 0
    while common < min(len(their_log), len(database.log)) and their_log[common] == database.log[common]:
        common += 1
    yield ("Rejoin", 0.05)
    if world.config.commits_wait and node.state.standby_out:
        promise_kept(world, node, common)
    surplus = database.log[common:]
    for transaction in surplus:
        world.rescued[transaction] = node.name
    if surplus:
        world.say(node.name, f"RESCUES {len(surplus)} transactions")
    yield ("Rejoin", DISK_S)
    if surplus and database.up:
        del database.log[common:]
    yield ("Rejoin", 0.1)


def _follow(node: SimulatedNode) -> Steps:
    """Replication runs and has caught up; repeating it changes nothing."""
    world, database = node.world, node.database
    if not (database.follows and database.receiving):
        database.relay = []
        database.connected = False
        database.follows = database.receiving = True
    yield ("Rejoin", DISK_S)
    started = world.now
    while not database.connected or database.position < len(world.other(node.name).database.log):
        yield ("Rejoin", 0.25)
        if world.now - started > CATCH_UP_BOUND_S or not database.up:
            return


def _primary_answers(node: SimulatedNode) -> bool:
    peer = node.world.other(node.name)
    return (
        peer.runs()
        and peer.database.up
        and node.world.both_ways()
        and peer.state.role is Role.PRIMARY
        and peer.state.term > node.state.term
        and not moves.promotion_unfinished(peer.state)
    )


def _restart_database(node: SimulatedNode, act: Act) -> Steps:
    node.database.stop()
    yield ("RestartDatabase", 1.0)
    if node.powered:
        node.database.start(node.world.now)
    yield ("RestartDatabase", 0.0)


def _adopt_term(node: SimulatedNode, act: Act) -> Steps:
    assert isinstance(act, acts.AdoptTerm)
    node.change(moves.adopt_term(node.state, act.term))
    yield ("AdoptTerm", DISK_S)


def _await_secondary(node: SimulatedNode, act: Act) -> Steps:
    node.change(moves.await_secondary(node.state))
    yield ("AwaitSecondary", DISK_S)


def _record_stable(node: SimulatedNode, act: Act) -> Steps:
    node.change(moves.record_stable(node.state))
    yield ("RecordStable", DISK_S)


def _ask_others(node: SimulatedNode, act: Act) -> Steps:
    node.ask_others()
    yield ("AskOthers", 0.0)


def _raise_alarm(node: SimulatedNode, act: Act) -> Steps:
    assert isinstance(act, acts.RaiseAlarm)
    node.raise_alarm(act.code, act.text)
    yield ("RaiseAlarm", 0.0)


def _clear_alarm(node: SimulatedNode, act: Act) -> Steps:
    assert isinstance(act, acts.ClearAlarm)
    node.clear_alarm(act.code)
    yield ("ClearAlarm", 0.0)


def _emit_event(node: SimulatedNode, act: Act) -> Steps:
    assert isinstance(act, acts.EmitEvent)
    node.add_event(act.event.key, act.event.parameters)
    yield ("EmitEvent", 0.0)


_EFFECTS = {
    acts.Lift: _lift,
    acts.FenceSelf: _fence_self,
    acts.Handover: _handover,
    acts.EnforceReadOnly: _enforce,
    acts.RecordStandbyOut: _standby_out,
    acts.RecordStandbyBack: _standby_back,
    acts.SetSemiSync: _semi_sync,
    acts.Promote: _promote,
    acts.Rejoin: _rejoin,
    acts.RestartDatabase: _restart_database,
    acts.AdoptTerm: _adopt_term,
    acts.AwaitSecondary: _await_secondary,
    acts.RecordStable: _record_stable,
    acts.AskOthers: _ask_others,
    acts.RaiseAlarm: _raise_alarm,
    acts.ClearAlarm: _clear_alarm,
    acts.EmitEvent: _emit_event,
}
