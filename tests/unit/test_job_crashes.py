"""A job that is killed or fails at any step ends, after the worker is back, with the old configuration or the new one.

Each plan is run once undisturbed to know its end; then, for each of its steps, the worker is killed before the step,
in the middle of it and right after it, and the step is made to fail. A kill is an exception that nothing catches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from app.core import plans
from app.core.errors import LocalFailure
from app.core.plans import KEEP_PEER, KEEP_THIS, REJOIN, RESUME
from app.core.roles import Change, Role
from app.core.state import FenceReason
from app.ports import Json
from jobs import runner
from jobs.context import Context, Step
from jobs.start import start_job
from jobs.steps import fencing, registry
from tests.unit.pair_world import ADMIN, Killed, Server, World


@dataclass(frozen=True)
class Case:
    """A kind of job, the role of the server it runs on, and the situation before it."""

    kind: str
    role: Role
    prepare: Callable[[World], Server]
    one_way: bool = False
    """What is done is not taken back, because it is done to be safe (a rejoin leaves no primary behind)."""

    def __str__(self) -> str:
        return f"{self.kind}-{self.role.value}"


def _new_primary(world: World) -> Server:
    world.save_drafts()
    return world.alpha


def _new_secondary(world: World) -> Server:
    world.save_drafts()
    world.alpha.apply(Change.SETUP_PRIMARY)
    return world.beta


def _paired(name: str, role: Role) -> Callable[[World], Server]:
    def prepare(world: World) -> Server:
        world.pair()
        server: Server = getattr(world, name)
        server.draft(role, HAPingIterations=4)
        return server

    return prepare


def _old_primary(world: World) -> Server:
    world.pair()
    world.beta.draft(Role.PRIMARY)
    world.beta.apply(Change.TAKEOVER)
    return world.alpha


def _fenced(world: World) -> Server:
    world.pair()
    world.cut()
    fencing.fence_self(world.alpha.node, FenceReason.PEER_UNKNOWN)
    return world.alpha


def _in_conflict(world: World) -> Server:
    world.pair()
    for server in (world.alpha, world.beta):
        server.store.change_state(lambda state: replace(state, role=Role.PRIMARY, term=5))
        fencing.fence_self(server.node, FenceReason.CONFLICT)
    return world.alpha


CASES = (
    Case(Change.SETUP_PRIMARY, Role.STANDALONE, _new_primary),
    Case(Change.SETUP_SECONDARY, Role.STANDALONE, _new_secondary),
    Case(Change.SWAP, Role.PRIMARY, _paired("alpha", Role.SECONDARY)),
    Case(Change.TEARDOWN, Role.PRIMARY, _paired("alpha", Role.STANDALONE)),
    Case(Change.TEARDOWN, Role.SECONDARY, _paired("beta", Role.STANDALONE)),
    Case(Change.TAKEOVER, Role.SECONDARY, _paired("beta", Role.PRIMARY)),
    Case(Change.SETTINGS, Role.PRIMARY, _paired("alpha", Role.PRIMARY)),
    Case(Change.SETTINGS, Role.SECONDARY, _paired("beta", Role.SECONDARY)),
    Case(REJOIN, Role.PRIMARY, _old_primary, one_way=True),
    Case(RESUME, Role.PRIMARY, _fenced),
    Case(KEEP_THIS, Role.PRIMARY, _in_conflict),
    Case(KEEP_PEER, Role.PRIMARY, _in_conflict),
)
STEPS = [(case, planned.name) for case in CASES for planned in plans.plan(case.kind, case.role)]
IDS = [f"{case}-{name}" for case, name in STEPS]


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


def _undisturbed(case: Case) -> Json:
    world = World()
    server = case.prepare(world)
    assert server.apply(case.kind).state == "succeeded"
    return _comparable(world)


def _comparable(world: World) -> Json:
    """What two runs must have in common: everything but the values that are drawn anew each time."""
    world.network.settle()
    seen = world.look()
    for server in seen.values():
        server["applied"].pop("HAPeerFingerprint")
    return seen


def _before(case: Case) -> tuple[World, Server, Json]:
    world = World()
    server = case.prepare(world)
    return world, server, _comparable(world)


@pytest.mark.parametrize("after", [False, True], ids=["at its start", "at its end"])
@pytest.mark.parametrize(("case", "name"), STEPS, ids=IDS)
def test_a_killed_job_is_finished_or_reverted_by_the_next_worker(
    monkeypatch: pytest.MonkeyPatch, case: Case, name: str, after: bool
) -> None:
    world, server, old = _before(case)
    job_id = start_job(server.node, case.kind, {}, ADMIN).id
    with broken(monkeypatch, name, Killed(), after=after), pytest.raises(Killed):
        runner.run(server.node, job_id)
    ended = runner.recover(server.node)
    assert ended is not None
    assert ended.state in {"succeeded", "reverted"}, ended
    assert server.store.active_job() is None
    seen = _comparable(world)
    if ended.state == "succeeded":
        assert seen == _undisturbed(case)
    elif not case.one_way:
        assert _without_marks(seen) == _without_marks(old)


@pytest.mark.parametrize(("case", "name"), STEPS, ids=IDS)
def test_a_job_whose_step_fails_is_reverted_or_goes_forward(
    monkeypatch: pytest.MonkeyPatch, case: Case, name: str
) -> None:
    world, server, old = _before(case)
    job_id = start_job(server.node, case.kind, {}, ADMIN).id
    with broken(monkeypatch, name, LocalFailure("disk-full", "The Disk Is Full"), after=True):
        ended = runner.run(server.node, job_id)
    assert ended is not None
    assert ended.state in {"succeeded", "reverted"}, ended
    seen = _comparable(world)
    if ended.state == "succeeded":
        assert seen == _undisturbed(case)
        return
    assert ended.error is not None
    assert ended.error["code"] == "disk-full"
    if not case.one_way:
        assert _without_marks(seen) == _without_marks(old)


@pytest.mark.parametrize(("case", "name"), STEPS, ids=IDS)
def test_after_a_failed_step_the_same_job_succeeds(monkeypatch: pytest.MonkeyPatch, case: Case, name: str) -> None:
    world, server, _ = _before(case)
    job_id = start_job(server.node, case.kind, {}, ADMIN).id
    with broken(monkeypatch, name, LocalFailure("disk-full", "The Disk Is Full"), after=False):
        ended = runner.run(server.node, job_id)
    assert ended is not None
    if ended.state != "succeeded":
        world.welcome()
        assert server.apply(case.kind).state == "succeeded"
    assert _comparable(world) == _undisturbed(case)


def test_a_worker_killed_while_it_reverts_goes_on_reverting(monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[1]
    world, server, old = _before(case)
    job_id = start_job(server.node, case.kind, {}, ADMIN).id
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
    assert _without_marks(_comparable(world)) == _without_marks(old)


def test_an_error_that_is_not_ours_ends_the_job_and_is_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """RQ's time-out is such an error: it must reach RQ, and the job must not stay half done."""
    world, server, old = _before(CASES[1])
    job_id = start_job(server.node, Change.SETUP_SECONDARY, {}, ADMIN).id
    with broken(monkeypatch, "copy-files", TimeoutError("RQ's"), after=False), pytest.raises(TimeoutError):
        runner.run(server.node, job_id)
    job = server.store.job(job_id)
    assert job is not None
    assert job.state == "reverted"
    assert _without_marks(_comparable(world)) == _without_marks(old)


def test_every_planned_step_exists_and_every_step_is_planned() -> None:
    assert registry.names() == plans.all_step_names()


def _without_marks(seen: Json) -> Json:
    """What a reverted job need not put back: keys that are pinned and used by nobody, and whether commits wait."""
    return {
        name: {key: value for key, value in server.items() if key not in {"pinned", "paired with"}}
        for name, server in seen.items()
    }
