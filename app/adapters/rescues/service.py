"""Root's service on a Unix socket: the API, which runs without rights, reads and removes rescues through it alone.

A request is one JSON line `{"verb", "id"}`, a reply one JSON line. After the reply to `open` the archive follows in
chunks, each after its length in four bytes; a length of zero says that it is whole. Nobody but root and the account
that owns the run folder can reach the socket.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.adapters.rescues.folders import FolderRescues
from app.core.errors import HapairError, InvalidInput
from app.core.rescues import ID_LENGTH_MAX

log = logging.getLogger(__name__)

SOCKET = "rescues.sock"
SOCKET_MODE = 0o660
REQUEST_BYTES_MAX = 4 * ID_LENGTH_MAX
REQUEST_TIMEOUT_S = 5.0
STALL_S = 60.0
"""A reader that takes nothing for so long is given up."""
BACKLOG = 8
CONNECTIONS_MAX = 8
"""Requests and downloads at a time; more wait until one ends."""
LENGTH = struct.Struct("!I")


class RescueService:
    """Answers in threads of this process until `stop`."""

    def __init__(self, rescues: FolderRescues, run_dir: Path) -> None:
        self._rescues = rescues
        self._path = run_dir / SOCKET
        self._listener: socket.socket | None = None
        self._slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._freeing = threading.Lock()
        self._verbs: dict[str, Callable[[str], Any]] = {
            "entries": lambda _id: [asdict(each) for each in rescues.entries()],
            "show": lambda rescue_id: asdict(rescues.show(rescue_id)),
            "remove": rescues.remove,
        }

    def start(self) -> None:
        """The socket is there, for the owner of the run folder's group. Raises OSError."""
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
        threading.Thread(target=self._accept, args=(listener,), name="rescues", daemon=True).start()
        self._free_space()

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
            threading.Thread(target=self._serve, args=(connection,), name="rescue-reader", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._answer(connection)
        except OSError as error:
            log.info("a reader of rescues has gone: %s", error)
        finally:
            self._slots.release()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(REQUEST_TIMEOUT_S)
        try:
            verb, rescue_id = _request(connection)
            connection.settimeout(STALL_S)
            if verb == "open":
                self._send_archive(connection, rescue_id)
                return
            reply = self._verbs[verb](rescue_id)
        except HapairError as error:
            _send_line(connection, {"ok": False, "error": _plain(error)})
            return
        _send_line(connection, {"ok": True, "reply": reply})
        if verb == "remove":
            self._free_space()

    def _send_archive(self, connection: socket.socket, rescue_id: str) -> None:
        """Where it breaks off the connection ends without the last length, which the reader notices."""
        with self._rescues.open(rescue_id) as chunks:
            _send_line(connection, {"ok": True, "reply": None})
            try:
                for chunk in chunks:
                    connection.sendall(LENGTH.pack(len(chunk)) + chunk)
            except HapairError as error:
                log.warning("the archive of %s broke off: %s", rescue_id, error)
                return
        connection.sendall(LENGTH.pack(0))

    def _free_space(self) -> None:
        threading.Thread(target=self._free, name="rescue-removal", daemon=True).start()

    def _free(self) -> None:
        with self._freeing:
            self._rescues.free_space()


def _request(connection: socket.socket) -> tuple[str, str]:
    """(verb, id). Raises InvalidInput."""
    with connection.makefile("rb") as source:
        line = source.readline(REQUEST_BYTES_MAX)
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    verb, rescue_id = (found.get("verb"), found.get("id")) if isinstance(found, dict) else (None, None)
    if verb not in {"entries", "show", "open", "remove"} or not isinstance(rescue_id, str):
        raise InvalidInput("bad-request", "The Request Can't Be Read")
    return str(verb), rescue_id


def _send_line(connection: socket.socket, document: dict[str, Any]) -> None:
    connection.sendall(json.dumps(document, default=str).encode() + b"\n")


def _plain(error: HapairError) -> dict[str, str]:
    return {
        "kind": type(error).__name__, "code": error.code, "title": error.title, "detail": error.detail,
        "hint": error.hint,
    }  # fmt: skip
