"""What the parts of a node report: plain values that adapters fill in and the core decides on.

Ages and durations are in seconds of the monotonic clock of the node that measured them;
`None` means "never" or "can't be asked", and is never read as good news.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.core.roles import Role
from app.core.state import FenceReason, Phase


@dataclass(frozen=True)
class ReplicationFacts:
    """The replica side of a database server (SHOW ALL SLAVES STATUS, in our words)."""

    receiver_running: bool
    """The I/O thread is connected to the primary."""
    applier_running: bool
    """The SQL thread runs."""
    receiver_error_number: int
    receiver_error: str
    applier_error_number: int
    applier_error: str
    received_position: str
    """GTID position up to which events have been received into the relay log."""
    applied_position: str
    """GTID position up to which events have been applied."""
    source_host: str
    semi_sync: bool
    """This replica acknowledges received transactions to the primary."""
    heartbeats: int = 0
    """Heartbeats that the primary's server has sent over the stream (Slave_received_heartbeats of SHOW ALL SLAVES
    STATUS): a count or a position that moves proves that the stream lives."""
    received_age_s: float | None = None
    """Since something was last written to the relay log, by the wall clock; None where that can't be told."""


@dataclass(frozen=True)
class DatabaseFacts:
    """One look at the local database server."""

    engine: str
    version: str
    uptime_s: float
    process_id: int
    """The server's process on this host: another number is another life of the server. 0 where it can't be told."""
    read_only: bool
    position: str
    """@@gtid_binlog_pos merged with @@gtid_slave_pos: the last transaction that this server holds."""
    binlog_state: str
    """@@gtid_binlog_state: one GTID for each (domain, server) that ever wrote here."""
    semi_sync_enabled: bool
    """Commits wait for the standby's acknowledgement."""
    semi_sync_clients: int
    """Connected replicas that acknowledge."""
    replication: ReplicationFacts | None
    """None where the server replicates from nobody."""
    beat_age_s: float | None
    """Age of the newest row that the primary's write probe left in this server's data (wall clocks of both)."""
    beat_term: int | None = None


@dataclass(frozen=True)
class DatabaseReport:
    """The local database server as the monitor sees it over time."""

    facts: DatabaseFacts | None
    """The last successful look; None when the server has not answered since the monitor's start."""
    facts_age_s: float | None
    write_failing_s: float
    """For how long write probes have failed without a break; 0 while they work. Meaningful on a writable node."""
    error: str = ""
    write_age_s: float | None = None
    """Since the *start* of the last write probe that succeeded; None if there was none since the monitor's start."""
    write_gtid: str = ""
    """The transaction of that probe."""


@dataclass(frozen=True)
class PeerReport:
    """What the other node said of itself in its last heartbeat reply. Built from JSON, so nothing in it is trusted
    beyond its type."""

    node_id: str
    hostname: str
    role: Role
    term: int
    phase: Phase
    writable: bool
    fence: FenceReason | None
    standby_out: bool
    eligible: bool
    """A secondary that was caught up since its own start and is in sync."""
    position: str
    received_position: str
    semi_sync_active: bool
    """On a primary: each commit right now waits for the standby."""
    database_ok: bool
    """Its own write probe (primary) or replication (secondary) works."""
    database_failing_s: float
    monitor_age_s: float | None
    """Age of its monitor's last tick; None when its monitor is not running."""
    operation: str = ""
    """Kind of the announced operation that is under way, or empty."""
    maintenance: bool = False
    stopping: bool = False
    """It has announced a graceful stop."""
    promotion_point: str | None = None
    promotion_term: int | None = None
    version: str = ""
    lag_s: float | None = None
    """Age of the primary's newest row in a secondary's data; None on a primary and where it is not known."""
    holds_address: bool = False
    """A virtual address is on it."""


@dataclass(frozen=True)
class NetworkReport:
    """Results of the pings, counted by the monitor."""

    peer_missed: int
    """Pings to the peer in a row that failed; 0 after an answer."""
    peer_round_trip_ms: float | None
    gateway_answers: bool | None
    """None where no default gateway is known."""
    targets: Mapping[str, bool] = field(default_factory=dict)
    """Each configured ping target and whether it answered the last ping."""
    sequence: int = 0
    """Number of ping rounds since the monitor's start."""
    others_answer_age_s: float | None = None
    """Since the gateway or any target last answered a ping; None if none did since the monitor's start."""


@dataclass(frozen=True)
class Alarm:
    """An alarm that is up, as the node store keeps it."""

    code: str
    text: str
    raised_at: datetime


@dataclass(frozen=True)
class Observation:
    """Everything that one decision may look at, read once."""

    now_s: float
    """Monotonic clock of this node."""
    network: NetworkReport
    database: DatabaseReport
    peer: PeerReport | None
    """The last heartbeat reply, however old; None if there was none since the monitor's start."""
    heartbeat_age_s: float | None
    """Since the last heartbeat reply was received."""
    replication_alive_age_s: float | None
    """On a secondary: since the replication stream last brought anything (an event or the server's heartbeat)."""
    peer_write_probe_ok: bool | None
    """On a secondary: whether a fresh connection to the primary's database could write, last time it was tried."""
    peer_probe_age_s: float | None = None
    """Since that probe ended."""
    files_behind: int = 0
    hostname: str = ""
    """Of this node."""
    alarms: Mapping[str, Alarm] = field(default_factory=dict)
    """Alarms that are up, by code, from the node store."""
    stalled_s: float = 0.0
    """How much later than planned this tick began, other than by acts that the monitor itself carried out: the host
    or the monitor was paused for that long."""
    peer_asked_age_s: float | None = None
    """Since the request was sent whose reply `peer` is: the report is at most this old, and the peer heard this node
    then. None where it is not measured; then the reply's arrival counts."""
    held_addresses: tuple[str, ...] | None = None
    """The virtual addresses that are on this server; None where that was not looked at."""
    peer_called_age_s: float | None = None
    """Since a heartbeat request of the peer last arrived here; None if none did or where it is not measured."""
