"""The server's own clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """UTC for records, the monotonic clock for windows and ages."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
