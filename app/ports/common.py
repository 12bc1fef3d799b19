"""Words that every port uses, time, and ICMP echo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

Json = dict[str, Any]
Progress = Callable[[int, int | None], None]
"""Called with (bytes done, bytes in all or None)."""


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class Pinger(Protocol):
    """ICMP echo."""

    def ping(self, addresses: Sequence[str], timeout_s: float) -> dict[str, float | None]:
        """Round trip in ms of one echo for each address (IPv4, IPv6 or name), None where no answer came in time.

        All are pinged at once; a name that does not resolve within the time counts as no answer; never raises.
        """
        ...
