"""The one place where observers leave what they saw and the decision loop reads it.

Each finding is a frozen value with the monotonic time it was made at; an observer replaces its own finding as a
whole, so a reader never sees half of one. Urgent news wake the loop; everything else waits for its next tick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.core.facts import Alarm, DatabaseFacts, DatabaseReport, PeerReport
from app.core.pairconfig import PairConfig
from app.core.state import NodeState
from app.ports import Json


def _age(at_s: float | None, now_s: float) -> float | None:
    return None if at_s is None else max(now_s - at_s, 0.0)


@dataclass(frozen=True)
class Situation:
    """Who this node is and what it is configured to do, as the loop read it last."""

    state: NodeState
    applied: Json
    config: PairConfig
    alarms: Mapping[str, Alarm]
    hostname: str
    gateway: str | None
    version: str
    job_running: bool = False
    """A job is queued or runs on this node: what it does to the services must not be disturbed."""
    held_addresses: tuple[str, ...] | None = None
    """The virtual addresses that are on this server; None where the pair has none, or the system can't be asked."""

    @property
    def peer_address(self) -> str | None:
        """Where the other server is; None while there is no pair."""
        return None if self.state.peer is None else self.state.peer.address


@dataclass(frozen=True)
class NetworkFinding:
    """The last round of pings."""

    peer_missed: int = 0
    peer_round_trip_ms: float | None = None
    gateway_answers: bool | None = None
    targets: Mapping[str, bool] = field(default_factory=dict)
    sequence: int = 0
    others_answered_s: float | None = None
    """When the gateway or a target last answered."""


@dataclass(frozen=True)
class PeerFinding:
    """The last heartbeat reply, and why there was none since."""

    report: PeerReport | None = None
    heard_s: float | None = None
    error: str = ""
    asked_s: float | None = None
    """When the request was sent whose reply this is: the report is no newer than its arrival and no older than this."""

    def asked_age_s(self, now_s: float) -> float | None:
        return _age(self.asked_s, now_s)

    def age_s(self, now_s: float) -> float | None:
        return _age(self.heard_s, now_s)


@dataclass(frozen=True)
class DatabaseFinding:
    """The local database server: the last look at it and the last write probes."""

    facts: DatabaseFacts | None = None
    facts_s: float | None = None
    error: str = ""
    error_code: str = ""
    looked_s: float | None = None
    """When the last look, good or bad, was begun."""
    down_since_s: float | None = None
    """Since when no look at it has succeeded; None while they do."""
    stream_alive_s: float | None = None
    """When the replication stream was last seen to bring something."""
    write_failing_since_s: float | None = None
    write_started_s: float | None = None
    """When the last write probe that succeeded was begun."""
    write_error: str = ""
    write_gtid: str = ""
    """The transaction of the last write probe that succeeded."""

    def stream_age_s(self, now_s: float) -> float | None:
        return _age(self.stream_alive_s, now_s)

    def report(self, now_s: float) -> DatabaseReport:
        return DatabaseReport(
            facts=self.facts,
            facts_age_s=_age(self.facts_s, now_s),
            write_failing_s=_age(self.write_failing_since_s, now_s) or 0.0,
            error=self.error or self.write_error,
            write_age_s=_age(self.write_started_s, now_s),
            write_gtid=self.write_gtid,
        )


@dataclass(frozen=True)
class ProbeFinding:
    """The secondary's write probe of the primary's database."""

    ok: bool | None = None
    ended_s: float | None = None

    def age_s(self, now_s: float) -> float | None:
        return _age(self.ended_s, now_s)


@dataclass(frozen=True)
class FilesFinding:
    """The file mirror; times are for people."""

    pending: int = 0
    trouble: str = ""
    last_batch: Json | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    complete_at: datetime | None = None
    """When the peer last had everything."""
    pushing: bool = False
    progress: Json | None = None
    """Of the batch under way, in bytes: {done, total}."""


@dataclass(frozen=True)
class Findings:
    """Everything that is known, read at once."""

    situation: Situation
    network: NetworkFinding = field(default_factory=NetworkFinding)
    peer: PeerFinding = field(default_factory=PeerFinding)
    database: DatabaseFinding = field(default_factory=DatabaseFinding)
    peer_probe: ProbeFinding = field(default_factory=ProbeFinding)
    files: FilesFinding = field(default_factory=FilesFinding)
    near_miss: Json | None = None
    """The longest run of failed pings to the peer in the last day: {missed, at}."""
    rescues: Json | None = None
    """What is kept aside on this server: {count, newest: {id, kind, at} | null}; None before the first look."""
    acts: tuple[Json, ...] = ()
    """What was done last, newest first."""
    busy: str = ""
    stopping: bool = False


class Board:
    """Thread-safe. `wait` is for the loop alone."""

    def __init__(self, situation: Situation) -> None:
        self._findings = Findings(situation)
        self._lock = threading.Lock()
        self._news = threading.Event()

    def read(self) -> Findings:
        with self._lock:
            return self._findings

    def put(self, *, urgent: bool = False, **findings: Any) -> None:
        """The named findings are replaced; `urgent` wakes the loop."""
        with self._lock:
            self._findings = replace(self._findings, **findings)
        if urgent:
            self.wake()

    def change(self, change: Callable[[Findings], Findings], *, urgent: bool = False) -> None:
        """The findings are what `change` makes of them; for a finding that has two observers."""
        with self._lock:
            self._findings = change(self._findings)
        if urgent:
            self.wake()

    def wake(self) -> None:
        """The loop begins its next tick now."""
        self._news.set()

    def wait(self, timeout_s: float) -> None:
        """Until there is urgent news, at most `timeout_s`."""
        self._news.wait(timeout_s)
        self._news.clear()
