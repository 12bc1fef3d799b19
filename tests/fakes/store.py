"""The node store in memory, for tests of everything that uses it."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from app.core.activity import Entry, storable
from app.core.activity_chain import START, Head, link
from app.core.activity_filter import EVERYTHING, Filter, Page
from app.core.config import rebased
from app.core.errors import LocalFailure, NotAllowed, NotFound, Stale
from app.core.history import HistoryPoint, slot_of
from app.core.state import NodeState
from app.ports import (
    Actor,
    ConfigRecord,
    JobRecord,
    Json,
    StepRecord,
)
from tests.fakes.activity import page_of
from tests.fakes.events import FakeEvents

ACTIVE = ("queued", "running")
JOB_CHANGES = {"state", "message", "error", "memory", "started_at", "ended_at"}
STEP_CHANGES = {"state", "done", "total", "detail", "started_at", "ended_at"}


class FakeNodeStore(FakeEvents):
    """Passes tests/contract/test_store.py like the real one; forgets everything with its process."""

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), node_name: str = "alpha", node_id: str = "node-a"
    ) -> None:
        super().__init__(now, node_name)
        self._state = NodeState(node_id=node_id)
        self._config = ConfigRecord({"HAServerRole": "standalone"}, None, 1, None, None, None)
        self._keys: dict[str, str | None] = {}
        self._history: dict[tuple[int, int], HistoryPoint] = {}
        self._jobs: dict[str, JobRecord] = {}
        self._job_numbers = itertools.count(1)
        self._activity: list[Entry] = []
        self._numbered = 0
        self._notes: dict[str, Json] = {}

    # who this node is
    def state(self) -> NodeState:
        return self._state

    def change_state(self, change: Callable[[NodeState], NodeState]) -> NodeState:
        with self._lock:
            after = change(self._state)
            if after.term < self._state.term:
                raise LocalFailure("term-went-back", "The Term May Not Go Back")
            self._state = after
            return after

    # configuration
    def config(self) -> ConfigRecord:
        return copy.deepcopy(self._config)

    def _change_config(self, **changes: Any) -> ConfigRecord:
        self._config = dataclasses.replace(self._config, **copy.deepcopy(changes))
        return self.config()

    def save_draft(self, draft: Json | None, expected_version: int | None, actor: Actor) -> ConfigRecord:
        with self._lock:
            if expected_version not in (None, self._config.version):
                raise Stale("stale-draft", "The Draft", self._config.saved_by or "hapair")
            return self._change_config(
                draft=draft, version=self._config.version + 1, failed=None, saved_by=actor.name, saved_at=self._now()
            )

    def save_applied(self, applied: Json, *, keep_draft: bool = False) -> ConfigRecord:
        with self._lock:
            known = self._config
            draft = rebased(known.draft, known.applied, applied) if keep_draft and known.draft is not None else None
            failed = known.failed if draft is not None else None
            return self._change_config(applied=applied, version=known.version + 1, draft=draft, failed=failed)

    def draft_failed(self, message: str | None) -> None:
        self._change_config(failed=message)

    def save_pairing_key(self, fingerprint: str, private_key: str) -> None:
        with self._lock:
            self._keys = {name: key for name, key in self._keys.items() if key is None}
            self._keys[fingerprint] = private_key

    def pairing_key(self, fingerprint: str) -> str | None:
        return self._keys.get(fingerprint)

    def retire_pairing_key(self, fingerprint: str) -> None:
        self._keys[fingerprint] = None

    def pairing_key_retired(self, fingerprint: str) -> bool:
        return fingerprint in self._keys and self._keys[fingerprint] is None

    # jobs
    def create_job(self, kind: str, arguments: Json, steps: Sequence[StepRecord], actor: Actor) -> JobRecord:
        with self._lock:
            self._refuse_second_job()
            job_id = f"job-{next(self._job_numbers):06d}"
            self._jobs[job_id] = JobRecord(
                job_id, kind, "queued", copy.deepcopy(arguments), tuple(steps), "", actor.name, self._now()
            )
            return self._jobs[job_id]

    def _refuse_second_job(self, besides: str | None = None) -> None:
        active = self.active_job()
        if active is not None and active.id != besides:
            raise NotAllowed("job-running", "Another Job Is Running", detail=f"{active.kind} is {active.state}.")

    def job(self, job_id: str) -> JobRecord | None:
        return copy.deepcopy(self._jobs.get(job_id))

    def jobs(self, *, before: str | None = None, limit: int = 50) -> list[JobRecord]:
        newest_first = sorted(self._jobs.values(), key=lambda job: job.id, reverse=True)
        return copy.deepcopy([job for job in newest_first if before is None or job.id < before][:limit])

    def job_times(self) -> dict[tuple[str, str], tuple[int, float]]:
        found: dict[tuple[str, str], tuple[int, float]] = {}
        for job in self._jobs.values():
            if job.started_at is not None and job.ended_at is not None:
                count, seconds = found.get((job.kind, job.state), (0, 0.0))
                seconds += (job.ended_at - job.started_at).total_seconds()
                found[job.kind, job.state] = (count + 1, seconds)
        return found

    def active_job(self) -> JobRecord | None:
        return copy.deepcopy(next((job for job in self._jobs.values() if job.state in ACTIVE), None))

    def update_job(self, job_id: str, **changes: Any) -> JobRecord:
        with self._lock:
            if set(changes) - JOB_CHANGES:
                raise TypeError(f"can't be changed: {set(changes) - JOB_CHANGES}")
            if changes.get("state") in ACTIVE:
                self._refuse_second_job(besides=job_id)
            if job_id not in self._jobs:
                raise NotFound("no-such-job", "No Such Job")
            self._jobs[job_id] = dataclasses.replace(self._jobs[job_id], **copy.deepcopy(changes))
            return copy.deepcopy(self._jobs[job_id])

    def update_step(self, job_id: str, name: str, **changes: Any) -> None:
        with self._lock:
            if set(changes) - STEP_CHANGES:
                raise TypeError(f"can't be changed: {set(changes) - STEP_CHANGES}")
            job = self._jobs.get(job_id)
            if job is None or name not in [step.name for step in job.steps]:
                raise NotFound("no-such-step", "No Such Step")
            steps = tuple(dataclasses.replace(each, **changes) if each.name == name else each for each in job.steps)
            self._jobs[job_id] = dataclasses.replace(job, steps=steps)

    # activity
    def add_activity(self, actor: Actor, action: str, outcome: str, detail: Json) -> Entry:
        with self._lock:
            number = self.activity_numbered() + 1
            given = Entry(
                self._state.node_id, number, self._now(), self._node_name, actor.name, actor.address, action, outcome,
                copy.deepcopy(detail), number,
            )  # fmt: skip
            entry = storable(given)
            kept = dataclasses.replace(entry, chain=link(self.activity_head().chain, entry))
            self._activity.append(kept)
            return kept

    def activity(self, wanted: Filter = EVERYTHING, *, before: int | None = None, limit: int = 50) -> Page[Entry]:
        return page_of(self._activity, wanted, before, limit)

    def activity_after(self, entry: int, limit: int) -> list[Entry]:
        return copy.deepcopy([record for record in self._activity if record.id > entry][:limit])

    def activity_head(self) -> Head:
        return Head(self._activity[-1].id, self._activity[-1].chain) if self._activity else START

    def skip_activity(self, number: int) -> None:
        self._numbered = max(self._numbered, number)

    def activity_numbered(self) -> int:
        return max(self.activity_head().entry, self._numbered)

    # history
    def add_history(self, length_s: int, point: HistoryPoint) -> None:
        self._history[length_s, slot_of(point.at, length_s)] = point

    def history(self, length_s: int, since: datetime) -> list[HistoryPoint]:
        found = [point for (length, _), point in self._history.items() if length == length_s and point.at >= since]
        return sorted(found, key=lambda point: point.at)

    # small durable notes
    def note(self, key: str) -> Json | None:
        return copy.deepcopy(self._notes.get(key))

    def keep_room(self) -> None:
        """Memory needs no room set aside."""

    def save_note(self, key: str, value: Json) -> None:
        self.change_note(key, lambda _: value)

    def change_note(self, key: str, change: Callable[[Json], Json]) -> Json:
        with self._lock:
            value = change(self.note(key) or {})
            self._notes[key] = copy.deepcopy(value)
            return value
