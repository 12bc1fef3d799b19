"""Running a job by its journal: forward, or back, also after the worker was killed at any moment.

The journal is written before and after each step. The rule for an interrupted job: when the plan's final step has
happened, the rest is finished; else everything that was done is undone. So both servers end with the old
configuration or with the new one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from app.core import messages, plans
from app.core.errors import HapairError, LocalFailure
from app.core.roles import Role
from app.ports import Actor, JobRecord, Json, Node, StepRecord
from jobs.context import CanNotUndo, Context, Step
from jobs.steps import registry

log = logging.getLogger(__name__)

FORWARD_TRIES = 10
"""Steps after the point of no return are tried this often before the job is left for RETRY."""
UNDO_TRIES = 8
LATER_EVERY = timedelta(seconds=30)
"""A job that was left unfinished, because the other server was away for long, is tried again after this time."""
LATER_BOUND = timedelta(days=1)
"""After this time it is left for RETRY alone."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
LEFT = "left"
"""In a failed job's memory: the role and the term that it has left."""
FINISHED_STEPS = frozenset({"done", "skipped"})
TOUCHED_STEPS = frozenset({"running", "done", "failed", "undoing"})


class InterruptedJobError(LocalFailure):
    """The worker was ended while a job ran."""

    def __init__(self) -> None:
        super().__init__(
            "job-interrupted",
            "The Job Was Interrupted",
            detail="The worker ended while the job ran; what had been done was undone.",
            hint="Press RETRY to start it again.",
        )


def run(node: Node, job_id: str) -> JobRecord | None:
    """The job has ended, one way or the other. A job that has ended before, or does not exist, is left alone.

    Any exception that is not ours (RQ's time-out among them) is raised again after the job was brought to an end.
    """
    job = node.store.job(job_id)
    if job is None or job.state not in {"queued", "running"}:
        return job
    if job.state == "running":
        return _recover(node, job)
    node.store.update_job(job_id, state="running", started_at=node.clock.now())
    return _forward(Context(node, job), job.steps)


def recover(node: Node) -> JobRecord | None:
    """The job that a dead worker left running, if any, is finished or reverted."""
    job = node.store.active_job()
    if job is None or job.state != "running":
        return None
    log.warning("the job %s (%s) was interrupted", job.id, job.kind)
    return _recover(node, job)


def finish_later(node: Node) -> JobRecord | None:
    """The newest job, if it was left half done because the other server was away, is finished or reverted now.

    One try for each step: the worker looks again and again, and other jobs must not wait for it long.
    """
    job = next((each for each in node.store.jobs() if each.kind != plans.PREFLIGHT), None)
    if job is None or job.state != "failed" or job.ended_at is None or not is_as_it_was_left(node, job):
        return None
    now = node.clock.now()
    if now - job.ended_at < LATER_EVERY or now - job.created_at > LATER_BOUND:
        return None
    forward = plans.only_unfinished(job.kind, {step.name: step.state for step in job.steps})
    if not forward and not any(step.state == "undoing" for step in job.steps):
        return None
    log.info("the job %s (%s) was left half done and is tried again", job.id, job.kind)
    node.store.update_job(job.id, state="running", **({"error": None} if forward else {}))
    context = Context(node, job)
    if forward:
        return _forward(context, job.steps, tries=1)
    return _revert(context, job.steps, _from_json(job.error or {}), tries=1)


def is_as_it_was_left(node: Node, job: JobRecord) -> bool:
    """Whether role and term are still those that the unfinished job has left: else its steps are of another time."""
    return job.memory.get(LEFT) == _standing(node)


def _standing(node: Node) -> Json:
    state = node.store.state()
    return {"role": state.role.value, "term": state.term}


def _recover(node: Node, job: JobRecord) -> JobRecord:
    context = Context(node, job)
    going_back = job.error is not None or any(step.state in {"undoing", "undone"} for step in job.steps)
    try:
        if not going_back and _past_return(context, job.steps):
            return _forward(context, job.steps)
    except HapairError as error:
        return _revert(context, job.steps, error)
    return _revert(context, job.steps, InterruptedJobError())


def _forward(context: Context, steps: Sequence[StepRecord], tries: int = FORWARD_TRIES) -> JobRecord:
    past_return = False
    try:
        for record in steps:
            past_return = past_return or _past_return(context, _current(context))
            if record.state not in FINISHED_STEPS:
                _perform(context, record, tries if past_return else 1)
    except Exception as error:
        ended = _end_badly(context, error)
        if not isinstance(error, HapairError):
            raise
        return ended
    context.end_operation()
    role = Role(context.arguments.get("role", Role.STANDALONE))
    return _finish(context, "succeeded", messages.success(context.kind, role))


def _perform(context: Context, record: StepRecord, tries: int) -> None:
    """The step is done and the journal says so. Raises what the last try raised."""
    store = context.node.store
    step = registry.step(record.name)
    context.begin_step(record.name)
    final = plans.is_final(context.kind, record.name)
    # The final step is carried out again even where it has happened: its fact is durable before its consequences.
    skip = record.state != "pending" and not final and step.is_done(context)
    store.update_step(context.job_id, record.name, state="running", started_at=context.node.clock.now())
    if not skip:
        _try(context, step, tries, final=final)
    detail = context.skipped
    state = "done" if detail is None else "skipped"
    changes = {} if detail is None else {"detail": detail}
    store.update_step(context.job_id, record.name, state=state, ended_at=context.node.clock.now(), **changes)


def _try(context: Context, step: Step, tries: int, *, final: bool) -> None:
    """The step is done. A final step that has failed after its fact became durable is tried again, for it only goes
    forward from there."""
    pause = FIRST_PAUSE_S
    for attempt in range(1, FORWARD_TRIES + 1):
        try:
            step.do(context)
        except HapairError as error:
            if attempt >= tries and not (final and attempt < FORWARD_TRIES and step.is_done(context)):
                raise
            log.warning("%s failed (try %d): %s", step.name, attempt, error)
            context.node.clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        else:
            return


def _past_return(context: Context, steps: Sequence[StepRecord]) -> bool:
    for record in steps:
        if plans.is_final(context.kind, record.name):
            if record.state in FINISHED_STEPS:
                return True
            if record.state in {"running", "failed"}:
                context.step_name = record.name
                done: bool = registry.step(record.name).is_done(context)
                return done
    return False


def _end_badly(context: Context, error: Exception) -> JobRecord:
    """The failed step is marked; the job is reverted, or left for RETRY where it can only go forward."""
    ours = error if isinstance(error, HapairError) else _unexpected(error)
    log.error("the job %s (%s) failed at %s: %s", context.job_id, context.kind, context.step_name, error)
    context.node.store.update_step(
        context.job_id, context.step_name, state="failed", detail=ours.detail, ended_at=context.node.clock.now()
    )
    steps = _current(context)
    try:
        past_return = _past_return(context, steps)
    except HapairError as doubt:
        # The step itself can't find out how it ended: its undo knows how to wait for the answer.
        log.warning("how %s ended is not known: %s", context.step_name, doubt)
        past_return = False
    if past_return:
        context.end_operation()
        return _fail(context, "failed", ours)
    return _revert(context, steps, ours)


def _revert(context: Context, steps: Sequence[StepRecord], error: HapairError, tries: int = UNDO_TRIES) -> JobRecord:
    """What was done is undone, last first; the draft stays, marked as failed.

    A step whose undoing has failed, and may succeed later, stays `undoing`."""
    store = context.node.store
    store.update_job(context.job_id, error=_as_json(error))
    complete = True
    for record in reversed(steps):
        if record.state not in TOUCHED_STEPS:
            continue
        context.begin_step(record.name)
        store.update_step(context.job_id, record.name, state="undoing")
        state = _undo(context, registry.step(record.name), tries)
        store.update_step(context.job_id, record.name, state=state)
        complete = complete and state == "undone"
    context.end_operation()
    return _fail(context, "reverted" if complete else "failed", error)


def _undo(context: Context, step: Step, tries: int) -> str:
    """The state of the step afterwards."""
    pause = FIRST_PAUSE_S
    for attempt in range(1, tries + 1):
        try:
            step.undo(context)
        except CanNotUndo as error:
            log.warning("%s stays done: %s", step.name, error)
            return "failed"
        except HapairError as error:
            log.warning("undoing %s failed (try %d of %d): %s", step.name, attempt, tries, error)
            if attempt < tries:
                context.node.clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        else:
            return "undone"
    return "undoing"


def _fail(context: Context, state: str, error: HapairError) -> JobRecord:
    message = messages.failure(error)
    context.remember(**{LEFT: _standing(context.node)})
    if context.kind != plans.PREFLIGHT and context.node.store.config().draft is not None:
        context.node.store.draft_failed(message)
    return _finish(context, state, message, error=_as_json(error))


def _finish(context: Context, state: str, message: str, **changes: Json) -> JobRecord:
    log.info("the job %s (%s) %s: %s", context.job_id, context.kind, state, message)
    ended = context.node.store.update_job(
        context.job_id, state=state, message=message, ended_at=context.node.clock.now(), **changes
    )
    if context.kind != plans.PREFLIGHT:
        _note_end(context.node, ended)
    return ended


def _note_end(node: Node, job: JobRecord) -> None:
    """How the job ended stands in the activity log, under the name of whoever started it."""
    outcome = "done" if job.state == "succeeded" else "failed"
    detail = {"kind": job.kind, "job": job.id, "state": job.state, "message": job.message}
    try:
        node.store.add_activity(Actor(job.actor), f"job:{job.kind}", outcome, detail)
    except LocalFailure as error:
        log.warning("the end of the job %s could not be noted: %s", job.id, error)


def _current(context: Context) -> tuple[StepRecord, ...]:
    job = context.node.store.job(context.job_id)
    return () if job is None else job.steps


def _unexpected(error: Exception) -> LocalFailure:
    return LocalFailure(
        "job-broken",
        "The Job Broke Off",
        detail=f"{type(error).__name__}: {error}",
        hint="What had been done was undone. The log of hapair-worker says where it broke off.",
    )


def _as_json(error: HapairError) -> Json:
    code = "communication-error" if messages.is_communication_error(error) else error.code
    title = messages.COMMUNICATION_ERROR if messages.is_communication_error(error) else error.title
    return {"code": code, "title": title, "detail": error.detail, "hint": error.hint, "cause": error.code}


def _from_json(error: Json) -> HapairError:
    code, title = str(error.get("cause") or "job-broken"), str(error.get("title") or "The Job Failed")
    return LocalFailure(code, title, detail=str(error.get("detail") or ""), hint=str(error.get("hint") or ""))
