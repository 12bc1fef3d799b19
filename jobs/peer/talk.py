"""The conversation with the other server: a request line in, a reply line out, until it goes.

Whatever arrives, the other side gets a reply or a refusal, never a traceback. The session ends by itself when the other
side is gone, has been silent for long, or is no longer (or newly) pinned.
"""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from app.core.errors import HapairError, InvalidInput, LocalFailure, NotAllowed
from app.core.wire import REQUEST_BYTES_MAX, Request, error_line, parse_request, reply_line
from app.ports import Json, Node
from jobs.peer.noted import Handler, NotedActs, nothing

CHUNK_BYTES = 64 * 1024
IDLE_S = 60.0
"""A monitor asks at least once in each ping interval (15 s at most); one that is silent for so long is done, and its
session need not take up memory."""
SLOW_S = 1.0
"""A request that took longer is worth a line in the log."""

_log = logging.getLogger("hapair.peer")


class Conversation:
    """One session on a pair of file descriptors."""

    def __init__(self, node: Node, verbs: Mapping[str, Handler], pin: Path, source: int, target: int) -> None:
        self._node = node
        self._verbs = verbs
        self._acts = NotedActs(node)
        self._pin = pin
        self._pinned_as = _version(pin)
        self._source = source
        self._target = target

    def run(self) -> None:
        """Answers until the end of the session."""
        buffer = bytearray()
        while select.select([self._source], [], [], IDLE_S)[0]:
            chunk = os.read(self._source, CHUNK_BYTES)
            if not chunk:
                return
            buffer += chunk
            while (end := buffer.find(b"\n")) >= 0:
                line = bytes(buffer[:end])
                del buffer[: end + 1]
                if not self._answer(line):
                    return
            if len(buffer) > REQUEST_BYTES_MAX:
                self._send(error_line(0, InvalidInput("bad-request", "This Message Is Too Long")))
                return

    def _answer(self, line: bytes) -> bool:
        """Whether the session goes on."""
        request_id, write_down = 0, nothing
        try:
            request = parse_request(line)
            request_id = request.id
            if _version(self._pin) != self._pinned_as:
                self._send(error_line(request_id, NotAllowed("session-ended", "The Pairing Has Changed")))
                return False
            answer, write_down = self._handle(request)
            reply = reply_line(request_id, answer)
        except HapairError as error:
            _log.info("refused: %s", error.code)
            reply = error_line(request_id, error)
        except Exception:  # noqa: BLE001 - the outermost loop: the other side gets an answer, and no traceback
            _log.exception("a request failed")
            failure = LocalFailure(
                "internal-error",
                "The Other Server Failed To Answer",
                hint="Its log peer.log says why.",
            )
            reply = error_line(request_id, failure)
        try:
            self._send(reply)
        finally:
            # What was done is done, also where nobody is there any more to hear of it.
            write_down()
        return True

    def _handle(self, request: Request) -> tuple[Json, Callable[[], None]]:
        """The reply, and what is to be called once it was sent."""
        handler = self._verbs.get(request.verb)
        if handler is None:
            raise InvalidInput(
                "unknown-verb",
                "This Request Is Not Known Here",
                detail=request.verb,
                hint="See that both servers run the same version of hapair.",
            )
        began = time.monotonic()
        reply = self._acts.carry_out(request.verb, handler, request.body)
        took = time.monotonic() - began
        if took > SLOW_S:
            _log.info("answered %s in %.1f s", request.verb, took)
        return reply

    def _send(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._target, rest) :]


def _version(path: Path) -> tuple[int, int] | None:
    """Which file is at the path; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
