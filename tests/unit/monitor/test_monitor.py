"""The monitor with its threads: it starts, works, and leaves nothing behind."""

from __future__ import annotations

import threading
import time

import pytest

from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import NodeState
from jobs.monitor.duty import DutyThread
from jobs.monitor.monitor import Monitor
from tests.unit.monitor.world import World
from tests.waiting import wait_for

JOIN_S = 1.0
"""Of all threads together; one after the other they would take five times as long."""


def run(world: World) -> tuple[Monitor, threading.Thread]:
    monitor = Monitor(world.node)
    thread = threading.Thread(target=monitor.run)
    thread.start()
    return monitor, thread


def test_it_opens_a_standalone_server_and_ends_with_all_its_threads() -> None:
    world = World()
    before = set(threading.enumerate())
    monitor, thread = run(world)
    wait_for(lambda: not world.database.read_only, 10, "the database to be opened")
    monitor.stop()
    thread.join(20)
    assert not thread.is_alive()
    wait_for(lambda: not set(threading.enumerate()) - before, 10, "all threads to end")


def test_a_stop_is_announced_and_published() -> None:
    world = World(Role.SECONDARY)
    monitor, thread = run(world)
    wait_for(lambda: any(verb == "heartbeat" for verb, _ in world.peer.requests), 10, "a heartbeat")
    monitor.stop()
    thread.join(20)
    announced = [body["kind"] for verb, body in world.peer.requests if verb == "announce"]
    assert announced[-1] == "stopping"
    assert world.snapshot()["node"]["stopping"] is True
    assert world.snapshot()["report"]["stopping"] is True


def test_a_tick_that_breaks_off_does_not_end_the_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    genuine, failures = world.store.state, iter(range(3))

    def state() -> NodeState:
        if world.board.read() and next(failures, None) is not None:
            raise LocalFailure("store-failed", "The Node Store Failed")
        return genuine()

    monitor = Monitor(world.node)
    monkeypatch.setattr(world.store, "state", state)
    thread = threading.Thread(target=monitor.run)
    thread.start()
    wait_for(lambda: not world.database.read_only, 10, "the database to be opened after all")
    monitor.stop()
    thread.join(20)
    assert not thread.is_alive()


class Breaking:
    """A duty whose first steps break off in different ways."""

    name = "breaking"

    def __init__(self) -> None:
        self.steps = 0
        self.closed = False

    def step(self) -> float:
        self.steps += 1
        if self.steps == 1:
            raise LocalFailure("no", "No")
        return 0.0 if self.steps < 5 else 10.0

    def close(self) -> None:
        self.closed = True


def test_a_duty_goes_on_after_a_broken_step_and_is_closed_at_the_end() -> None:
    duty = Breaking()
    thread = DutyThread(duty)
    thread.start()
    wait_for(lambda: duty.steps >= 5, 10, "the duty to go on")
    thread.stop()
    assert thread.join()
    assert duty.closed


class Stuck:
    """A duty whose step does not end before the test says so."""

    name = "stuck"

    def __init__(self) -> None:
        self.release = threading.Event()
        self.begun = threading.Event()

    def step(self) -> float:
        self.begun.set()
        self.release.wait(30)
        return 10.0

    def close(self) -> None:
        """Nothing is held."""


def test_stuck_duties_delay_the_end_once_not_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.monitor.duty.JOIN_S", JOIN_S)
    duties = [Stuck() for _ in range(5)]
    threads = [DutyThread(duty) for duty in duties]
    for duty, thread in zip(duties, threads, strict=True):
        thread.start()
        assert duty.begun.wait(10)
    started = time.monotonic()
    for thread in threads:
        thread.stop()
    assert [thread.join() for thread in threads] == [False] * 5
    assert time.monotonic() - started < len(threads) * JOIN_S
    for duty in duties:
        duty.release.set()
    wait_for(lambda: all(thread.join() for thread in threads), 10, "the threads to end")
