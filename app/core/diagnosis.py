"""What a node concludes about the other one, by name: each diagnosis with the facts that prove it.

Ping alone can't tell whether a server lives: the kernel of a frozen or half-dead one still answers. So the tables
below look at pings, heartbeats, the replication stream and a write probe of the primary's database together. The
first row whose proof holds is the diagnosis. A diagnosis is not yet an act: what follows from it is in the `act`
column, and `failover.py` and `primary.py` decide it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.sight import Sight


@dataclass(frozen=True)
class Diagnosis:
    """`name` is stable; `sentence` says what was seen and what it means."""

    name: str
    sentence: str


@dataclass(frozen=True)
class Row:
    """One diagnosis: its name, the facts that prove it (in words and as a function), what it means, what is done."""

    name: str
    facts: str
    sentence: str
    act: str
    proof: Callable[[Sight], bool]
    alarm: bool = False
    """Whether an alarm of this name is up while the diagnosis holds."""


def _life(sight: Sight) -> bool:
    return sight.heartbeat_heard or sight.stream_alive or sight.probe is True


def _database_fails(sight: Sight) -> bool:
    reported = sight.peer is not None and not sight.peer.database_ok
    return not sight.stream_alive and (sight.probe is False or (sight.probe is None and reported))


SECONDARY_ROWS = (
    Row("own-network", "a ping failed; no life sign of the primary; own gateway and all targets silent",
        "This server hears neither the primary nor its own gateway nor any ping target: its own network is at fault.",
        "never fails over; alarm",
        lambda s: s.missed > 0 and not _life(s) and not s.others_answer, alarm=True),
    Row("primary-silent", "ping, heartbeat, replication stream and write probe silent",
        "Nothing is heard of the primary: no ping, no heartbeat, no replication.",
        "the verdict of the failover rules",
        lambda s: s.ping_silent and not _life(s)),
    Row("ping-filtered", "ping silent; heartbeat heard, or replication stream alive, or write probe works",
        "The primary does not answer pings, but it lives: its heartbeat or its replication is heard.",
        "alarm, no failover",
        lambda s: s.ping_silent and _life(s), alarm=True),
    Row("primary-frozen", "ping heard; no living monitor; replication stream silent; write probe fails",
        "The primary answers pings, but neither its monitor nor its database: it is frozen or half dead.",
        "after the window as primary-silent, if HAServiceFailover is on",
        lambda s: s.ping_heard and not s.monitor_heard and not s.stream_alive and s.probe is False),
    Row("monitor-dead", "ping heard; no living monitor; replication stream alive or write probe works",
        "The primary's database works, but its monitor does not run: nobody watches over it.",
        "alarm; its supervisor restarts it, or fences",
        lambda s: s.ping_heard and not s.monitor_heard and (s.stream_alive or s.probe is True), alarm=True),
    Row("database-dead", "ping heard; heartbeat heard; write probe fails",
        "The primary lives, but its database does not accept writes.",
        "alarm; the primary restarts it, and hands over after the window",
        lambda s: s.ping_heard and s.monitor_heard and _database_fails(s), alarm=True),
    Row("primary-unclear", "some of ping, heartbeat and replication silent, not yet enough to tell",
        "Contact with the primary is disturbed; what is wrong can't be told yet.",
        "wait",
        lambda s: s.missed > 0 or not s.heartbeat_heard),
)  # fmt: skip

PRIMARY_ROWS = (
    Row("isolated", "a ping failed; no heartbeat; own gateway and all targets silent",
        "This server hears neither the standby nor its own gateway nor any ping target: it is cut off.",
        "fences itself one ping interval before the standby's window ends",
        lambda s: s.missed > 0 and not s.heartbeat_heard and not s.others_answer),
    Row("standby-silent", "no heartbeat; own gateway or a target answers",
        "The standby is not heard, but this server's own network works.",
        "goes on; after the bounded wait records that the standby is out (in `protection` writes wait)",
        lambda s: not s.heartbeat_heard),
    Row("standby-not-replicating", "heartbeat heard; the standby says that it is not caught up and in sync",
        "The standby lives, but does not replicate.",
        "after the bounded wait records that the standby is out (in `protection` writes wait)",
        lambda s: s.peer is not None and not s.peer.eligible),
)  # fmt: skip

HEALTHY = Diagnosis("healthy", "The other server is heard on every way that was looked at.")
ALARMS = frozenset(row.name for row in SECONDARY_ROWS if row.alarm)


def diagnose(sight: Sight, rows: tuple[Row, ...]) -> Diagnosis:
    """The first diagnosis of the table whose facts hold, else `healthy`."""
    for row in rows:
        if row.proof(sight):
            return Diagnosis(row.name, row.sentence)
    return HEALTHY
