"""Rescues as an account without rights sees them: through root's service on its socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

from app.adapters.rescues.service import LENGTH, SOCKET
from app.adapters.rootsocket import NoAnswer, ask, connect, exchange
from app.core.errors import LocalFailure
from app.core.rescues import Rescue, RescueEntry, RescueKind, RescuePart, check_id

ANSWER_TIMEOUT_S = 30.0
"""To measure a folder of a million files takes some of it."""
STALL_S = 60.0
CHUNK_BYTES_MAX = 16 * 1024 * 1024


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
        with ExitStack() as opened:
            try:
                connection = opened.enter_context(connect(self._path))
                source = opened.enter_context(connection.makefile("rb"))
                exchange(connection, source, {"verb": "open", "id": rescue_id}, ANSWER_TIMEOUT_S)
            except NoAnswer as error:
                raise _unavailable(error) from error
            connection.settimeout(STALL_S)
            yield _chunks(source)

    def _ask(self, verb: str, rescue_id: str) -> Any:
        try:
            return ask(self._path, {"verb": verb, "id": rescue_id}, ANSWER_TIMEOUT_S)
        except NoAnswer as error:
            raise _unavailable(error) from error


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
