"""The receiving end of the mirror: one rsync at a time into the tree, and onto the disk before it reports success."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.adapters.durable import make_folder, remove_file, write_file
from app.adapters.mirror.tree import INCOMING
from app.core.errors import LocalFailure, PeerRefused
from app.settings import Settings

TURN_S = 10.0
"""How long a batch waits for the one before it."""
STOP_S = 5.0
POLL_S = 0.05
KEEP = "keep-replaced"
"""The file in the state folder that names the rescue which gets all that is overwritten or deleted."""
FOLDERS_MAX = 1000
"""Batches that may come until a first full pass is whole."""
_libc = ctypes.CDLL(None, use_errno=True)


def receive(settings: Settings, options: Sequence[str], check: Callable[[], None]) -> int:
    """rsync's exit code, after what it received was synced to disk. See the port."""
    with _turn(settings.state_dir, TURN_S) as lock:
        check()
        command = ["rsync", *options, f"--temp-dir={_empty_temporary_folder(settings)}"]
        kept = kept_for(settings)
        deletes = "--delete" in options
        rescue = _rescue_folder(settings, kept, deletes=deletes) if kept or deletes else None
        if rescue is not None:
            command += ["--backup", f"--backup-dir={rescue}"]
        command += [".", f"{settings.files_dir}/"]
        with subprocess.Popen(command, cwd=settings.files_dir, pass_fds=(lock,)) as process:
            os.pwrite(lock, b"%-12d" % process.pid, 0)
            code = process.wait()
        _sync_file_system(settings.files_dir)
        if rescue is not None:
            _sync_file_system(settings.rescue_dir)
        if kept and code == 0 and not any(option.startswith("--delete") for option in options):
            # A pass without a list and without deletions is the last one of a full pass: the trees are alike now.
            remove_file(settings.state_dir / KEEP)
    return code


def keep_replaced(settings: Settings, name: str) -> None:
    """What the next batches overwrite or delete is kept in the rescue `name`, until the trees are alike. Durable."""
    write_file(settings.state_dir / KEEP, name.encode(), 0o600)


def kept_for(settings: Settings) -> str:
    """The rescue that gets what is overwritten or deleted; empty where nothing but a full pass's deletions is kept."""
    try:
        return (settings.state_dir / KEEP).read_text().strip()
    except FileNotFoundError:
        return ""


def stop_receiving(settings: Settings) -> None:
    """No batch is being received. Raises LocalFailure (code `receiver-busy`) if one can't be ended."""
    try:
        with _turn(settings.state_dir, 0.0):
            return
    except PeerRefused:
        _end_receiver(_lock_path(settings.state_dir))
    try:
        with _turn(settings.state_dir, STOP_S):
            return
    except PeerRefused as error:
        raise LocalFailure(
            "receiver-busy",
            "Files Are Still Being Received",
            detail="A batch of files from the former primary could not be ended.",
            hint="See which rsync process runs on this server and end it.",
        ) from error


def _end_receiver(path: Path) -> None:
    """The rsync that holds the lock is asked to end, if the number in the file really is one."""
    try:
        pid = int(path.read_bytes() or b"0")
        if pid > 0 and Path(f"/proc/{pid}/comm").read_text("utf-8").strip() == "rsync":
            os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return


@contextmanager
def _turn(state_dir: Path, timeout_s: float) -> Iterator[int]:
    """The lock's descriptor, while it is held. Raises PeerRefused (code `receiver-busy`)."""
    descriptor = os.open(_lock_path(state_dir), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + timeout_s
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                raise PeerRefused(
                    "receiver-busy",
                    "Another Batch Of Files Is Being Received",
                    hint="The next batch is tried by itself.",
                )
            time.sleep(POLL_S)
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_path(state_dir: Path) -> Path:
    return state_dir / "receive.lock"


def _empty_temporary_folder(settings: Settings) -> Path:
    """An empty folder on the tree's file system, so that a finished file gets its name at once; what an interrupted
    batch left there is gone."""
    outside = settings.state_dir / "mirror-incoming"
    make_folder(outside, 0o700)
    same = outside.stat().st_dev == settings.files_dir.stat().st_dev
    folder = outside if same else settings.files_dir / INCOMING
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder, 0o700)
    return folder


def _rescue_folder(settings: Settings, kept: str, *, deletes: bool) -> Path:
    """Where a batch puts what it takes away; made by rsync when there is something. Never one of an earlier batch,
    because a file that was replaced twice would lose its first content there."""
    make_folder(settings.rescue_dir, 0o700)
    if not kept:
        return settings.rescue_dir / f"mirror-deleted-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    stem = "files-deleted" if deletes else "files-replaced"
    names = (stem, *(f"{stem}-{number}" for number in range(2, FOLDERS_MAX)))
    free = (folder for name in names if not (folder := settings.rescue_dir / kept / name).exists())
    unused = next(free, None)
    if unused is None:
        raise LocalFailure(
            "rescue-full",
            "Files Are Not Received Any More",
            detail=f"The first full pass since the rejoin was broken off {FOLDERS_MAX} times.",
            hint="See why it breaks off; what it has replaced so far is kept in the rescues.",
        )
    return unused


def _sync_file_system(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _libc.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed")
    finally:
        os.close(descriptor)
