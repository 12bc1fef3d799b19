"""The seed: a physical copy of a running server, streamed to the other node and made ready there.

mariadb-backup copies the files while the server goes on writing, and ends with the redo log and the GTID position
that the copy has. The receiver unpacks as the database's own account, so that nothing in the stream can touch other
files, and nothing has to be handed over afterwards.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from app.adapters.durable import remove_file, sync_folder, write_file
from app.adapters.mariadb.connection import MANAGER_ACCOUNT
from app.adapters.mariadb.programs import last_words, program, run
from app.core.errors import InvalidInput, LocalFailure
from app.core.positions import merge
from app.ports import Progress

CHUNK_BYTES = 1 << 20
PARALLEL = 2
"""Threads that copy and unpack; the measured best on two cores."""
PREPARE_MEMORY = "512M"
PREPARE_S = 3600.0
SYNC_S = 3600.0
POSITION_FILES = ("xtrabackup_binlog_info", "mariadb_backup_binlog_info")
"""Where mariadb-backup notes the position; the name changed with its versions."""
LAST_FILES = ("xtrabackup_info", "mariadb_backup_info")
"""The last file of a whole stream."""
_NOT_COPIED = ("binlog.", "relay.", "ib_logfile", "ibtmp")


def data_bytes(data_dir: Path) -> int:
    """About how much a seed transfers: the data files without logs."""
    total = 0
    for folder, _, names in os.walk(data_dir):
        for name in names:
            if not name.startswith(_NOT_COPIED):
                try:
                    total += (Path(folder) / name).stat().st_size
                except FileNotFoundError:  # a table was dropped meanwhile
                    continue
    return total


def send_seed(socket: Path, data_dir: Path, target: int) -> None:
    """The copy has been written to the file descriptor, whole. Raises LocalFailure (code `seed-failed`)."""
    command = [
        "mariadb-backup", "--no-defaults", "--backup", "--stream=xbstream", f"--parallel={PARALLEL}",
        f"--socket={socket}", f"--user={MANAGER_ACCOUNT}", f"--datadir={data_dir}", "--target-dir=/tmp",
    ]  # fmt: skip
    with suppress(OSError):  # what is no pipe needs no widening
        _widen(target)
    with program(command, stdout=target) as (process, complaints):
        if process.wait() != 0:
            raise _failed(f"mariadb-backup: {last_words(complaints)}")


def receive_seed(chunks: Iterator[bytes], staging: Path, progress: Progress, *, account: str, like: Path) -> str:
    """The copy is in `staging`, ready to be served and on disk; the position it ends at.

    The folder gets the mode of `like`. What an earlier try has left there is removed first.
    """
    discard(staging)
    staging.mkdir(parents=True, mode=0o700)
    shutil.chown(staging, account, account)
    _unpack(chunks, staging, progress, account)
    if not any((staging / name).is_file() for name in LAST_FILES):
        raise _failed("the stream ended before its last file")
    run(
        ["mariadb-backup", "--no-defaults", "--prepare", f"--target-dir={staging}", f"--use-memory={PREPARE_MEMORY}"],
        failed=_FAILED,
        timeout_s=PREPARE_S,
        account=account,
    )
    position = _position(staging)
    if like.is_dir():
        staging.chmod(like.stat().st_mode & 0o777)
    run(["sync", "--file-system", str(staging)], failed=_FAILED, timeout_s=SYNC_S)
    sync_folder(staging.parent)
    write_file(whole_mark(staging), f"{position}\n".encode(), 0o600)
    return position


def whole_mark(staging: Path) -> Path:
    """The file beside a staged copy that says that it is whole and on disk."""
    return staging.with_name(f"{staging.name}.whole")


def discard(staging: Path) -> None:
    """Nothing of a staged copy is left."""
    remove_file(whole_mark(staging))
    if staging.exists():
        shutil.rmtree(staging)


def _unpack(chunks: Iterator[bytes], staging: Path, progress: Progress, account: str) -> None:
    command = ["mbstream", "--extract", f"--directory={staging}", f"--parallel={PARALLEL}"]
    received = 0
    with program(command, stdin=subprocess.PIPE, account=account) as (process, complaints):
        entrance = _open(process.stdin)
        _widen(entrance.fileno())
        try:
            for chunk in chunks:
                entrance.write(chunk)
                received += len(chunk)
                progress(received, None)
            entrance.close()
        except BrokenPipeError as error:
            process.wait()
            raise _failed(f"mbstream: {last_words(complaints)}") from error
        if process.wait() != 0:
            raise _failed(f"mbstream: {last_words(complaints)}")


def _position(staging: Path) -> str:
    """The third field of the file in which the backup noted its place: the GTID position, empty on a fresh server."""
    for name in POSITION_FILES:
        try:
            fields = (staging / name).read_text().split()
        except FileNotFoundError:
            continue
        try:
            return merge(fields[2]) if len(fields) > 2 else ""
        except InvalidInput as error:
            raise _failed(f"{name}: {error.detail}") from error
    raise _failed("the copy has no position: the primary writes no binary log")


def _widen(pipe: int) -> None:
    """The pipe holds a whole chunk, so that both ends work at the same time."""
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the program was started without this pipe")
    return pipe


_FAILED = (
    "seed-failed",
    "The Copy of the Primary's Data Failed",
    "Nothing was replaced: this server's own data is in its place. See the details, then try again.",
)


def _failed(detail: str) -> LocalFailure:
    code, title, hint = _FAILED
    return LocalFailure(code, title, detail=detail, hint=hint)
