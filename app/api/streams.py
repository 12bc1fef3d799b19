"""Server-sent events: a value is sent when it changes, and every few seconds besides, so that silence means loss."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, json

from app.core.errors import HapairError
from app.ports import Clock

STREAMS_MAX = 16
"""Each open stream holds a thread of the API; the rest stay free for requests."""
LOOK_S = 0.5
REPEAT_S = 5.0
LIFE_S = 900.0
"""After this a stream ends and the browser opens a new one, with its session checked again."""


class TooManyStreams(HapairError):
    status = 503
    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__(
            "too-many-streams",
            "Too Many Open Streams",
            detail=f"{STREAMS_MAX} streams are open on this server.",
            hint="Close other pages of the console, or ask for the value itself from time to time.",
        )


class StreamSlots:
    """Counts the open streams."""

    def __init__(self, slots: int = STREAMS_MAX) -> None:
        self._free = threading.BoundedSemaphore(slots)

    def take(self) -> None:
        """Raises TooManyStreams."""
        if not self._free.acquire(blocking=False):
            raise TooManyStreams

    def give_back(self) -> None:
        self._free.release()


def stream(
    slots: StreamSlots,
    clock: Clock,
    name: str,
    look: Callable[[], dict[str, Any]],
    *,
    is_last: Callable[[dict[str, Any]], bool] = lambda _: False,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Response:
    """A stream of events called `name` with what `look` finds, until `is_last` or the end of its life."""
    slots.take()
    response = Response(_events(clock, name, look, is_last, may_go_on), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(slots.give_back)
    return response


def _events(
    clock: Clock,
    name: str,
    look: Callable[[], dict[str, Any]],
    is_last: Callable[[dict[str, Any]], bool],
    may_go_on: Callable[[], bool],
) -> Iterator[str]:
    ends_at = clock.monotonic() + LIFE_S
    sent, sent_at = "", 0.0
    while clock.monotonic() < ends_at:
        try:
            value = look()
        except HapairError as error:
            yield _event("problem", json.dumps({"code": error.code, "title": error.title, "detail": error.detail}))
            return
        text, now = json.dumps(value), clock.monotonic()
        if text != sent or now - sent_at >= REPEAT_S:
            if not may_go_on():
                return
            yield _event(name, text)
            sent, sent_at = text, now
        if is_last(value):
            return
        clock.sleep(LOOK_S)


def _event(name: str, text: str) -> str:
    return f"event: {name}\ndata: {text}\n\n"
