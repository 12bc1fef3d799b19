"""Failed log-ins are counted by the fake and by Redis alike, and go on being counted while Redis is down or hangs."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.adapters.throttle import DOWN_FOR_S, KEY_PREFIX, RedisThrottle
from app.core.access import FAILURES_FORGOTTEN_AFTER
from app.ports.access import Throttle
from tests.contract.test_queue import Server
from tests.fakes.access import FakeAccess
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def spare(clock: FakeClock) -> FakeAccess:
    return FakeAccess(clock.now)


@pytest.fixture
def by_redis(server: Server, clock: FakeClock, spare: FakeAccess) -> Iterator[RedisThrottle]:
    throttle = RedisThrottle(server.url, clock, spare)
    yield throttle
    throttle.close()


@pytest.fixture(params=["fake", "redis"])
def throttle(request: pytest.FixtureRequest, spare: FakeAccess) -> Throttle:
    found: Throttle = spare if request.param == "fake" else request.getfixturevalue("by_redis")
    return found


def count(throttle: Throttle, subject: str = "user:dana") -> int:
    found = throttle.login_failures(subject)
    return 0 if found is None else found.count


def test_failures_in_a_row_are_counted_by_subject_until_they_are_cleared(throttle: Throttle, clock: FakeClock) -> None:
    assert throttle.login_failures("user:dana") is None
    for _ in range(3):
        clock.advance(1)
        throttle.add_login_failure("user:dana")
    throttle.add_login_failure("address:192.0.2.7")
    found = throttle.login_failures("user:dana")
    assert found is not None
    assert (found.count, found.last_at) == (3, clock.now())
    throttle.clear_login_failures("user:dana")
    assert count(throttle) == 0
    assert count(throttle, "address:192.0.2.7") == 1


def test_redis_forgets_by_itself_and_never_sees_a_name(server: Server, by_redis: RedisThrottle) -> None:
    by_redis.add_login_failure("user:my password, typed into the wrong field")
    with server.connection() as redis:
        (key,) = redis.keys("*")
        assert isinstance(key, bytes)
        assert key.decode().startswith(KEY_PREFIX)
        assert b"password" not in key
        left = redis.ttl(key)
    assert timedelta() < timedelta(seconds=int(str(left))) <= FAILURES_FORGOTTEN_AFTER


def test_while_redis_is_down_the_spare_counts_and_what_it_counted_holds_afterwards(
    server: Server, by_redis: RedisThrottle, spare: FakeAccess, clock: FakeClock
) -> None:
    by_redis.add_login_failure("user:dana")
    assert count(spare) == 0
    server.stop()
    for _ in range(4):
        by_redis.add_login_failure("user:dana")
    assert count(by_redis) == count(spare) == 4
    server.start()
    clock.advance(DOWN_FOR_S + 1)
    by_redis.add_login_failure("user:dana")
    assert count(spare) == 4
    assert count(by_redis) == 4
    by_redis.clear_login_failures("user:dana")
    assert count(by_redis) == count(spare) == 0


def test_a_redis_that_hangs_is_waited_for_once(
    server: Server, by_redis: RedisThrottle, spare: FakeAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert count(by_redis) == 0
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGSTOP)
    try:
        by_redis.add_login_failure("user:dana")

        def never() -> None:
            raise AssertionError("Redis was asked again at once")

        monkeypatch.setattr(by_redis, "_connected", never)
        by_redis.add_login_failure("user:dana")
    finally:
        os.kill(server._process.pid, signal.SIGCONT)
    assert count(by_redis) == count(spare) == 2
