"""The same trials on two nodes of fakes, where a job can be broken off at every single call that it makes.

A job sees the world only through its ports, so each call of a port made by the job's own thread is a point at which
something can go wrong; a step's points are those calls and its end. They are counted in an undisturbed run.
What fails comes back after a while of the fakes' clock, as a service is restarted or a server boots; afterwards the few
acts of the monitors that such a trial may need are made by hand (`monitors`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from app.core import moves
from app.core.failover import commits_wait
from app.core.pairconfig import pair_config
from app.core.plans import KEEP_PEER, KEEP_THIS, REJOIN, RESUME
from app.core.roles import Change, Role
from app.core.state import FenceReason
from app.ports import JobRecord, Json, Node
from jobs import runner
from jobs.context import Context, Step
from jobs.start import retry_job, start_job
from jobs.steps import fencing, registry
from tests.crashes.matrix import Combination, Job, Kill
from tests.unit.pair_world import ADMIN, Killed, Server, World

AWAY_S = 3.0
"""A service that was killed, a server without power or a link that was cut is back after this time."""
WATCHED = ("store", "database", "peer", "keys", "mirror", "machine", "pairing")
ONE_WAY = frozenset({REJOIN})
"""What such a job has done before it is broken off is not taken back: it leaves no second primary behind."""
MARKS = frozenset({"pinned", "paired with"})
"""What a reverted job need not put back: keys that nobody uses."""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    job: str
    pair: str
    """`old` or `new`; `neither` is a failure."""
    retried: bool
    problem: str = ""

    @property
    def held(self) -> bool:
        return self.pair in ("old", "new")

    def __str__(self) -> str:
        if not self.held:
            return f"BROKEN ({self.job}: {self.problem or 'neither the old pair nor the new one'})"
        return f"{self.pair} after RETRY" if self.retried else self.pair


class Watch:
    """Counts the job's calls of its ports, and lets something happen at one of them."""

    def __init__(self, step: str, call: int | None, act: Callable[[], None]) -> None:
        self._step, self._call, self._act = step, call, act
        self._thread = threading.get_ident()
        self.inside = ""
        self.calls: dict[str, int] = {}

    def reach(self) -> None:
        """The job is at another point of the step that it is in."""
        if not self.inside or threading.get_ident() != self._thread:
            return
        number = self.calls.get(self.inside, 0)
        self.calls[self.inside] = number + 1
        if (self.inside, number) == (self._step, self._call):
            self._call = None
            self._act()


class Port:
    """A port that tells the watch of each call before it is made."""

    def __init__(self, port: object, watch: Watch) -> None:
        self._port, self._watch = port, watch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._watch.reach()
            return found(*arguments, **named)

        return call


def watched(node: Node, watch: Watch) -> Node:
    """The node as the job sees it while it is watched."""
    return replace(node, **{name: Port(getattr(node, name), watch) for name in WATCHED})


@contextmanager
def step_borders(job: Job, watch: Watch) -> Iterator[None]:
    """The watch knows which step the job is in; its end is a point too."""
    originals: dict[str, Callable[[Context], None]] = {}
    for name in job.steps:
        originals[name] = _surround(registry.step(name), watch)
    try:
        yield
    finally:
        for name in originals:
            del registry.step(name).__dict__["do"]


def _surround(step: Step, watch: Watch) -> Callable[[Context], None]:
    original = step.do

    def do(context: Context) -> None:
        watch.inside = step.name
        try:
            original(context)
            watch.reach()
        finally:
            watch.inside = ""

    step.do = do  # type: ignore[method-assign]
    return original


# --- before the job -----------------------------------------------------------------------------------------------


def prepare(job: Job) -> tuple[World, Server]:
    """The situation before the job, and the server that it will run on."""
    world = World()
    return world, _PREPARE[job.kind](world, job.role)


def _new_primary(world: World, _role: Role) -> Server:
    world.save_drafts()
    return world.alpha


def _new_secondary(world: World, _role: Role) -> Server:
    world.save_drafts()
    world.alpha.apply(Change.SETUP_PRIMARY)
    return world.beta


def _in_pair(drafted: Role | None) -> Callable[[World, Role], Server]:
    def prepared(world: World, role: Role) -> Server:
        world.pair()
        server = world.alpha if role is Role.PRIMARY else world.beta
        server.draft(role if drafted is None else drafted, HAPingIterations=4)
        return server

    return prepared


def _old_primary(world: World, _role: Role) -> Server:
    """It has a transaction that the new primary never got, and structure too, so that every step has work to do."""
    world.pair()
    world.cut()
    world.alpha.database.set_semi_sync(enabled=False)
    world.alpha.database.open_client().write(99)
    world.alpha.database.commit("app.more", "", "", ddl=True)
    world.beta.draft(Role.PRIMARY)
    world.beta.apply(Change.TAKEOVER)
    world.heal()
    fencing.accept_fence(world.alpha.node, 2, "takeover")
    return world.alpha


def _fenced(world: World, _role: Role) -> Server:
    world.pair()
    world.cut()
    fencing.fence_self(world.alpha.node, FenceReason.PEER_UNKNOWN)
    return world.alpha


def _in_conflict(world: World, _role: Role) -> Server:
    world.pair()
    for server in (world.alpha, world.beta):
        server.store.change_state(lambda state: replace(state, role=Role.PRIMARY, term=5))
        fencing.fence_self(server.node, FenceReason.CONFLICT)
    return world.alpha


_PREPARE: dict[str, Callable[[World, Role], Server]] = {
    Change.SETUP_PRIMARY: _new_primary,
    Change.SETUP_SECONDARY: _new_secondary,
    Change.SWAP: _in_pair(Role.SECONDARY),
    Change.TEARDOWN: _in_pair(Role.STANDALONE),
    Change.TAKEOVER: _in_pair(Role.PRIMARY),
    Change.SETTINGS: _in_pair(None),
    REJOIN: _old_primary,
    RESUME: _fenced,
    KEEP_THIS: _in_conflict,
    KEEP_PEER: _in_conflict,
}


# --- what goes wrong ----------------------------------------------------------------------------------------------


def _happening(world: World, server: Server, kill: Kill) -> Callable[[], None]:
    """What happens at the point."""
    other = world.beta if server is world.alpha else world.alpha
    there = other if kill.side == "peer" else server

    def worker() -> None:
        raise Killed

    def power() -> None:
        _lose_power(server)
        raise Killed

    def peer_power() -> None:
        _lose_power(other)
        world.cut()
        _later(world, lambda: (world.heal(), other.database.start()))

    def link() -> None:
        world.cut()
        _later(world, world.heal)

    def database() -> None:
        there.database.stop()
        _later(world, there.database.start)

    def monitor() -> None:
        said = there.machine.published("monitor")
        there.machine.forget("monitor")
        if said is not None:
            _later(world, lambda: there.machine.publish("monitor", said[0]))

    return {
        "worker": worker, "power": power, "peer-power": peer_power, "link": link,
        "database": database, "peer-database": database, "monitor": monitor, "peer-monitor": monitor,
    }[kill.name]  # fmt: skip


def _lose_power(server: Server) -> None:
    server.database.stop()
    server.machine.forget("monitor")


def _later(world: World, act: Callable[[], object]) -> None:
    world.clock.at(world.clock.monotonic() + AWAY_S, act)


def all_is_back(world: World) -> None:
    """Whatever went wrong is over, and the monitors have looked around."""
    world.clock.sleep(AWAY_S)
    for server in (world.alpha, world.beta):
        if server.database.down:
            server.database.start()
    world.heal()


# --- the trial ----------------------------------------------------------------------------------------------------


@cache
def calls_of(job: Job) -> dict[str, int]:
    """How many points each step of the job has."""
    _, server = prepare(job)
    watch = Watch("", None, lambda: None)
    with step_borders(job, watch):
        job_id = start_job(server.node, job.kind, {}, ADMIN).id
        ended = runner.run(watched(server.node, watch), job_id)
    assert ended is not None
    assert ended.state == "succeeded", ended
    return watch.calls


@cache
def attempt_at(wanted: Combination) -> Outcome:
    """The trial at the point of the combination."""
    last = calls_of(wanted.job)[wanted.step] - 1
    return attempt(wanted, 0 if wanted.point == "start" else last)


def attempt_all(job: Job, kill: Kill) -> Iterator[tuple[str, int, Outcome]]:
    """The trials at every point of every step: step, number of the call, what came of it."""
    for step, calls in calls_of(job).items():
        for call in range(calls):
            yield step, call, attempt(Combination(job, step, f"call {call + 1}", kill), call)


def attempt(wanted: Combination, call: int) -> Outcome:
    """The trial at that call of the step."""
    job = wanted.job
    world, server = prepare(job)
    old = comparable(world)
    watch = Watch(wanted.step, call, _happening(world, server, wanted.kill))
    with step_borders(job, watch):
        job_id = start_job(server.node, job.kind, {}, ADMIN).id
        with suppress(Killed):
            runner.run(watched(server.node, watch), job_id)
    all_is_back(world)
    runner.recover(server.node)
    return _judge(world, server, wanted, job_id, old)


def _judge(world: World, server: Server, wanted: Combination, job_id: str, old: Json) -> Outcome:
    ended = server.store.job(job_id)
    assert ended is not None
    retried = ended.state == "failed"
    if retried:
        world.welcome()
        ended = server.work(retry_job(server.node, ADMIN).id)
    monitors(world)
    if ended.state not in {"succeeded", "reverted"} or server.store.active_job() is not None:
        return Outcome(ended.state, "neither", retried, f"{ended.message} {ended.error}")
    seen = comparable(world)
    new = undisturbed(wanted.job)
    if without_marks(seen) == without_marks(new):
        return Outcome(ended.state, "new", retried)
    if without_marks(seen) == without_marks(old) or (ended.state == "reverted" and wanted.job.kind in ONE_WAY):
        return Outcome(ended.state, "old", retried)
    nearer = new if ended.state == "succeeded" else old
    return Outcome(ended.state, "neither", retried, str(_differences(seen, nearer)))


def _differences(seen: Json, wanted: Json) -> list[str]:
    return [
        f"{name}.{key}: {value!r} instead of {wanted[name][key]!r}"
        for name, server in seen.items()
        for key, value in server.items()
        if value != wanted[name][key] and key not in MARKS
    ]


def monitors(world: World) -> None:
    """What the monitors do once everything is back: a fence or a read-only database without a reason goes, an old
    primary rejoins."""
    for server, other in ((world.alpha, world.beta), (world.beta, world.alpha)):
        state, theirs = server.store.state(), other.store.state()
        if state.role is Role.PRIMARY and theirs.role is Role.PRIMARY and theirs.term > state.term:
            fencing.accept_fence(server.node, theirs.term, "the monitor has heard of it")
            server.work(start_job(server.node, REJOIN, {}, ADMIN).id)
    for server, other in ((world.alpha, world.beta), (world.beta, world.alpha)):
        if other.store.state().role is Role.STANDALONE:
            server.store.change_state(moves.await_secondary)
        state = server.store.state()
        held = state.fence is not None and state.fence.reason in (FenceReason.CONFLICT, FenceReason.PEER_UNKNOWN)
        if state.role is Role.SECONDARY or held or moves.promotion_unfinished(state):
            continue
        server.store.change_state(moves.lift)
        waits = commits_wait(state, pair_config(server.store.config().applied))
        server.database.set_semi_sync(enabled=waits and state.role is Role.PRIMARY)
        server.database.lift()


@cache
def undisturbed(job: Job) -> Json:
    """What both servers hold when nothing goes wrong."""
    world, server = prepare(job)
    ended: JobRecord = server.apply(job.kind)
    assert ended.state == "succeeded", ended
    all_is_back(world)
    monitors(world)
    return comparable(world)


def comparable(world: World) -> Json:
    """What two runs must have in common: everything but the values that are drawn anew each time."""
    world.network.settle()
    seen = world.look()
    for server in seen.values():
        server["applied"].pop("HAPeerFingerprint")
    return seen


def without_marks(seen: Json) -> Json:
    return {name: {key: value for key, value in server.items() if key not in MARKS} for name, server in seen.items()}
