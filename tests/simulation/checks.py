"""What must hold: safety at every moment, nothing lost at the end, stable again after the faults.

The checks look at the truth of the world, not at what the nodes believe:
  S1  acknowledgements never go back to an older term (but in the cases that the protection mode names);
  S2  an acknowledged write is missing on the rightful primary only where the protection mode says so, and (checked at
      each rescue) as many transactions are rescued as the status has said would be lost;
  S3  whatever is missing there is in a rescue or still on the node that wrote it;
  S4  no failover that the rules forbid, judged by what really reached the node;
  S5  each event once on a node, and raised and cleared in turns;
  S6  one writable node in each term, no writable secondary, and no second writable node after a swap;
  S7  (checked by the world at each acknowledgement) where commits wait, a client is told that its write is safe only if
      the standby has it, or the standby was durably recorded as out before;
  S8  (checked at that step) a standby is recorded as back only when it has every acknowledged write;
  and liveness: a stable pair within a bound after the faults, without anyone's help.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from app.core.acts import Cause
from app.core.pairconfig import ProtectionMode
from app.core.roles import Role
from app.core.state import Phase
from tests.simulation.node import SimulatedNode
from tests.simulation.truth import Broken
from tests.simulation.world import Transaction, World

LIFE_SIGN_EVERY_S = 1.0
"""The last life sign of a server that froze may be this much older than the moment at which it froze."""
RESUME_NOTICED_S = 1.5
"""A paused server's monitor looks again within this time."""


def writable_terms(world: World) -> None:
    """S6: checked at every step of the run. Only two forced commands can make two primaries of one term."""
    a, b = world.nodes["a"], world.nodes["b"]
    open_nodes = [node for node in (a, b) if node.takes_writes() and node.state.role is not Role.STANDALONE]
    for node in open_nodes:
        if node.state.role is Role.SECONDARY:
            raise Broken(f"S6: {node.name} is secondary and its database accepts writes")
    if len(open_nodes) == 2 and world.forced < 2 and a.state.term == b.state.term:
        raise Broken(f"S6: both nodes accept writes in term {a.state.term}")
    newer = max(open_nodes, key=lambda node: node.state.term, default=None)
    by_swap = newer is not None and newer.state.promotion is not None and newer.state.promotion.cause == Cause.SWAP
    if len(open_nodes) == 2 and by_swap:
        raise Broken(f"S6: a swap has left both nodes accepting writes, in terms {a.state.term} and {b.state.term}")


def promotions(world: World) -> None:
    """S4: every failover that was decided since the last look was allowed."""
    for node in world.nodes.values():
        while node.on_promote:
            act, seen, caught_up = node.on_promote.pop(0)
            if act.resume or act.cause is not Cause.FAILOVER:
                continue
            window = world.config.detection_window_s
            pings = seen.network.peer_missed >= world.config.ping_iterations
            heard = [age for age in (seen.heartbeat_age_s, seen.replication_alive_age_s) if age is not None]
            truth = node.truth
            frozen = not pings
            if frozen and (world.now - truth.frozen_possible_since) * node.drift < window - LIFE_SIGN_EVERY_S:
                raise Broken(f"S4 rule 1: {node.name} took over after {seen.network.peer_missed} missed pings")
            if not frozen and heard and min(heard) < window - 0.01:
                raise Broken(f"S4 rule 2: {node.name} took over {min(heard):.1f} s after a life sign")
            if not seen.network.gateway_answers:
                raise Broken(f"S4 rule 3: {node.name} took over although its own network was silent")
            if not caught_up:
                raise Broken(f"S4 rule 4: {node.name} took over without having caught up since its start")
            known = seen.peer
            if known is not None and known.role is Role.PRIMARY and known.standby_out:
                raise Broken(f"S4 rule 4: {node.name} took over although it knew that it was out of the pair")
            _peace(world, node)


def _peace(world: World, node: SimulatedNode) -> None:
    before = node.truth.before_promotion or node.state
    operation, last = before.operation, before.last_failover_at
    if operation is not None and node.wall() < operation.until - timedelta(seconds=1):
        raise Broken(f"S4 rule 5: {node.name} took over during an announced {operation.kind}")
    if last is not None and not before.stable_since_failover:
        age = (node.wall() - last).total_seconds()
        if age < world.config.anti_flapping_s - 1.0:
            raise Broken(f"S4 rule 5: {node.name} took over {age:.0f} s after the last failover")


def acknowledged_in_order(world: World) -> None:
    """S1: once a write of a newer term was acknowledged, none of an older term is."""
    if excused(world):
        return
    newest: Transaction | None = None
    resumed = world.resumed_at
    done = [each for each in world.transactions if each.acknowledged_at is not None and not each.marks_term]
    for each in sorted(done, key=lambda transaction: transaction.acknowledged_at or 0.0):
        late = (each.acknowledged_at or 0.0) - resumed.get(each.node, -RESUME_NOTICED_S)
        performance = world.config.protection_mode is ProtectionMode.PERFORMANCE
        if performance and 0 <= late < RESUME_NOTICED_S:
            continue  # nobody waits for anybody: a server that was paused goes on writing until its monitor looks
        if newest is not None and each.term < newest.term:
            raise Broken(
                f"S1: {each.node} acknowledged a write of term {each.term} at {each.acknowledged_at:.2f}, after "
                f"{newest.node} had acknowledged one of term {newest.term} at {newest.acknowledged_at:.2f}"
            )
        newest = each if newest is None or each.term > newest.term else newest


def excused(world: World) -> bool:
    """Whether the protection mode names what happened as a case in which writes may diverge, or an administrator has
    let the standby go."""
    if world.torn_alone:
        return True
    if world.config.protection_mode is ProtectionMode.PROTECTION:
        return False
    return world.peer_link_disturbed or world.faults > 1


def nothing_lost(world: World) -> None:
    """S2 and S3, at the end, when one primary is known."""
    primary = rightful(world)
    if primary is None:
        _nowhere(world)
        return
    held = set(primary.database.log)
    other = set(world.other(primary.name).database.history())
    for each in world.transactions:
        if each.acknowledged_at is None or each.number in held:
            continue
        if each.number not in world.rescued and each.number not in other:
            raise Broken(f"S3: acknowledged write {each.number} of {each.node} (term {each.term}) is nowhere any more")
        mode = world.config.protection_mode
        if each.marks_term:
            continue  # a takeover by hand may leave behind what no client was told of
        if mode is ProtectionMode.PROTECTION or (mode is ProtectionMode.AVAILABILITY and not excused(world)):
            raise Broken(
                f"S2: write {each.number}, acknowledged by {each.node} in term {each.term} at "
                f"{each.acknowledged_at:.2f}, is not on the primary {primary.name}"
            )


def _nowhere(world: World) -> None:
    """S3, when the pair was ended: what was acknowledged is on one of the two servers, or in a rescue."""
    held = {number for node in world.nodes.values() for number in node.database.log}
    for each in world.transactions:
        if each.acknowledged_at is not None and each.number not in held and each.number not in world.rescued:
            raise Broken(f"S3: write {each.number} of {each.node} is nowhere any more since the pair was ended")


def rightful(world: World) -> SimulatedNode | None:
    """The primary with the highest term."""
    primaries = [node for node in world.nodes.values() if node.state.role is Role.PRIMARY]
    return max(primaries, key=lambda node: node.state.term, default=None)


def events_once(world: World) -> None:
    """S5."""
    for node in world.nodes.values():
        if len(node.event_runs) != len(set(node.event_runs)):
            raise Broken(f"S5: an event ran twice on {node.name}: {node.event_runs}")
        raised: set[str] = set()
        offline = 0
        for key in node.event_runs:
            kind, _, rest = key.partition(":")
            if kind == "RaiseAlarm":
                raised.add(rest)
            elif kind == "StandbyOffline":
                offline += 1
            elif kind == "ClearAlarm" and rest not in raised:
                raise Broken(f"S5: {node.name} told the recovery of something that it never told the error of: {key}")
        if offline > node.alarms_raised.get("standby-offline", 0):
            raise Broken(f"S5: {node.name} told {offline} times that its standby is offline, which happened less often")


def troubles(world: World) -> Iterator[str]:
    """Why the pair is not stable now, or not ended on both servers."""
    if world.torn:
        yield from _remains(world)
        return
    yield from _troubles_of_nodes(world)
    primary = rightful(world)
    if primary is None:
        yield "nobody is primary"
    else:
        yield from _troubles_of_pair(world, primary, world.other(primary.name))


def _remains(world: World) -> Iterator[str]:
    for node in world.nodes.values():
        if node.state.role is not Role.STANDALONE or node.teardown is not None or not node.takes_writes():
            yield f"{node.name} is {node.state.role} and not a writable standalone server"


def _troubles_of_nodes(world: World) -> Iterator[str]:
    for node in world.nodes.values():
        state = node.state
        if not node.runs() or not node.database.up or not node.monitor_up:
            yield f"{node.name} does not run"
        if state.fence is not None:
            yield f"{node.name} is fenced: {state.fence.reason}"
        if state.phase is not Phase.PAIRED or node.job or node.swap is not None:
            yield f"{node.name} is not paired ({state.phase}, job {node.job!r}, swap {node.swap})"
        for code in node.alarms:
            yield f"alarm {code} on {node.name}"


def _troubles_of_pair(world: World, primary: SimulatedNode, secondary: SimulatedNode) -> Iterator[str]:
    if secondary.state.role is not Role.SECONDARY:
        yield "both are primary"
    if primary.database.read_only:
        yield f"the primary {primary.name} does not accept writes"
    if primary.state.standby_out:
        yield "the standby is out"
    if world.config.commits_wait and not primary.database.semi_sync:
        yield "commits do not wait"
    if secondary.decision is None or not secondary.decision.eligible:
        yield f"the secondary {secondary.name} is not eligible"
    if primary.state.term != secondary.state.term:
        yield "the terms differ"
    if not secondary.database.connected:
        yield "replication is not connected"
