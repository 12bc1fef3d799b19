"""The journal of jobs: the truth about them; the queue is transport only."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from app.adapters.store.connections import Connections
from app.core.errors import NotAllowed, NotFound
from app.models.node import JobRow, StepRow
from app.ports import Actor, Clock, JobRecord, Json, StepRecord

ACTIVE = ("queued", "running")
JOB_CHANGES = frozenset({"state", "message", "error", "memory", "started_at", "ended_at"})
STEP_CHANGES = frozenset({"state", "done", "total", "detail", "started_at", "ended_at"})
STEP_NAMES = tuple(each.name for each in fields(StepRecord))


def new_job_id(now: datetime) -> str:
    """An identifier that sorts by time: milliseconds in hexadecimal, then 32 random bits."""
    return f"{int(now.timestamp() * 1000):012x}-{secrets.token_hex(4)}"


class JobTables:
    _connections: Connections
    _clock: Clock

    def create_job(self, kind: str, arguments: Json, steps: Sequence[StepRecord], actor: Actor) -> JobRecord:
        now = self._clock.now()
        with self._connections.writing() as connection:
            refuse_second_job(_active(connection))
            job_id = new_job_id(now)
            connection.execute(
                insert(JobRow).values(
                    id=job_id, kind=kind, state="queued", arguments=arguments, message="", actor=actor.name,
                    created_at=now, memory={},
                )
            )  # fmt: skip
            for position, step in enumerate(steps):
                values = {name: getattr(step, name) for name in STEP_NAMES}
                connection.execute(insert(StepRow).values(job_id=job_id, position=position, **values))
            return _required(connection, job_id)

    def job(self, job_id: str) -> JobRecord | None:
        with self._connections.reading_together() as connection:
            return _job(connection, job_id)

    def jobs(self, *, before: str | None = None, limit: int = 50) -> list[JobRecord]:
        query = select(JobRow.__table__).order_by(JobRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(JobRow.id < before)
        with self._connections.reading_together() as connection:
            return [_with_steps(connection, row) for row in connection.execute(query).mappings().all()]

    def job_times(self) -> dict[tuple[str, str], tuple[int, float]]:
        query = select(JobRow.kind, JobRow.state, JobRow.started_at, JobRow.ended_at)
        found: dict[tuple[str, str], tuple[int, float]] = {}
        with self._connections.reading() as connection:
            for kind, state, started_at, ended_at in connection.execute(query):
                if started_at is None or ended_at is None:
                    continue
                count, seconds = found.get((kind, state), (0, 0.0))
                found[kind, state] = (count + 1, seconds + (ended_at - started_at).total_seconds())
        return found

    def active_job(self) -> JobRecord | None:
        # A copy: a job's arguments and memory are the caller's own.
        return copy.deepcopy(self._connections.unchanged("active-job", self._load_active))

    def _load_active(self) -> JobRecord | None:
        with self._connections.reading_together() as connection:
            return _active(connection)

    def update_job(self, job_id: str, **changes: Any) -> JobRecord:
        _check_names(changes, JOB_CHANGES)
        with self._connections.writing() as connection:
            if changes.get("state") in ACTIVE:
                other = _active(connection)
                if other is not None and other.id != job_id:
                    refuse_second_job(other)
            if changes:
                connection.execute(update(JobRow).where(JobRow.id == job_id).values(changes))
            return _required(connection, job_id)

    def update_step(self, job_id: str, name: str, **changes: Any) -> None:
        _check_names(changes, STEP_CHANGES)
        if not changes:
            return
        with self._connections.writing() as connection:
            done = connection.execute(
                update(StepRow).where(StepRow.job_id == job_id, StepRow.name == name).values(changes)
            )
            if not done.rowcount:
                raise NotFound("no-such-step", "No Such Step", detail=f"Job {job_id} has no step {name}.")


def refuse_second_job(active: JobRecord | None) -> None:
    if active is not None:
        raise NotAllowed(
            "job-running",
            "Another Job Is Running",
            detail=f"The job {active.kind} ({active.id}) is {active.state}.",
            hint="Wait until it has ended, then try again.",
        )


def _check_names(changes: dict[str, Any], allowed: frozenset[str]) -> None:
    unknown = set(changes) - allowed
    if unknown:
        raise TypeError(f"can't be changed: {', '.join(sorted(unknown))}")


def _active(connection: Connection) -> JobRecord | None:
    query = select(JobRow.__table__).where(JobRow.state.in_(ACTIVE)).order_by(JobRow.id).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _with_steps(connection, row)


def _job(connection: Connection, job_id: str) -> JobRecord | None:
    row = connection.execute(select(JobRow.__table__).where(JobRow.id == job_id)).mappings().first()
    return None if row is None else _with_steps(connection, row)


def _required(connection: Connection, job_id: str) -> JobRecord:
    job = _job(connection, job_id)
    if job is None:
        raise NotFound("no-such-job", "No Such Job", detail=f"There is no job {job_id}.")
    return job


def _with_steps(connection: Connection, row: RowMapping) -> JobRecord:
    query = select(*(getattr(StepRow, name) for name in STEP_NAMES)).where(StepRow.job_id == row["id"])
    steps = connection.execute(query.order_by(StepRow.position)).mappings()
    return JobRecord(**row, steps=tuple(StepRecord(**each) for each in steps))
