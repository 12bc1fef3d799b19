"""Rescues as folders: those of the rescue folder, and the data folders beside the database's own. As root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from app.adapters.durable import sync_folder
from app.adapters.mirror.receiver import kept_for
from app.adapters.mirror.tree import measure
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
    read_name,
)
from app.settings import Settings

REPORT = "report.json"
FILES = "files"
"""What the names of those folders of a rejoin's rescue begin with that hold files of the mirrored tree."""
REMOVED = ".removed-"
"""What a folder's name begins with once it is no rescue any more and only its space is to be freed."""
CONTENTS_MAX = 200
"""Entries of a folder that are shown."""
CHUNK_BYTES = 256 * 1024
ERROR_CHARACTERS = 500
END_S = 5.0


class FolderRescues:
    """app.ports.Rescues."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept = settings.rescue_dir
        self._database = settings.database_dir

    def entries(self) -> list[RescueEntry]:
        try:
            return newest_first(entry for folder in self._folders() if (entry := _entry(folder)) is not None)
        except OSError as error:
            raise _unreadable(str(self._kept), error) from error

    def show(self, rescue_id: str) -> Rescue:
        folder = self._folder(rescue_id)
        entry = _entry(folder)
        if entry is None:
            raise no_such_rescue()
        try:
            parts = _parts(folder)
            report = _report(folder / REPORT) if entry.kind is RescueKind.REJOIN else {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable(str(folder), error) from error
        mirrored = [part for part in parts if entry.kind is not RescueKind.REJOIN or _holds_files(part.name)]
        name = check_id(rescue_id)
        return Rescue(
            id=entry.id,
            kind=entry.kind,
            at=entry.at,
            path=entry.path,
            term=name.term,
            reason=REASONS[entry.kind],
            transactions=report.get("transactions", 0),
            rows_by_table=report.get("rows_by_table", {}),
            obstacle=report.get("obstacle", ""),
            files=sum(part.files for part in mirrored),
            bytes=sum(part.bytes for part in parts),
            growing=kept_for(self._settings) == rescue_id,
            contents=tuple(parts[:CONTENTS_MAX]),
            arrived=report.get("arrived", 0),
        )

    @contextmanager
    def open(self, rescue_id: str) -> Iterator[Iterator[bytes]]:
        folder = self._folder(rescue_id)
        command = [
            *("tar", "--create", "--gzip", "--sparse", "--numeric-owner", "--xattrs", "--acls", "--format=posix"),
            *("--directory", str(folder.parent), "--", folder.name),
        ]
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
            try:
                yield _chunks(process, errors, folder)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait(END_S)
                if process.stdout is not None:
                    process.stdout.close()

    def remove(self, rescue_id: str) -> None:
        """The folder is renamed, which is durable at once, and its space is freed by `free_space`."""
        folder = self._folder(rescue_id)
        try:
            folder.rename(folder.with_name(f"{REMOVED}{folder.name}"))
            sync_folder(folder.parent)
        except OSError as error:
            raise _unreadable(str(folder), error) from error

    def free_space(self) -> None:
        """What was removed is gone from the disk, also what an interrupted call left."""
        for parent in {self._kept, self._database.parent}:
            for folder in parent.glob(f"{REMOVED}*"):
                shutil.rmtree(folder, ignore_errors=True)

    def _folders(self) -> Iterator[Path]:
        if self._kept.is_dir():
            for folder in self._kept.iterdir():
                name = read_name(folder.name)
                if name is not None and name.kind is not RescueKind.DATABASE:
                    yield folder
        yield from self._database.parent.glob(f"{self._database.name}.aside-*")

    def _folder(self, rescue_id: str) -> Path:
        """The folder of a rescue that is there. Raises NotFound."""
        name = check_id(rescue_id)
        database = name.kind is RescueKind.DATABASE
        if database and not rescue_id.startswith(f"{self._database.name}.aside-"):
            raise no_such_rescue()
        folder = (self._database.parent if database else self._kept) / rescue_id
        if folder.is_symlink() or not folder.is_dir():
            raise no_such_rescue()
        return folder


def _entry(folder: Path) -> RescueEntry | None:
    """The rescue, None where the folder is none or holds nothing."""
    name = read_name(folder.name)
    if name is None or folder.is_symlink() or not folder.is_dir() or not any(folder.iterdir()):
        return None
    at = name.at or datetime.fromtimestamp(int(folder.stat().st_ctime), UTC)
    return RescueEntry(folder.name, name.kind, at, str(folder))


def _parts(folder: Path) -> list[RescuePart]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            files, size = measure(path)
        else:
            files, size = int(path.is_file() and not path.is_symlink()), path.lstat().st_size
        found.append(RescuePart(os.fsencode(path.name).decode("utf-8", "replace"), files, size))
    return found


def _holds_files(name: str) -> bool:
    return name == FILES or name.startswith(f"{FILES}-")


def _report(path: Path) -> dict[str, Any]:
    """What the rescue of the transactions has told of itself; nothing where there were none."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return {
        "transactions": int(found["transactions"]),
        "rows_by_table": {str(table): int(count) for table, count in found["rows_by_table"].items()},
        "obstacle": str(found["obstacle"]),
        "arrived": int(found.get("arrived", 0)),
    }


def _chunks(process: subprocess.Popen[bytes], errors: IO[bytes], folder: Path) -> Iterator[bytes]:
    if process.stdout is None:
        raise AssertionError("tar was started without a pipe")
    while chunk := os.read(process.stdout.fileno(), CHUNK_BYTES):
        yield chunk
    if process.wait() != 0:
        errors.seek(0)
        raise _unreadable(str(folder), errors.read().decode("utf-8", "replace").strip()[-ERROR_CHARACTERS:])


def _unreadable(path: str, error: object) -> LocalFailure:
    return LocalFailure(
        "rescue-unreadable",
        "The Rescue Can't Be Read",
        detail=f"{path}: {error}",
        hint="See that the disk is well. Nothing was changed; root can look at the folder on this server.",
    )
