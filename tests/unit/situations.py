"""Building blocks for the tests of the decision core: healthy nodes, and what differs from them by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.acts import Act
from app.core.facts import (
    Alarm,
    DatabaseFacts,
    DatabaseReport,
    NetworkReport,
    Observation,
    PeerReport,
    ReplicationFacts,
)
from app.core.memory import Contact, PilotMemory
from app.core.pairconfig import PairConfig
from app.core.pilot import Decision, decide
from app.core.roles import Role
from app.core.state import Fence, FenceReason, NodeState, PeerIdentity, Phase

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW_S = 10_000.0
CONFIG = PairConfig(ping_interval_s=1.0, ping_iterations=3)
PEER = PeerIdentity("node-b", "beta", "10.0.0.2", "ssh-ed25519 AAAA", "ssh-ed25519 BBBB", "PEM")

REPLICATION = ReplicationFacts(
    receiver_running=True,
    applier_running=True,
    receiver_error_number=0,
    receiver_error="",
    applier_error_number=0,
    applier_error="",
    received_position="0-1-100",
    applied_position="0-1-100",
    source_host="10.0.0.1",
    semi_sync=True,
)
FACTS = DatabaseFacts(
    engine="mariadb",
    version="10.11",
    uptime_s=500.0,
    process_id=4711,
    read_only=True,
    position="0-1-100",
    binlog_state="0-1-100",
    semi_sync_enabled=False,
    semi_sync_clients=0,
    replication=REPLICATION,
    beat_age_s=1.0,
)
PRIMARY_FACTS = replace(FACTS, read_only=False, semi_sync_enabled=True, semi_sync_clients=1, replication=None)
NETWORK = NetworkReport(0, 0.4, gateway_answers=True, targets={}, sequence=50, others_answer_age_s=0.5)

PRIMARY_REPORT = PeerReport(
    node_id="node-a",
    hostname="alpha",
    role=Role.PRIMARY,
    term=4,
    phase=Phase.PAIRED,
    writable=True,
    fence=None,
    standby_out=False,
    eligible=False,
    position="0-1-100",
    received_position="",
    semi_sync_active=True,
    database_ok=True,
    database_failing_s=0.0,
    monitor_age_s=0.3,
)
SECONDARY_REPORT = replace(
    PRIMARY_REPORT, node_id="node-b", hostname="beta", role=Role.SECONDARY, writable=False, eligible=True,
    semi_sync_active=False,
)  # fmt: skip

PRIMARY = NodeState("node-a", role=Role.PRIMARY, term=4, phase=Phase.PAIRED, pair_id="p", peer=PEER)
SECONDARY = replace(PRIMARY, node_id="node-b", role=Role.SECONDARY)
MEMORY = PilotMemory(
    started_s=NOW_S - 1000.0, own_positions=((NOW_S - 5.0, "0-1-100"),), standby_heard_since_s=NOW_S - 900.0
)
CAUGHT_UP = replace(MEMORY, caught_up=True, contact=Contact(NOW_S - 1.0, 0.5, semi_sync=True))


def secondary_sees(**changes: Any) -> Observation:
    """What the secondary of a healthy pair observes, with `changes`."""
    return replace(_seen(FACTS, PRIMARY_REPORT, "beta"), replication_alive_age_s=0.3, **changes)


def primary_sees(**changes: Any) -> Observation:
    """What the primary of a healthy pair observes, with `changes`."""
    return replace(_seen(PRIMARY_FACTS, SECONDARY_REPORT, "alpha"), **changes)


def _seen(facts: DatabaseFacts, peer: PeerReport, hostname: str) -> Observation:
    return Observation(
        now_s=NOW_S,
        network=NETWORK,
        database=DatabaseReport(facts, 0.2, 0.0, write_age_s=0.5),
        peer=peer,
        heartbeat_age_s=0.3,
        replication_alive_age_s=None,
        peer_write_probe_ok=None,
        peer_asked_age_s=0.35,
        hostname=hostname,
    )


def database(
    seen: Observation, *, failing_s: float = 0.0, facts_age_s: float | None = 0.2, **facts: Any
) -> Observation:
    """The observation with other facts of the own database."""
    known = seen.database.facts
    changed = replace(known, **facts) if known is not None else None
    written = failing_s + 1.0 if failing_s else seen.database.write_age_s
    report = replace(
        seen.database, facts=changed, facts_age_s=facts_age_s, write_failing_s=failing_s, write_age_s=written
    )
    return replace(seen, database=report)


def replication(seen: Observation, **changes: Any) -> Observation:
    """The observation with other facts of the own replication."""
    assert seen.database.facts is not None
    assert seen.database.facts.replication is not None
    return database(seen, replication=replace(seen.database.facts.replication, **changes))


def peer(seen: Observation, **changes: Any) -> Observation:
    """The observation with another report of the peer."""
    assert seen.peer is not None
    return replace(seen, peer=replace(seen.peer, **changes))


def network(seen: Observation, **changes: Any) -> Observation:
    """The observation with other results of the pings."""
    return replace(seen, network=replace(seen.network, **changes))


def silent_peer(seen: Observation, silent_s: float, missed: int | None = None) -> Observation:
    """The observation when the peer has been silent in every way for so long, while gateway and targets answer."""
    seen = network(seen, peer_missed=missed if missed is not None else int(silent_s / CONFIG.ping_interval_s))
    alive = silent_s if seen.replication_alive_age_s is not None else None
    return replace(seen, heartbeat_age_s=silent_s, peer_asked_age_s=silent_s, replication_alive_age_s=alive)


def alarm(seen: Observation, code: str, text: str = "text") -> Observation:
    """The observation with one more alarm up, raised ten seconds ago."""
    raised = Alarm(code, text, NOW - timedelta(seconds=10))
    return replace(seen, alarms={**seen.alarms, code: raised})


def fenced(state: NodeState, reason: FenceReason, detail: str = "") -> NodeState:
    return replace(state, fence=Fence(reason, NOW - timedelta(seconds=60), detail))


def fence_remembered(reason: FenceReason, for_s: float = 60.0, memory: PilotMemory = MEMORY) -> PilotMemory:
    """The memory of a monitor that has seen this fence for so long."""
    return replace(memory, fence_reason=reason, fence_since_s=NOW_S - for_s, read_only_since_s=NOW_S - for_s)


def tick(
    state: NodeState, seen: Observation, memory: PilotMemory | None = None, config: PairConfig = CONFIG,
    now: datetime = NOW,
) -> Decision:  # fmt: skip
    """One decision; the memory is that of a node that runs well."""
    if memory is None:
        memory = CAUGHT_UP if state.role is Role.SECONDARY else MEMORY
    return decide(memory, state, config, seen, now)


def kinds(decision: Decision) -> list[str]:
    """The names of the acts, in their order."""
    return [type(act).__name__ for act in decision.acts]


def the(decision: Decision, kind: type[Act]) -> Any:
    """The one act of that kind."""
    found = [act for act in decision.acts if isinstance(act, kind)]
    assert len(found) == 1, f"expected one {kind.__name__}, found {kinds(decision)}"
    return found[0]
