"""Waiting for a condition with a deadline, in place of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.05


def wait_for(check: Callable[[], T], timeout_s: float, what: str, poll_s: float = POLL_S) -> T:
    """The first truthy value that `check` returns.

    Raises AssertionError naming `what`, the time waited and the last value (or error) seen.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            last: object = check()
            if last:
                return last  # type: ignore[return-value]
        except (AssertionError, OSError, LookupError) as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {timeout_s:g} s for {what}; last seen: {last!r}")
        time.sleep(poll_s)
