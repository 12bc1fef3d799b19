"""A job that is broken off at any step ends with the old configuration or the new one on both servers.

What goes wrong is the worker, a monitor, a database, the power of either server or the link between them: at the
borders of each step of each plan, and for the worker at every call that a job makes. `python -m tests.crashes --fakes`
tries all of it at every call. Beside that each step is made to fail, and the other server to stay away for long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.core import plans
from app.core.acts import Cause
from app.core.errors import LocalFailure
from app.core.roles import Change
from app.ports import Json
from jobs import runner
from jobs.context import Context, Step
from jobs.start import start_job
from jobs.steps import promotion, registry
from tests.crashes import page, results
from tests.crashes.matrix import JOBS, KILLS, POINTS, Combination, Job, Kill
from tests.crashes.with_fakes import (
    ONE_WAY,
    all_is_back,
    attempt_all,
    attempt_at,
    comparable,
    monitors,
    prepare,
    undisturbed,
    without_marks,
)
from tests.unit.pair_world import ADMIN, Killed, Server, World

STEPS = [(job, name) for job in JOBS for name in job.steps]
IDS = [f"{job.name}-{name}" for job, name in STEPS]
SETUP_SECONDARY = next(job for job in JOBS if job.kind == Change.SETUP_SECONDARY)


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.name)
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_whatever_goes_wrong_at_a_step_both_servers_hold_the_old_configuration_or_the_new_one(
    job: Job, kill: Kill
) -> None:
    tried = {(step, point): attempt_at(Combination(job, step, point, kill)) for step in job.steps for point in POINTS}
    assert [f"{step} {point}: {outcome}" for (step, point), outcome in tried.items() if not outcome.held] == []
    assert not any(outcome.retried for outcome in tried.values()), "nobody had to press RETRY"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_worker_killed_at_any_call_of_a_job_leaves_what_the_next_one_finishes_or_reverts(job: Job) -> None:
    tried = list(attempt_all(job, KILLS[0]))
    assert [f"{step} call {call + 1}: {outcome}" for step, call, outcome in tried if not outcome.held] == []
    assert len(tried) >= len(job.steps)


def test_the_page_shows_every_combination_of_the_plans_and_what_came_of_it() -> None:
    written = page.PAGE.read_text(encoding="utf-8")
    assert page.render(results.read(results.KEPT)) == written, "run `python -m tests.crashes --page`"


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException, *, after: bool) -> Iterator[None]:
    """The step raises once, before it has done anything or right after it has done all."""
    step: Step = registry.step(name)
    original = step.do
    raised = False

    def do(context: Context) -> None:
        nonlocal raised
        if after:
            original(context)
        if not raised:
            raised = True
            raise error
        if not after:
            original(context)

    with monkeypatch.context() as patch:
        patch.setattr(step, "do", do)
        yield


def _before(job: Job) -> tuple[World, Server, Json]:
    world, server = prepare(job)
    return world, server, comparable(world)


@pytest.mark.parametrize(("job", "name"), STEPS, ids=IDS)
def test_a_job_whose_step_fails_is_reverted_or_goes_forward(
    monkeypatch: pytest.MonkeyPatch, job: Job, name: str
) -> None:
    world, server, old = _before(job)
    job_id = start_job(server.node, job.kind, {}, ADMIN).id
    with broken(monkeypatch, name, LocalFailure("disk-full", "The Disk Is Full"), after=True):
        ended = runner.run(server.node, job_id)
    assert ended is not None
    assert ended.state in {"succeeded", "reverted"}, ended
    monitors(world)
    seen = comparable(world)
    if ended.state == "succeeded":
        assert seen == undisturbed(job)
        return
    assert ended.error is not None
    assert ended.error["code"] == "disk-full"
    if job.kind not in ONE_WAY:
        assert without_marks(seen) == without_marks(old)


@pytest.mark.parametrize(("job", "name"), STEPS, ids=IDS)
def test_after_a_failed_step_the_same_job_succeeds(monkeypatch: pytest.MonkeyPatch, job: Job, name: str) -> None:
    world, server, _ = _before(job)
    job_id = start_job(server.node, job.kind, {}, ADMIN).id
    with broken(monkeypatch, name, LocalFailure("disk-full", "The Disk Is Full"), after=False):
        ended = runner.run(server.node, job_id)
    assert ended is not None
    if ended.state != "succeeded":
        world.welcome()
        assert server.apply(job.kind).state == "succeeded"
    monitors(world)
    assert comparable(world) == undisturbed(job)


def test_a_worker_killed_while_it_reverts_goes_on_reverting(monkeypatch: pytest.MonkeyPatch) -> None:
    job = SETUP_SECONDARY
    world, server, old = _before(job)
    job_id = start_job(server.node, job.kind, {}, ADMIN).id
    step = registry.step("switch-database")
    original = step.undo
    with monkeypatch.context() as patch, broken(patch, "catch-up", LocalFailure("x", "X"), after=False):

        def killed(context: Context) -> None:
            original(context)
            raise Killed

        patch.setattr(step, "undo", killed)
        with pytest.raises(Killed):
            runner.run(server.node, job_id)
    ended = runner.recover(server.node)
    assert ended is not None
    assert ended.state == "reverted"
    assert without_marks(comparable(world)) == without_marks(old)


def test_an_error_that_is_not_ours_ends_the_job_and_is_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """RQ's time-out is such an error: it must reach RQ, and the job must not stay half done."""
    world, server, old = _before(SETUP_SECONDARY)
    job_id = start_job(server.node, Change.SETUP_SECONDARY, {}, ADMIN).id
    with broken(monkeypatch, "copy-files", TimeoutError("RQ's"), after=False), pytest.raises(TimeoutError):
        runner.run(server.node, job_id)
    ended = server.store.job(job_id)
    assert ended is not None
    assert ended.state == "reverted"
    assert without_marks(comparable(world)) == without_marks(old)


def test_every_planned_step_exists_and_every_step_is_planned() -> None:
    assert registry.names() == plans.all_step_names()


def test_a_job_that_only_lacks_what_follows_finishes_by_itself_when_the_other_server_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A swap whose new primary stays away for longer than the job tries."""
    swap = next(job for job in JOBS if job.kind == Change.SWAP)
    world, server, _ = _before(swap)
    left = _run_with_the_other_server_away_from(monkeypatch, world, server, swap, "follow-new-primary")
    assert left == "failed"
    all_is_back(world)
    assert runner.finish_later(server.node) is None, "not at once: other jobs must not wait for it all the time"
    world.clock.sleep(runner.LATER_EVERY.total_seconds())
    ended = runner.finish_later(server.node)
    assert ended is not None
    assert ended.state == "succeeded", ended
    assert without_marks(comparable(world)) == without_marks(undisturbed(swap))


def test_settings_that_the_other_server_took_are_taken_back_there_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = next(job for job in JOBS if job.name == "settings-primary")
    world, server, old = _before(settings)
    step = registry.step("send-settings")
    original = step.do
    with monkeypatch.context() as patch:

        def gone_afterwards(context: Context) -> None:
            original(context)
            world.cut()
            raise LocalFailure("disk-full", "The Disk Is Full")

        patch.setattr(step, "do", gone_afterwards)
        left = server.apply(settings.kind)
    assert left.state == "failed"
    assert world.beta.store.config().applied["HAPingIterations"] == 4
    all_is_back(world)
    world.clock.sleep(runner.LATER_EVERY.total_seconds())
    ended = runner.finish_later(server.node)
    assert ended is not None
    assert ended.state == "reverted"
    assert ended.error is not None
    assert ended.error["cause"] == "disk-full"
    assert without_marks(comparable(world)) == without_marks(old)


def test_an_unfinished_job_of_another_time_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who this server is has changed since: its steps would make it follow where it is primary."""
    swap = next(job for job in JOBS if job.kind == Change.SWAP)
    world, server, _ = _before(swap)
    _run_with_the_other_server_away_from(monkeypatch, world, server, swap, "follow-new-primary")
    promotion.promote(server.node, Cause.TAKEOVER)
    all_is_back(world)
    world.clock.sleep(runner.LATER_EVERY.total_seconds())
    assert runner.finish_later(server.node) is None
    assert server.look()["replicates from"] is None


def _run_with_the_other_server_away_from(
    monkeypatch: pytest.MonkeyPatch, world: World, server: Server, job: Job, name: str
) -> str:
    """The state of the job that has lost the other server at the beginning of the step."""
    step = registry.step(name)
    original = step.do
    with monkeypatch.context() as patch:

        def away(context: Context) -> None:
            world.cut()
            original(context)

        patch.setattr(step, "do", away)
        return server.apply(job.kind).state
