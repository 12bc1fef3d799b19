"""Starting jobs: what the API, the command line and the monitor call."""

from __future__ import annotations

from app.core import plans
from app.core.checks import Check
from app.core.errors import HapairError, LocalFailure, NotAllowed
from app.core.messages import failure
from app.ports import Actor, JobRecord, Json, Node, StepRecord
from jobs.runner import is_as_it_was_left

ENDED = frozenset({"succeeded", "failed", "reverted"})
POLL_S = 0.1


def start_job(node: Node, kind: str, arguments: Json, actor: Actor, *, may_wait: bool = False) -> JobRecord:
    """The job is in the journal and on its way to the worker. One that `may_wait` stays queued while Redis is down: the
    worker finds it in the journal.

    `arguments["config"]` is the configuration to apply; the stored draft where it is missing.
    Raises NotAllowed (codes `not-in-this-role`, `job-running`) and LocalFailure (code `queue-down`); the job of
    the latter stands in the journal as failed and has changed nothing.
    """
    config = node.store.config()
    role = node.store.state().role
    planned = plans.plan(kind, role)
    complete: Json = {
        "config": config.applied if config.draft is None else config.draft,
        **arguments,
        "role": role.value,
    }
    steps = [StepRecord(step.name, step.title) for step in planned]
    return _send(node, node.store.create_job(kind, complete, steps, actor), may_wait=may_wait)


def _send(node: Node, job: JobRecord, *, may_wait: bool = False) -> JobRecord:
    """The queued job is on its way to the worker, or stands as failed."""
    try:
        node.queue.enqueue(job.id)
    except LocalFailure as error:
        if may_wait:
            return job
        refuse(node, job.id, error)
        raise
    return job


def _can_go_on(node: Node, job: JobRecord) -> bool:
    """Whether the job was left after its point of no return, and nothing has changed who this server is since."""
    unfinished = plans.only_unfinished(job.kind, {step.name: step.state for step in job.steps})
    return job.state == "failed" and unfinished and is_as_it_was_left(node, job)


def retry_job(node: Node, actor: Actor) -> JobRecord:
    """The last job that changes something, if it did not succeed, is started again with the same arguments. One that
    failed after its point of no return goes on where it stopped.

    Raises NotAllowed (code `nothing-to-retry`) where it did succeed or there is none.
    """
    for job in node.store.jobs():
        if job.kind == plans.PREFLIGHT:
            continue
        if job.state not in {"failed", "reverted"}:
            break
        if _can_go_on(node, job):
            return _send(node, node.store.update_job(job.id, state="queued", message="", error=None, ended_at=None))
        return start_job(node, job.kind, {k: v for k, v in job.arguments.items() if k != "role"}, actor)
    raise NotAllowed(
        "nothing-to-retry",
        "Nothing To Retry",
        detail="The last job did not fail.",
        hint="Look at the list of jobs.",
    )


def dry_run(node: Node, actor: Actor, timeout_s: float, config: Json | None = None) -> list[Check]:
    """The checks that APPLY would make first, made by the worker, which alone may use the keys; nothing is changed.

    Raises what start_job raises, the error that ended the checks, or LocalFailure (code `worker-silent`).
    """
    arguments: Json = {} if config is None else {"config": config}
    job = start_job(node, plans.PREFLIGHT, arguments, actor)
    deadline = node.clock.monotonic() + timeout_s
    while node.clock.monotonic() < deadline:
        found = node.store.job(job.id)
        if found is not None and found.state in ENDED:
            if found.state != "succeeded":
                error = found.error or {}
                raise NotAllowed(
                    error.get("code", "preflight-failed"),
                    error.get("title", "The Checks Could Not Be Made"),
                    detail=error.get("detail", ""),
                    hint=error.get("hint", ""),
                )
            return [Check(**check) for check in found.memory["checks"]]
        node.clock.sleep(POLL_S)
    raise LocalFailure(
        "worker-silent",
        "The Worker Does Not Answer",
        detail=f"The checks were not made within {timeout_s:g} s.",
        hint="Look at the list of jobs, and whether the service hapair-worker runs.",
    )


def refuse(node: Node, job_id: str, error: HapairError) -> None:
    """The job stands as failed before it began."""
    node.store.update_job(
        job_id,
        state="failed",
        message=failure(error),
        ended_at=node.clock.now(),
        error={"code": error.code, "title": error.title, "detail": error.detail, "hint": error.hint},
    )
