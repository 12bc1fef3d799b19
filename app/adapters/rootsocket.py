"""Narrow ways to root: a Unix socket on which one of root's processes answers the API, which has no rights.

A request is one JSON line, a reply one JSON line: `{"ok": true, "reply"}` or `{"ok": false, "error"}`. Nobody but root
and the account that owns the run folder can reach the socket.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Any

from app.core.errors import HapairError, InvalidInput, LocalFailure, NotFound
from app.ports import Json

log = logging.getLogger(__name__)

SOCKET_MODE = 0o660
REQUEST_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0
BACKLOG = 8
CONNECTIONS_MAX = 8
"""Requests at a time; more wait until one ends."""
REPLY_BYTES_MAX = 8 * 1024 * 1024
_ERRORS: dict[str, type[HapairError]] = {each.__name__: each for each in (NotFound, InvalidInput, LocalFailure)}


class NoAnswer(Exception):
    """Root's process does not answer; the message says why."""


class RootSocket:
    """Answers each connection by `answer`, in threads of this process, until `stop`."""

    def __init__(self, path: Path, answer: Callable[[socket.socket], None]) -> None:
        self._path = path
        self._answer = answer
        self._listener: socket.socket | None = None
        self._slots = threading.BoundedSemaphore(CONNECTIONS_MAX)

    def start(self) -> None:
        """The socket is there, for the group that owns its folder. Raises OSError."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(str(self._path))
            os.chown(self._path, -1, self._path.parent.stat().st_gid)
            self._path.chmod(SOCKET_MODE)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name=self._path.stem, daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # A thread that waits in accept is only woken by the shutdown.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self._path.unlink(missing_ok=True)

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._slots.acquire()
            name = f"{self._path.stem}-reader"
            threading.Thread(target=self._serve, args=(connection,), name=name, daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(REQUEST_TIMEOUT_S)
                self._answer(connection)
        except OSError as error:
            log.info("a reader of %s has gone: %s", self._path, error)
        finally:
            self._slots.release()


def read_request(connection: socket.socket, bytes_max: int) -> Json:
    """The request; an empty one where the line is no JSON object of at most that many bytes."""
    with connection.makefile("rb") as source:
        line = source.readline(bytes_max)
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def send_reply(connection: socket.socket, reply: Any) -> None:
    _send(connection, {"ok": True, "reply": reply})


def send_error(connection: socket.socket, error: HapairError) -> None:
    said = {"code": error.code, "title": error.title, "detail": error.detail, "hint": error.hint}
    _send(connection, {"ok": False, "error": {"kind": type(error).__name__, **said, "errors": error.errors}})


def bad_request() -> InvalidInput:
    return InvalidInput("bad-request", "The Request Can't Be Read")


def connect(path: Path) -> socket.socket:
    """Raises NoAnswer."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(CONNECT_TIMEOUT_S)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise NoAnswer(str(error)) from error
    return connection


def exchange(connection: socket.socket, source: BufferedReader, request: Json, timeout_s: float) -> Any:
    """The reply. Raises the error that root's process raised, or NoAnswer."""
    connection.settimeout(timeout_s)
    try:
        _send(connection, request)
        answer = json.loads(source.readline(REPLY_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise NoAnswer(str(error)) from error
    if not answer["ok"]:
        said = answer["error"]
        kind = _ERRORS.get(said["kind"], LocalFailure)
        raise kind(said["code"], said["title"], detail=said["detail"], hint=said["hint"], errors=said["errors"])
    return answer["reply"]


def ask(path: Path, request: Json, timeout_s: float) -> Any:
    """One request and its reply. Raises as `exchange`."""
    with connect(path) as connection, connection.makefile("rb") as source:
        return exchange(connection, source, request, timeout_s)


def _send(connection: socket.socket, document: Json) -> None:
    connection.sendall(json.dumps(document, default=str).encode() + b"\n")
