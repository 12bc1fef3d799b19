"""A duty is one thing that the monitor looks after, one step at a time, in a thread of its own.

A step says after how many seconds it wants to be called again. Tests call the step; only `DutyThread` loops.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

import structlog

from app.core.errors import HapairError

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
"""A duty that breaks off unexpectedly is tried again after a pause that doubles up to this."""
LOOK_AGAIN_S = 1.0
"""A duty with nothing to do looks again after this time whether its node has got another role or configuration."""
JOIN_S = 5.0
"""How long a stopping monitor waits for a duty's step under way."""


class Duty(Protocol):
    """One thing to look after."""

    name: str

    def step(self) -> float:
        """One round is done; seconds until the next."""
        ...

    def close(self) -> None:
        """What the duty held is given back. Called after its last step."""
        ...


class Grid:
    """Points in time at equal distances, so that the length of a step does not shift those after it."""

    def __init__(self) -> None:
        self._due_s: float | None = None
        self._interval_s = 0.0

    def wait_s(self, now_s: float, interval_s: float) -> float:
        """Seconds until the next point, 0 where one is due. Another interval than before begins a new grid now."""
        if self._due_s is None or interval_s != self._interval_s:
            self._due_s, self._interval_s = now_s, interval_s
        return max(self._due_s - now_s, 0.0)

    def served(self, now_s: float) -> None:
        """The point that was due is done with; those that were missed meanwhile are left out."""
        if self._due_s is not None:
            missed = max(int((now_s - self._due_s) // self._interval_s), 0)
            self._due_s += (missed + 1) * self._interval_s


class DutyThread:
    """Calls the duty's step again and again until told to stop."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty
        self.name = duty.name
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._stopped_s = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._thread = threading.Thread(target=self._run, name=duty.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """The next step begins now, or right after the one under way."""
        self._wake.set()

    def stop(self) -> None:
        """No further step begins. Returns at once."""
        self._stopped_s = time.monotonic()
        self._stopping.set()
        self._wake.set()

    def join(self) -> bool:
        """Whether the thread has ended within JOIN_S of `stop`; all threads of a monitor have that time together."""
        self._thread.join(max(self._stopped_s + JOIN_S - time.monotonic(), 0.0))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._step())
            self._wake.clear()
        try:
            self._duty.close()
        except HapairError as error:
            log.warning("a duty did not close cleanly", duty=self._duty.name, error=str(error))

    def _step(self) -> float:
        """Seconds until the next step. The outermost guard of the thread: a broken step is logged and comes again."""
        try:
            pause_s = self._duty.step()
        except HapairError as error:
            log.warning("a duty failed", duty=self._duty.name, code=error.code, error=str(error))
        except Exception:
            log.exception("a duty broke off", duty=self._duty.name)
        else:
            self._pause_s = FIRST_PAUSE_S
            return pause_s
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, LONGEST_PAUSE_S)
        return pause_s
