"""Failed log-ins counted in Redis, which all processes of the API share and which forgets them by itself.

While Redis is down the node store counts instead, and what it has counted holds afterwards too: nobody gets free
attempts by stopping Redis. Redis is loaded by the first log-in.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.access import FAILURES_FORGOTTEN_AFTER
from app.ports import Clock
from app.ports.access import LoginFailures, Throttle

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

KEY_PREFIX = "hapair:login-failures:"
TIMEOUT_S = 0.5
"""A Redis that hangs must not keep people from logging in."""
DOWN_FOR_S = 10.0
"""After a failure Redis is not asked again for so long."""

Found = TypeVar("Found")


class RedisThrottle:
    """`spare` counts while Redis does not answer."""

    def __init__(self, redis_url: str, clock: Clock, spare: Throttle) -> None:
        self._url = redis_url
        self._clock = clock
        self._spare = spare
        self._connection: Redis | None = None
        self._down_until = 0.0

    def login_failures(self, subject: str) -> LoginFailures | None:
        """By Redis or by the spare, whichever counted more."""
        by_redis = self._ask(lambda redis: self._read(redis, subject))
        by_spare = self._spare.login_failures(subject)
        found = [each for each in (by_redis, by_spare) if each is not None]
        return max(found, key=lambda each: (each.count, each.last_at), default=None)

    def add_login_failure(self, subject: str) -> None:
        if self._ask(lambda redis: self._add(redis, subject)) is None:
            self._spare.add_login_failure(subject)

    def clear_login_failures(self, subject: str) -> None:
        self._ask(lambda redis: redis.delete(_key(subject)))
        if self._spare.login_failures(subject) is not None:
            self._spare.clear_login_failures(subject)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _read(self, redis: Redis, subject: str) -> LoginFailures | None:
        count, last_at = redis.hmget(_key(subject), ["count", "last_at"])
        if count is None or last_at is None:
            return None
        return LoginFailures(int(count), datetime.fromisoformat(str(last_at)))

    def _add(self, redis: Redis, subject: str) -> int:
        key = _key(subject)
        steps = redis.pipeline(transaction=True)
        steps.hincrby(key, "count", 1)
        steps.hset(key, "last_at", self._clock.now().isoformat())
        steps.expire(key, FAILURES_FORGOTTEN_AFTER)
        return int(steps.execute()[0])

    def _ask(self, act: Callable[[Redis], Found]) -> Found | None:
        """What Redis answers; None while it does not."""
        from redis.exceptions import RedisError

        if self._clock.monotonic() < self._down_until:
            return None
        try:
            return act(self._connected())
        except (RedisError, OSError, ValueError) as error:
            self._down_until = self._clock.monotonic() + DOWN_FOR_S
            log.warning("Redis does not count log-ins, the node store does: %s", type(error).__name__)
            return None

    def _connected(self) -> Redis:
        if self._connection is None:
            import redis

            options: dict[str, Any] = {
                "decode_responses": True,
                "socket_connect_timeout": TIMEOUT_S,
                "socket_timeout": TIMEOUT_S,
            }
            self._connection = redis.Redis.from_url(self._url, **options)
        return self._connection


def _key(subject: str) -> str:
    """Names are hashed: what people type by mistake into the name's field is not stored."""
    return KEY_PREFIX + hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
