"""What every queue promises: the fake, and RQ on a real Redis; and what the worker makes of what comes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq.serializers import JSONSerializer

from app.adapters import queue as adapter
from app.adapters.queue import RedisQueue
from app.core.errors import LocalFailure
from app.core.plans import PREFLIGHT
from app.core.roles import Change
from app.ports import Queue
from jobs import tasks, worker
from jobs.start import start_job
from tests.fakes.queue import FakeQueue
from tests.unit.pair_world import ADMIN, World
from tests.waiting import wait_for

REDIS = shutil.which("redis-server")
START_S = 30.0
GONE_S = 30.0
LOOKS = 5
"""A worker without jobs ends its loop every five seconds anyway."""


class Server:
    """A redis-server of the test's own, on a unix socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert REDIS is not None
        self._process = subprocess.Popen(
            [REDIS, "--port", "0", "--unixsocket", f"{self._folder}/redis.sock", "--save", "", "--appendonly", "no"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        wait_for(self._answers, START_S, "redis-server to answer")

    def _answers(self) -> bool:
        with self.connection() as connection:
            try:
                return bool(connection.ping())
            except redis.exceptions.RedisError:
                return False

    def connection(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if REDIS is None:
        pytest.skip("redis-server is not installed")
    started = Server(tmp_path)
    started.start()
    yield started
    started.stop()


@pytest.fixture(params=["fake", "real"])
def queue(request: pytest.FixtureRequest) -> Iterator[Queue]:
    if request.param == "fake":
        yield FakeQueue()
        return
    real = RedisQueue(request.getfixturevalue("server").url)
    yield real
    real.close()


def waiting(queue: Queue) -> list[str]:
    """The numbers that the worker has not taken yet."""
    if isinstance(queue, FakeQueue):
        return queue.jobs
    assert isinstance(queue, RedisQueue)
    return RqQueue(adapter.QUEUE_NAME, connection=queue._connection, serializer=JSONSerializer).job_ids


def test_jobs_wait_in_the_order_in_which_they_came(queue: Queue) -> None:
    for job_id in ("job-1", "job-2", "job-3"):
        queue.enqueue(job_id)
    assert waiting(queue) == ["job-1", "job-2", "job-3"]


def test_a_job_that_waits_already_is_not_queued_twice(queue: Queue) -> None:
    queue.enqueue("job-1")
    queue.enqueue("job-1")
    assert waiting(queue) == ["job-1"]


def test_a_queue_that_is_down_says_so_and_works_again_afterwards(server: Server) -> None:
    real, fake = RedisQueue(server.url), FakeQueue()
    server.stop()
    fake.down = True
    for each in (real, fake):
        with pytest.raises(LocalFailure) as refused:
            each.enqueue("job-1")
        assert refused.value.code == "queue-down"
    server.start()
    fake.down = False
    for each in (real, fake):
        each.enqueue("job-1")
        assert waiting(each) == ["job-1"]
    real.close()


# --- the worker -----------------------------------------------------------------------------------------------------


@pytest.fixture
def world(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two nodes, of which alpha's jobs go through the real Redis; nothing in the queue but what is put there."""
    made = World()
    real = RedisQueue(server.url)
    settings = replace(made.alpha.node.settings, redis_url=server.url)
    made.alpha.node = replace(made.alpha.node, queue=real, settings=settings)
    monkeypatch.setattr(tasks, "node", lambda: made.alpha.node)
    monkeypatch.setattr(worker, "QUIET_S", 1)
    yield made
    real.close()


def test_the_worker_runs_what_comes_through_the_queue(world: World, server: Server) -> None:
    world.save_drafts()
    job = start_job(world.alpha.node, Change.SETUP_PRIMARY, {}, ADMIN)
    assert worker.serve(server.url) is False
    ended = world.alpha.store.job(job.id)
    assert ended is not None
    assert ended.state == "succeeded"


def test_the_queue_is_known_to_redis_before_its_first_job(world: World, server: Server) -> None:
    worker.serve(server.url)
    with server.connection() as connection:
        assert [queue.name for queue in RqQueue.all(connection=connection)] == [worker.QUEUE_NAME]


def test_a_queued_job_that_redis_lost_is_sent_again(world: World, server: Server) -> None:
    job = start_job(world.alpha.node, PREFLIGHT, {}, ADMIN)
    server.stop()
    server.start()
    assert waiting(world.alpha.node.queue) == []
    worker.look_into_journal(world.alpha.node)
    assert waiting(world.alpha.node.queue) == [job.id]


def test_a_job_that_may_wait_is_run_without_redis(world: World, server: Server) -> None:
    server.stop()
    job = start_job(world.alpha.node, PREFLIGHT, {}, ADMIN, may_wait=True)
    assert job.state == "queued"
    worker.look_into_journal(world.alpha.node)
    ended = world.alpha.store.job(job.id)
    assert ended is not None
    assert ended.state == "succeeded"


def test_a_worker_that_waits_for_jobs_ends_soon_when_redis_is_gone(world: World, server: Server) -> None:
    def serve_on() -> None:
        for _ in range(LOOKS):
            worker.serve(server.url)

    before = set(threading.enumerate())
    threading.Timer(0.5, server.stop).start()
    began = time.monotonic()
    with pytest.raises((RedisError, OSError)):
        serve_on()
    assert time.monotonic() - began < GONE_S
    wait_for(lambda: not set(threading.enumerate()) - before, GONE_S, "the end of what listened to Redis")


def test_a_worker_that_is_told_to_end_while_it_goes_quiet_ends(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsubscribe = worker.PatientWorker.unsubscribe

    def told(rq_worker: worker.PatientWorker) -> None:
        unsubscribe(rq_worker)  # type: ignore[no-untyped-call]
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(worker, "QUIET_S", 1)
    monkeypatch.setattr(worker.PatientWorker, "unsubscribe", told)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert worker.serve(server.url)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_job_that_a_dead_worker_left_is_ended_before_new_ones(world: World) -> None:
    world.save_drafts()
    job = start_job(world.alpha.node, Change.SETUP_PRIMARY, {}, ADMIN)
    world.alpha.store.update_job(job.id, state="running")
    worker.look_into_journal(world.alpha.node)
    ended = world.alpha.store.job(job.id)
    assert ended is not None
    assert ended.state == "reverted"


def test_a_job_that_has_ended_is_not_run_again_when_its_number_comes_late(world: World, server: Server) -> None:
    job = start_job(world.alpha.node, PREFLIGHT, {}, ADMIN)
    world.alpha.store.update_job(job.id, state="failed", message="refused")
    worker.serve(server.url)
    ended = world.alpha.store.job(job.id)
    assert ended is not None
    assert (ended.state, ended.message) == ("failed", "refused")


def test_the_worker_waits_for_redis_and_goes_on_when_it_is_back(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    pauses: list[float] = []
    stopping = threading.Event()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            server.start()

    def look(node: Any) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        if len(pauses) >= 3:
            stopping.set()

    monkeypatch.setattr(worker, "time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(worker, "look_into_journal", look)
    with pytest.raises(KeyboardInterrupt):
        worker.main()
    assert pauses == [0.5, 1.0, 2.0]


def test_worker_and_adapter_mean_the_same_queue() -> None:
    assert worker.QUEUE_NAME == adapter.QUEUE_NAME
    module, _, name = adapter.TASK.rpartition(".")
    assert module == tasks.__name__
    assert hasattr(tasks, name)
