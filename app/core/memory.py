"""What the pilot remembers from tick to tick. It may be lost when the monitor restarts: what must not be lost is in
the node's durable state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.core.acts import Act, AskOthers, EmitEvent, Rejoin, RestartDatabase, SetSemiSync
from app.core.facts import DatabaseFacts, Observation, ReplicationFacts
from app.core.replication import conditions, same_position
from app.core.roles import Role
from app.core.sight import Sight
from app.core.state import FenceReason, NodeState, Phase

RESTART_HELPED_S = 60.0
"""A database that takes no writes anyway works when it still answers this long after its restart."""
STALLED_S = 1.0
"""A tick that is later than this was not just late: what was waited for in that time had no chance."""
CAUGHT_UP_LAG_S = 5.0
"""A replica that is at most this far behind has caught up."""
POSITIONS_KEPT_S = 6.0
"""A heartbeat reply that counts as heard is younger than this."""
FACTS_FRESH_S = 5.0
"""A look at the own database that is older says nothing about now."""


@dataclass(frozen=True)
class Contact:
    """What this secondary knew when its replication last worked."""

    at_s: float
    lag_s: float | None
    """How old the newest data of the primary was here; None if unknown."""
    semi_sync: bool
    """The primary waited for this node's acknowledgement with each commit."""


@dataclass(frozen=True)
class PilotMemory:
    """Times are of the monotonic clock; `…_since_s` is None while the fact does not hold."""

    started_s: float | None = None
    """The monitor's first tick."""
    database_uptime_s: float | None = None
    database_process_id: int | None = None
    caught_up: bool = False
    """This secondary was connected and caught up since its own database last started, and nothing broke since."""
    contact: Contact | None = None
    fence_reason: FenceReason | None = None
    fence_since_s: float | None = None
    """When the present fence was first seen; answers from before it prove nothing."""
    read_only_since_s: float | None = None
    """The own database has been read-only."""
    deaf_s: float = 0.0
    """For how much of the primary's present silence this node could hear nothing: its own monitor stood still, or its
    own network was gone and has come back."""
    deaf_until_s: float | None = None
    """When it could hear again: a life sign from later ends that silence."""
    others_silent_since_s: float | None = None
    """Neither the own gateway nor a target answers; when one of them last did."""
    frozen_since_s: float | None = None
    """The primary answers pings, but neither monitor nor database."""
    standby_failing_since_s: float | None = None
    """The standby is heard, but does not replicate or acknowledge."""
    acknowledging_since_s: float | None = None
    """Commits wait for the standby, and it is connected and acknowledges."""
    standby_heard_since_s: float | None = None
    """This primary has heard its standby without a break."""
    stable_since_s: float | None = None
    diagnosis: str = "healthy"
    diagnosis_since_s: float = 0.0
    condition_since_s: tuple[tuple[str, float], ...] = ()
    """Replication conditions that hold, by code, and since when."""
    restarted_s: float | None = None
    """The database was told to restart, and has not been proven to work since."""
    rejoin_asked_s: float | None = None
    others_asked_s: float | None = None
    semi_sync_told_s: float | None = None
    """Commits were last told to wait, or not to wait."""
    acknowledge_failed_s: float | None = None
    """The standby was last dropped because it did not acknowledge, although it was connected and well."""
    own_positions: tuple[tuple[float, str], ...] = ()
    """Where this primary's database was at the last looks, oldest first: what its standby is measured against."""
    acknowledged_position: str = ""
    """The last write probe that the standby has acknowledged: everything up to it is on both servers."""
    address_lacking_since_s: float | None = None
    """This node is the writable primary, and the virtual address is not on it."""
    able_since_s: float | None = None
    """The standby is out of the pair, and has been heard and eligible."""
    unfollowing_since_s: float | None = None
    """This secondary's database replicates from nobody, though its primary is heard and open."""
    joiner_idle_since_s: float | None = None
    """This primary waits for a secondary that is being set up, but that one says that it is standalone and busy with
    nothing."""
    write_fair_since_s: float | None = None
    """A write on this node has had no standby to wait for in vain."""
    emitted: frozenset[str] = frozenset()
    """Keys of events that were emitted since the monitor's start; the node store knows all."""


def fresh_facts(seen: Observation) -> DatabaseFacts | None:
    """The last look at the own database, if it is recent enough to act on."""
    age = seen.database.facts_age_s
    return seen.database.facts if age is not None and age < FACTS_FRESH_S else None


def remember(memory: PilotMemory, state: NodeState, seen: Observation, sight: Sight) -> PilotMemory:
    """The memory with what this observation adds to it."""
    memory = _remember_fence(memory, state, seen.now_s)
    facts = fresh_facts(seen)
    if facts is not None:
        memory = _remember_database(memory, facts, seen)
    if state.role is Role.SECONDARY:
        memory = _remember_replication(memory, seen, sight, facts)
        frozen = sight.ping_heard and not sight.monitor_heard and not sight.stream_alive and sight.probe is False
        memory = with_fields(memory, frozen_since_s=_since(memory.frozen_since_s, frozen, seen.now_s))
        lost = state.phase is Phase.PAIRED and facts is not None and facts.replication is None and _open_primary(sight)
        memory = with_fields(memory, unfollowing_since_s=_since(memory.unfollowing_since_s, lost, seen.now_s))
        memory = _remember_deafness(memory, seen, sight)
    else:
        memory = with_fields(
            memory,
            caught_up=False,
            contact=None,
            frozen_since_s=None,
            deaf_s=0.0,
            deaf_until_s=None,
            others_silent_since_s=None,
            condition_since_s=(),
            unfollowing_since_s=None,
        )
    memory = _remember_standby(memory, state, seen, sight, facts)
    stable = _stable(memory, state, sight)
    return with_fields(memory, stable_since_s=_since(memory.stable_since_s, stable, seen.now_s))


def _remember_deafness(memory: PilotMemory, seen: Observation, sight: Sight) -> PilotMemory:
    """A node that wakes up may still count as hearing the primary, by a life sign from before it stood still."""
    if memory.deaf_until_s is not None and seen.now_s - sight.silent_s >= memory.deaf_until_s:
        memory = with_fields(memory, deaf_s=0.0, deaf_until_s=None)
    stood_still_s = seen.stalled_s if seen.stalled_s >= STALLED_S else 0.0
    cut_off_s, memory = _own_network_back(memory, seen, sight)
    missed_s = min(stood_still_s + cut_off_s, sight.silent_s)
    if not missed_s:
        return memory
    return with_fields(memory, deaf_s=min(memory.deaf_s + missed_s, sight.silent_s), deaf_until_s=seen.now_s)


def _own_network_back(memory: PilotMemory, seen: Observation, sight: Sight) -> tuple[float, PilotMemory]:
    """For how long gateway and targets were silent, at the moment when one of them answers again; else 0."""
    since = memory.others_silent_since_s
    if sight.others_answer:
        return 0.0 if since is None else seen.now_s - since, with_fields(memory, others_silent_since_s=None)
    answered_s = seen.now_s - (seen.network.others_answer_age_s or 0.0)
    return 0.0, with_fields(memory, others_silent_since_s=answered_s if since is None else since)


def _open_primary(sight: Sight) -> bool:
    peer = sight.peer
    return sight.heartbeat_heard and peer is not None and peer.role is Role.PRIMARY and peer.fence is None


def note_acts(memory: PilotMemory, acts: tuple[Act, ...], now_s: float) -> PilotMemory:
    """The memory with what was told to be done."""
    for act in acts:
        match act:
            case AskOthers():
                memory = with_fields(memory, others_asked_s=now_s)
            case Rejoin():
                memory = with_fields(memory, rejoin_asked_s=now_s)
            case RestartDatabase():
                memory = with_fields(memory, restarted_s=now_s)
            case SetSemiSync():
                failed_s = now_s if act.rule == "standby-mute" else memory.acknowledge_failed_s
                memory = with_fields(
                    memory, semi_sync_told_s=now_s, acknowledging_since_s=None, acknowledge_failed_s=failed_s
                )
            case EmitEvent():
                memory = with_fields(memory, emitted=memory.emitted | {act.event.key})
            case _:
                pass
    return memory


def with_fields(memory: PilotMemory, **fields: Any) -> PilotMemory:
    """The memory with these fields; the same one where nothing is new (most ticks bring nothing new)."""
    if all(getattr(memory, name) == value for name, value in fields.items()):
        return memory
    return replace(memory, **fields)


def _since(before: float | None, holds: bool, now_s: float) -> float | None:
    if not holds:
        return None
    return now_s if before is None else before


def _remember_fence(memory: PilotMemory, state: NodeState, now_s: float) -> PilotMemory:
    reason = state.fence.reason if state.fence is not None else None
    if reason is memory.fence_reason:
        return memory
    return with_fields(memory, fence_reason=reason, fence_since_s=None if reason is None else now_s)


def _remember_database(memory: PilotMemory, facts: DatabaseFacts, seen: Observation) -> PilotMemory:
    restarted = _restarted(memory, facts)
    return with_fields(
        memory,
        database_uptime_s=facts.uptime_s,
        database_process_id=facts.process_id,
        acknowledged_position="" if restarted else memory.acknowledged_position,
        caught_up=memory.caught_up and not restarted,
        read_only_since_s=_since(memory.read_only_since_s, facts.read_only, seen.now_s),
        restarted_s=None if _proven_to_work(memory, facts, seen) else memory.restarted_s,
    )


def _restarted(memory: PilotMemory, facts: DatabaseFacts) -> bool:
    """Whether the database lives another life than at the last look. Its uptime alone does not tell: this monitor may
    have stood still for longer than the database had run."""
    if memory.database_uptime_s is None:
        return False
    return facts.process_id != memory.database_process_id or facts.uptime_s < memory.database_uptime_s


def _proven_to_work(memory: PilotMemory, facts: DatabaseFacts, seen: Observation) -> bool:
    """Whether the restart of the database has helped: a write that was begun since then has succeeded, or, where nobody
    writes, it has answered for long enough."""
    since, write_age = memory.restarted_s, seen.database.write_age_s
    if since is None:
        return True
    written = write_age is not None and seen.now_s - write_age > since
    return written or (facts.read_only and seen.now_s - since >= RESTART_HELPED_S)


def _remember_replication(
    memory: PilotMemory, seen: Observation, sight: Sight, facts: DatabaseFacts | None
) -> PilotMemory:
    found = conditions(facts, sight)
    known = dict(memory.condition_since_s)
    memory = with_fields(
        memory, condition_since_s=tuple((each.code, known.get(each.code, seen.now_s)) for each in found)
    )
    replication = facts.replication if facts is not None else None
    if any(each.breaks_history for each in found) or (facts is not None and replication is None):
        return with_fields(memory, caught_up=False)
    if facts is None or replication is None or not _working(replication, sight):
        return memory
    peer = sight.peer
    same = sight.heartbeat_heard and peer is not None and same_position(peer.position, facts.position)
    lag = 0.0 if same else facts.beat_age_s
    semi_sync = replication.semi_sync and peer is not None and peer.semi_sync_active
    caught_up = memory.caught_up or (lag is not None and lag <= CAUGHT_UP_LAG_S)
    return with_fields(memory, caught_up=caught_up, contact=Contact(seen.now_s, lag, semi_sync))


def _working(replication: ReplicationFacts, sight: Sight) -> bool:
    return sight.stream_alive and replication.receiver_running and replication.applier_running


def _remember_standby(
    memory: PilotMemory, state: NodeState, seen: Observation, sight: Sight, facts: DatabaseFacts | None
) -> PilotMemory:
    if facts is not None:
        waits_in_vain = facts.semi_sync_enabled and (facts.semi_sync_clients == 0 or not sight.heartbeat_heard)
        fair = _since(memory.write_fair_since_s, not waits_in_vain, seen.now_s)
        memory = with_fields(memory, write_fair_since_s=fair)
    peer = sight.peer
    idle = sight.heartbeat_heard and peer is not None and peer.role is Role.STANDALONE and peer.operation == ""
    idle = idle and state.role is Role.PRIMARY and state.phase is Phase.SYNCHRONIZING
    memory = with_fields(memory, joiner_idle_since_s=_since(memory.joiner_idle_since_s, idle, seen.now_s))
    if state.role is not Role.PRIMARY or state.fence is not None or (facts is not None and facts.read_only):
        # A fence ends commits that wait: they are in the log, and the standby may not have them.
        memory = with_fields(memory, acknowledged_position="")
    if state.role is not Role.PRIMARY or state.phase is not Phase.PAIRED or facts is None:
        return with_fields(
            memory,
            standby_failing_since_s=None,
            acknowledging_since_s=None,
            standby_heard_since_s=None,
            able_since_s=None,
            own_positions=(),
        )
    memory = _remember_position(memory, seen, facts)
    unacknowledged = facts.semi_sync_enabled and facts.semi_sync_clients == 0
    failing = sight.heartbeat_heard and (unacknowledged or (peer is not None and not peer.eligible))
    acknowledging = facts.semi_sync_enabled and facts.semi_sync_clients > 0 and _seen_after_told(memory, seen)
    if acknowledging:
        memory = _remember_acknowledged(memory, seen)
    awake = seen.stalled_s < STALLED_S
    able = state.standby_out and sight.heartbeat_heard and peer is not None and peer.eligible
    return with_fields(
        memory,
        able_since_s=_since(memory.able_since_s, able, seen.now_s),
        standby_failing_since_s=_since(memory.standby_failing_since_s, failing, seen.now_s),
        acknowledging_since_s=_since(memory.acknowledging_since_s if awake else None, acknowledging, seen.now_s),
        standby_heard_since_s=_since(memory.standby_heard_since_s, sight.heartbeat_heard, seen.now_s),
    )


def _remember_acknowledged(memory: PilotMemory, seen: Observation) -> PilotMemory:
    """A write that was begun since commits wait for the standby, and that has succeeded, is on both servers."""
    since, age = memory.acknowledging_since_s, seen.database.write_age_s
    if since is None or age is None or seen.now_s - age <= since or not seen.database.write_gtid:
        return memory
    return with_fields(memory, acknowledged_position=seen.database.write_gtid)


def _remember_position(memory: PilotMemory, seen: Observation, facts: DatabaseFacts) -> PilotMemory:
    looked_s = seen.now_s - (seen.database.facts_age_s or 0.0)
    if memory.own_positions and looked_s <= memory.own_positions[-1][0]:
        return memory
    kept = [(at_s, position) for at_s, position in memory.own_positions if seen.now_s - at_s <= POSITIONS_KEPT_S]
    return with_fields(memory, own_positions=(*kept, (looked_s, facts.position)))


def _seen_after_told(memory: PilotMemory, seen: Observation) -> bool:
    """Whether the last look at the database is from after commits were last told to wait or not to wait."""
    age = seen.database.facts_age_s
    return memory.semi_sync_told_s is None or (age is not None and seen.now_s - age > memory.semi_sync_told_s)


def _stable(memory: PilotMemory, state: NodeState, sight: Sight) -> bool:
    """Whether this node, seen alone, is half of a stable pair."""
    peer = sight.peer
    if state.phase is not Phase.PAIRED or state.fence is not None or not sight.heartbeat_heard or peer is None:
        return False
    if state.role is Role.SECONDARY:
        return memory.caught_up and peer.writable and not peer.standby_out and sight.stream_alive
    return state.role is Role.PRIMARY and not state.standby_out and peer.eligible
