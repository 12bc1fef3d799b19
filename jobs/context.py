"""What a step is given to work with, and what a step is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from app.core.errors import LocalFailure
from app.core.plans import PREFLIGHT
from app.core.state import NodeState, Operation
from app.ports import JobRecord, Json, Node
from jobs.asking import AskingPeer

log = logging.getLogger(__name__)
T = TypeVar("T")

OPERATION_BOUND_S = 120.0
"""An announced operation counts for this long after it was last renewed: a dead worker's announcement ends."""
RENEW_AFTER_S = 30.0
JOURNAL_EVERY_S = 0.25
"""Progress reaches the disk at most this often: each write of the journal is an fsync."""


class CanNotUndo(LocalFailure):
    """What was done stays done: trying to undo it again would change nothing."""


class Step(Protocol):
    """One step of a job. Each act may be repeated after a crash at any point of it, with the same end."""

    name: str

    def is_done(self, context: Context) -> bool:
        """Whether the act has visibly happened. Asked only for a step that was begun and not finished."""
        ...

    def do(self, context: Context) -> None: ...
    def undo(self, context: Context) -> None:
        """The state before `do`, also where `do` was broken off. Never called once the plan's final step is done."""
        ...


class BaseStep:
    """A step that changes nothing: the parts that most steps share."""

    name = ""

    def is_done(self, context: Context) -> bool:  # noqa: ARG002
        return False

    def do(self, context: Context) -> None:
        raise NotImplementedError(self.name)

    def undo(self, context: Context) -> None:
        """Nothing was changed."""


class Context:
    """The node, the job and its memory, for the steps of one run."""

    def __init__(self, node: Node, job: JobRecord) -> None:
        self.asking = AskingPeer(node.peer, job.actor, job.id)
        self.node = replace(node, peer=self.asking)
        self.job_id = job.id
        self.kind = job.kind
        self.arguments: Json = job.arguments
        self.actor = job.actor
        self.memory: Json = dict(job.memory)
        self.step_name = ""
        self.skipped: str | None = None
        """Set by a step that had nothing to do: why."""
        self._renewed_at: float | None = None
        self._journaled_at: float | None = None

    def remember(self, **values: Any) -> None:
        """The values are in the job's durable memory; do this before they are relied on."""
        self.memory.update(values)
        self.node.store.update_job(self.job_id, memory=self.memory)

    def recall(self, name: str) -> Any:
        """A remembered value. Raises LocalFailure (code `job-memory`) where an earlier step has not left it."""
        if name not in self.memory:
            raise LocalFailure(
                "job-memory",
                "The Job's Memory Is Incomplete",
                detail=f"The step {self.step_name} needs `{name}`, which no earlier step has left.",
                hint="Start the job again.",
            )
        return self.memory[name]

    @property
    def draft(self) -> Json:
        """The configuration that this job applies."""
        config: Json = self.arguments.get("config") or {}
        return config

    def progress(self, done: int, total: int | None = None, detail: str = "") -> None:
        """How far the step is, for those who watch; also renews the announcement that an operation is under way."""
        now = self.node.clock.monotonic()
        if self._journaled_at is None or now - self._journaled_at >= JOURNAL_EVERY_S or done == total:
            self._journaled_at = now
            self.node.store.update_step(self.job_id, self.step_name, done=done, total=total, detail=detail)
        if self._renewed_at is None or now - self._renewed_at >= RENEW_AFTER_S:
            self.announce()

    def begin_step(self, name: str) -> None:
        self.step_name = name
        self.skipped = None
        self._journaled_at = None
        self.announce()

    def announce(self) -> None:
        """No failover starts by itself on this node while the job runs and keeps renewing this.

        A dry run announces nothing: a server that dies during one must not be taken for one that is being worked on.
        """
        if self.kind == PREFLIGHT:
            return
        self._renewed_at = self.node.clock.monotonic()
        until = self.node.clock.now() + timedelta(seconds=OPERATION_BOUND_S)
        operation = Operation(self.job_id, self.kind, until)
        self.node.store.change_state(lambda state: replace(state, operation=operation))

    def end_operation(self) -> None:
        """The announcement of this job is withdrawn; another one's is left."""
        job_id = self.job_id

        def without(state: NodeState) -> NodeState:
            ours = state.operation is not None and state.operation.job_id == job_id
            return replace(state, operation=None) if ours else state

        self.node.store.change_state(without)

    def wait(self, check: Callable[[], T | None], timeout_s: float, every_s: float, error: LocalFailure) -> T:
        """The first value that is not None. Raises `error` after `timeout_s`."""
        deadline = self.node.clock.monotonic() + timeout_s
        while True:
            value = check()
            if value is not None:
                return value
            if self.node.clock.monotonic() >= deadline:
                raise error
            self.node.clock.sleep(every_s)
