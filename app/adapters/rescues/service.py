"""Root's service on a Unix socket: the API, which runs without rights, reads and removes rescues through it alone.

A request is `{"verb", "id"}`. After the reply to `open` the archive follows in chunks, each after its length in four
bytes; a length of zero says that it is whole.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.adapters.rescues.folders import FolderRescues
from app.adapters.rootsocket import RootSocket, bad_request, read_request, send_error, send_reply
from app.core.errors import HapairError
from app.core.rescues import ID_LENGTH_MAX

log = logging.getLogger(__name__)

SOCKET = "rescues.sock"
REQUEST_BYTES_MAX = 4 * ID_LENGTH_MAX
STALL_S = 60.0
"""A reader that takes nothing for so long is given up."""
LENGTH = struct.Struct("!I")


class RescueService:
    """Answers in threads of this process until `stop`."""

    def __init__(self, rescues: FolderRescues, run_dir: Path) -> None:
        self._rescues = rescues
        self._socket = RootSocket(run_dir / SOCKET, self._answer)
        self.stop = self._socket.stop
        self._freeing = threading.Lock()
        self._verbs: dict[str, Callable[[str], Any]] = {
            "entries": lambda _id: [asdict(each) for each in rescues.entries()],
            "show": lambda rescue_id: asdict(rescues.show(rescue_id)),
            "remove": rescues.remove,
        }

    def start(self) -> None:
        """The API may ask, and what was removed before is freed. Raises OSError."""
        self._socket.start()
        self._free_space()

    def _answer(self, connection: socket.socket) -> None:
        try:
            verb, rescue_id = _request(connection)
            connection.settimeout(STALL_S)
            if verb == "open":
                self._send_archive(connection, rescue_id)
                return
            reply = self._verbs[verb](rescue_id)
        except HapairError as error:
            send_error(connection, error)
            return
        send_reply(connection, reply)
        if verb == "remove":
            self._free_space()

    def _send_archive(self, connection: socket.socket, rescue_id: str) -> None:
        """Where it breaks off the connection ends without the last length, which the reader notices."""
        with self._rescues.open(rescue_id) as chunks:
            send_reply(connection, None)
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
    found = read_request(connection, REQUEST_BYTES_MAX)
    verb, rescue_id = found.get("verb"), found.get("id")
    if verb not in {"entries", "show", "open", "remove"} or not isinstance(rescue_id, str):
        raise bad_request()
    return str(verb), rescue_id
