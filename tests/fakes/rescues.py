"""Rescues in memory."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from app.core.errors import LocalFailure
from app.core.rescues import (
    REASONS,
    Rescue,
    RescueEntry,
    RescueKind,
    RescuePart,
    check_id,
    newest_first,
    no_such_rescue,
)
from tests.fakes.clock import START


class FakeRescues:
    """app.ports.Rescues; `keep` puts a rescue there, with its files by their path in the folder."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, bytes]] = {}
        self.times: dict[str, datetime] = {}
        self.transactions: dict[str, dict[str, int]] = {}
        """Rows by table of a rejoin's rescue; as many transactions as rows."""
        self.growing = ""
        self.down = False
        self.broken = False
        """An archive breaks off after its first chunk."""

    def keep(self, rescue_id: str, files: dict[str, bytes], rows: dict[str, int] | None = None) -> None:
        name = check_id(rescue_id)
        self.kept[rescue_id] = dict(files)
        self.times[rescue_id] = name.at or START
        self.transactions[rescue_id] = dict(rows or {})

    def entries(self) -> list[RescueEntry]:
        self._asked()
        return newest_first(self._entry(each) for each, files in self.kept.items() if files)

    def show(self, rescue_id: str) -> Rescue:
        files = self._files(rescue_id)
        entry, rows = self._entry(rescue_id), self.transactions[rescue_id]
        tops = sorted({path.split("/")[0] for path in files})
        parts = [
            RescuePart(top, len(found), sum(map(len, found)))
            for top in tops
            if (found := [content for path, content in files.items() if path.split("/")[0] == top])
        ]
        mirrored = [part for part in parts if entry.kind is not RescueKind.REJOIN or part.name.startswith("files")]
        return Rescue(
            id=entry.id, kind=entry.kind, at=entry.at, path=entry.path, term=check_id(rescue_id).term,
            reason=REASONS[entry.kind], transactions=sum(rows.values()), rows_by_table=rows, obstacle="",
            files=sum(part.files for part in mirrored), bytes=sum(part.bytes for part in parts),
            growing=self.growing == rescue_id, contents=tuple(parts),
        )  # fmt: skip

    @contextmanager
    def open(self, rescue_id: str) -> Iterator[Iterator[bytes]]:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for path, content in self._files(rescue_id).items():
                member = tarfile.TarInfo(f"{rescue_id}/{path}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        yield self._chunks(archive.getvalue())

    def remove(self, rescue_id: str) -> None:
        self._files(rescue_id)
        del self.kept[rescue_id]

    def _chunks(self, content: bytes) -> Iterator[bytes]:
        yield content[:10]
        if self.broken:
            raise LocalFailure("rescue-unreadable", "The Rescue Can't Be Read")
        yield content[10:]

    def _entry(self, rescue_id: str) -> RescueEntry:
        return RescueEntry(rescue_id, check_id(rescue_id).kind, self.times[rescue_id], f"/rescue/{rescue_id}")

    def _files(self, rescue_id: str) -> dict[str, bytes]:
        self._asked()
        check_id(rescue_id)
        if rescue_id not in self.kept:
            raise no_such_rescue()
        return self.kept[rescue_id]

    def _asked(self) -> None:
        if self.down:
            raise LocalFailure("rescues-unavailable", "The Rescues Can't Be Looked At Now")
