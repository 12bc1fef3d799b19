"""A clock that moves only when told to, or when someone sleeps."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Starts at a fixed moment and refuses to go back."""

    def __init__(self, monotonic: float = 1000.0) -> None:
        self._monotonic = monotonic
        self._start = monotonic
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic() - self._start)

    def monotonic(self) -> float:
        with self._lock:
            return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        assert seconds >= 0, "time does not go back"
        with self._lock:
            self._monotonic += seconds
