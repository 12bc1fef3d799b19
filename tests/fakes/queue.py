"""A queue that keeps the numbers it was given, or is down."""

from __future__ import annotations

from app.core.errors import LocalFailure


class FakeQueue:
    """app.ports.Queue."""

    def __init__(self) -> None:
        self.jobs: list[str] = []
        self.down = False

    def enqueue(self, job_id: str) -> None:
        if self.down:
            raise LocalFailure("queue-down", "The Job Queue Is Down")
        if job_id not in self.jobs:
            self.jobs.append(job_id)
