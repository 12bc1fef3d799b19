"""Rescues as an account without rights sees them: through root's service on its socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

from app.adapters.rescues.service import LENGTH, SOCKET
from app.core.errors import HapairError, InvalidInput, LocalFailure, NotFound
from app.core.rescues import Rescue, RescueEntry, RescueKind, RescuePart, check_id

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 30.0
"""To measure a folder of a million files takes some of it."""
STALL_S = 60.0
CHUNK_BYTES_MAX = 16 * 1024 * 1024
LINE_BYTES_MAX = 8 * 1024 * 1024
_ERRORS: dict[str, type[HapairError]] = {each.__name__: each for each in (NotFound, InvalidInput, LocalFailure)}


class RemoteRescues:
    """app.ports.Rescues."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / SOCKET

    def entries(self) -> list[RescueEntry]:
        return [_entry(each) for each in self._ask("entries", "")]

    def show(self, rescue_id: str) -> Rescue:
        check_id(rescue_id)
        return _rescue(self._ask("show", rescue_id))

    def remove(self, rescue_id: str) -> None:
        check_id(rescue_id)
        self._ask("remove", rescue_id)

    @contextmanager
    def open(self, rescue_id: str) -> Iterator[Iterator[bytes]]:
        check_id(rescue_id)
        with self._connected() as connection, connection.makefile("rb") as source:
            _exchange(connection, source, "open", rescue_id)
            connection.settimeout(STALL_S)
            yield _chunks(source)

    def _ask(self, verb: str, rescue_id: str) -> Any:
        with self._connected() as connection, connection.makefile("rb") as source:
            return _exchange(connection, source, verb, rescue_id)

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(CONNECT_TIMEOUT_S)
        try:
            connection.connect(str(self._path))
        except OSError as error:
            connection.close()
            raise _unavailable(error) from error
        return connection


def _exchange(connection: socket.socket, source: BufferedReader, verb: str, rescue_id: str) -> Any:
    """The reply. Raises the service's error, or LocalFailure (code `rescues-unavailable`)."""
    connection.settimeout(ANSWER_TIMEOUT_S)
    try:
        connection.sendall(json.dumps({"verb": verb, "id": rescue_id}).encode() + b"\n")
        answer = json.loads(source.readline(LINE_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise _unavailable(error) from error
    if not answer["ok"]:
        said = answer["error"]
        kind = _ERRORS.get(said["kind"], LocalFailure)
        raise kind(said["code"], said["title"], detail=said["detail"], hint=said["hint"])
    return answer["reply"]


def _chunks(source: BufferedReader) -> Iterator[bytes]:
    while True:
        try:
            head = source.read(LENGTH.size)
            size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else None
            chunk = b"" if size is None else source.read(min(size, CHUNK_BYTES_MAX))
        except OSError as error:
            raise _broken_off(str(error)) from error
        if size == 0:
            return
        if size is None or len(chunk) != size:
            raise _broken_off("the archive ended too early")
        yield chunk


def _entry(found: dict[str, Any]) -> RescueEntry:
    return RescueEntry(found["id"], RescueKind(found["kind"]), datetime.fromisoformat(found["at"]), found["path"])


def _rescue(found: dict[str, Any]) -> Rescue:
    converted = {
        "kind": RescueKind(found["kind"]),
        "at": datetime.fromisoformat(found["at"]),
        "contents": tuple(RescuePart(**each) for each in found["contents"]),
    }
    return Rescue(**{**found, **converted})


def _unavailable(error: Exception) -> LocalFailure:
    return LocalFailure(
        "rescues-unavailable",
        "The Rescues Can't Be Looked At Now",
        detail=f"Only root may read them, and root's part does not answer ({error}).",
        hint="See that the service hapair-worker runs on this server, then try again.",
    )


def _broken_off(detail: str) -> LocalFailure:
    return LocalFailure(
        "rescue-unreadable",
        "The Rescue Can't Be Read",
        detail=f"The archive is not whole: {detail}.",
        hint="Download it again; the log of the service hapair-worker says why it broke off.",
    )
