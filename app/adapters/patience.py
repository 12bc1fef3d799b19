"""A whole conversation with another server has a bound, not only each of its answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def bounded(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """After `seconds` the connection is broken off: who waits on it gets an OSError. A server that sends a byte now
    and then can't hold us."""
    timer = threading.Timer(seconds, _break_off, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _break_off(connection: Callable[[], socket.socket | None]) -> None:
    found = connection()
    if found is not None:
        with contextlib.suppress(OSError):
            found.shutdown(socket.SHUT_RDWR)
