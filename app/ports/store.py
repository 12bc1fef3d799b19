"""The durable memory of a node, and the records that are in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.core.activity import Entry
from app.core.activity_chain import Head
from app.core.activity_filter import EVERYTHING, Filter, Page
from app.core.history import HistoryPoint
from app.core.state import NodeState
from app.ports.alerts import AlertTest
from app.ports.common import Json


@dataclass(frozen=True)
class Actor:
    """Who does something: a person, a token, or a part of hapair itself."""

    name: str
    """User name, `token:<label>`, `root` on the command line, or `hapair` for the monitor."""
    address: str = ""
    """Network address the request came from, empty where there is none."""


@dataclass(frozen=True)
class ConfigRecord:
    """Draft and applied configuration, by the manual's field names."""

    applied: Json
    draft: Json | None
    version: int
    """Grows with every change of the draft or the applied configuration; it is the ETag."""
    saved_by: str | None
    saved_at: datetime | None
    failed: str | None
    """The message of the last APPLY of this draft if it failed, else None."""


@dataclass(frozen=True)
class StepRecord:
    name: str
    title: str
    state: str = "pending"
    """pending, running, done, failed, undoing, undone, skipped"""
    done: int = 0
    """Bytes, rows or files done."""
    total: int | None = None
    detail: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class JobRecord:
    id: str
    kind: str
    """A value of app.core.roles.Change, or `reseed`, `rejoin`, `resume`, `upgrade` …"""
    state: str
    """queued, running, succeeded, failed, reverted"""
    arguments: Json
    steps: tuple[StepRecord, ...]
    message: str
    actor: str
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Json | None = None
    """`{code, title, detail, hint}` of the error that ended it."""
    memory: Json = field(default_factory=dict)
    """What steps must remember between runs (folders moved aside, positions); written before it is relied on."""


@dataclass(frozen=True)
class EventRecord:
    id: int
    key: str
    """Unique on this node: the same key is stored once, so an event runs at most once."""
    kind: str
    """Failover, StandbyOffline, StandbyOnline, ManualSwitch, RaiseAlarm, ClearAlarm, or one of ours."""
    at: datetime
    node: str
    """Hostname of the node on which it happened."""
    parameters: tuple[str, ...]
    detail: str = ""
    deliveries: Json = field(default_factory=dict)
    """By channel (app.core.notices.Channel): {state: pending|claimed|done|failed|skipped, at, detail}."""


@dataclass(frozen=True)
class AlarmRecord:
    code: str
    text: str
    raised_at: datetime


class NodeStore(Protocol):
    """The durable memory of this node: SQLite in WAL mode with full fsync. Every write is on disk on return.

    Used by the API, the worker, the monitor and the forced command at the same time, in separate processes.
    """

    # who this node is
    def state(self) -> NodeState: ...
    def change_state(self, change: Callable[[NodeState], NodeState]) -> NodeState:
        """`change` applied to the stored state in one exclusive transaction, and stored.

        Raises LocalFailure (code `term-went-back`) if the term would become lower, and stores nothing then.
        """
        ...

    # configuration
    def config(self) -> ConfigRecord: ...
    def save_draft(self, draft: Json | None, expected_version: int | None, actor: Actor) -> ConfigRecord:
        """Store (or with None discard) the draft. Raises Stale (code `stale-draft`) if the version moved on."""
        ...

    def save_applied(self, applied: Json, *, keep_draft: bool = False) -> ConfigRecord:
        """Store the applied configuration and drop the draft; a draft that is kept keeps what its author changed, and
        follows in all else (app.core.config.rebased)."""
        ...

    def draft_failed(self, message: str | None) -> None: ...
    def save_pairing_key(self, fingerprint: str, private_key: str) -> None:
        """Remember a generated pairing key, which is sealed (app.ports.Keys); it replaces an older unused one."""
        ...

    def pairing_key(self, fingerprint: str) -> str | None:
        """The unused private key with that fingerprint, as it was saved, else None."""
        ...

    def retire_pairing_key(self, fingerprint: str) -> None: ...
    def pairing_key_retired(self, fingerprint: str) -> bool: ...

    # jobs
    def create_job(self, kind: str, arguments: Json, steps: Sequence[StepRecord], actor: Actor) -> JobRecord:
        """A queued job. Raises NotAllowed (code `job-running`) while another one is queued or running."""
        ...

    def job(self, job_id: str) -> JobRecord | None: ...
    def jobs(self, *, before: str | None = None, limit: int = 50) -> list[JobRecord]: ...
    def job_times(self) -> dict[tuple[str, str], tuple[int, float]]:
        """Of the jobs that were begun and have ended, by (kind, state): how many, and their seconds in all."""
        ...

    def active_job(self) -> JobRecord | None: ...
    def update_job(self, job_id: str, **changes: Any) -> JobRecord:
        """Change state, message, error, memory, started_at or ended_at."""
        ...

    def update_step(self, job_id: str, name: str, **changes: Any) -> None: ...

    # events, alarms, activity
    def add_event(self, key: str, kind: str, parameters: Sequence[str], detail: str = "") -> EventRecord | None:
        """The stored event, or None if one with this key is there already."""
        ...

    def events(self, *, before: int | None = None, limit: int = 50) -> list[EventRecord]: ...
    def claim_delivery(self, channel: str) -> EventRecord | None:
        """The oldest event whose delivery by `channel` is pending, now claimed by the caller alone, or None."""
        ...

    def finish_delivery(self, event_id: int, channel: str, state: str, detail: str = "") -> None: ...
    def claim_deliveries(self, channel: str, limit: int) -> list[EventRecord]:
        """The oldest events whose delivery by `channel` is pending, now claimed by the caller alone."""
        ...

    def finish_deliveries(self, event_ids: Sequence[int], channel: str, state: str, detail: str = "") -> None: ...
    def release_claimed(self, channel: str, state: str, detail: str) -> int:
        """Deliveries by `channel` that are claimed are in that state now; how many."""
        ...

    def delivery_counts(self) -> dict[tuple[str, str], int]:
        """How many deliveries there are by (channel, state)."""
        ...

    def event_counts(self) -> dict[str, int]:
        """How many events there are by kind."""
        ...

    def raise_alarm(self, code: str, text: str) -> bool:
        """Whether the alarm is new; an alarm that is up already keeps its time, its text is refreshed. With a new one
        its event (app.core.notices.told_when_raised) is stored, both or neither."""
        ...

    def clear_alarm(self, code: str) -> AlarmRecord | None:
        """The alarm that was up and no longer is, or None. Its event is stored with it, as when it was raised."""
        ...

    def alarms(self) -> list[AlarmRecord]: ...
    def add_activity(self, actor: Actor, action: str, outcome: str, detail: Json) -> Entry:
        """The entry is in this node's journal, linked to the one before it."""
        ...

    def activity(self, wanted: Filter = EVERYTHING, *, before: int | None = None, limit: int = 50) -> Page[Entry]:
        """Newest first by time; `before` is the `next` of the page before. A page may end before it is full where
        many entries had to be looked at.

        Raises NotFound (code `no-such-entry`) where `before` names none.
        """
        ...

    def activity_after(self, entry: int, limit: int) -> list[Entry]:
        """The entries later than that one, oldest first. Their numbers go up and are never used again."""
        ...

    def activity_head(self) -> Head:
        """The last entry of the journal; START where there is none."""
        ...

    def skip_activity(self, number: int) -> None:
        """Entries from now on have higher numbers than that one; for a journal that was put back from a copy."""
        ...

    def activity_numbered(self) -> int:
        """The highest number that an entry ever had, also of one that is gone."""
        ...

    # history
    def add_history(self, length_s: int, point: HistoryPoint) -> None:
        """The point is kept among those of that length, in place of the one that is a whole ring older."""
        ...

    def history(self, length_s: int, since: datetime) -> list[HistoryPoint]:
        """The points of that length that began at `since` or later, oldest first."""
        ...

    # trials of the alerts
    def add_alert_test(self, channel: str, arguments: Json, actor: Actor) -> AlertTest:
        """A trial that waits for the monitor. Raises NotAllowed (code `too-many-tests`) while several wait already;
        the oldest that have ended are forgotten."""
        ...

    def claim_alert_test(self) -> AlertTest | None:
        """The oldest trial that waits, now running."""
        ...

    def finish_alert_test(self, test_id: str, state: str, result: Json) -> None: ...
    def end_interrupted_tests(self, result: Json) -> None:
        """Trials that run count as failed: the monitor that made them is gone."""
        ...

    def alert_tests(self, test_id: str | None = None) -> list[AlertTest]:
        """Those that are kept, newest first; or the one with that id."""
        ...

    # small durable notes of the monitor (near-misses, last verified, …)
    def note(self, key: str) -> Json | None: ...
    def save_note(self, key: str, value: Json) -> None: ...
    def change_note(self, key: str, change: Callable[[Json], Json]) -> Json:
        """`change` applied to the note (empty where there is none) in one exclusive transaction, and stored."""
        ...

    def keep_room(self) -> None:
        """Disk space is set aside inside the store, so that its writes go on for a while when the disk is full. What
        was set aside before is used again: calling it at each start costs no more space."""
        ...
