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

from app.adapters.durable import make_folder
from app.adapters.mirror.tree import INCOMING
from app.core.errors import LocalFailure, PeerRefused
from app.settings import Settings

TURN_S = 10.0
"""How long a batch waits for the one before it."""
STOP_S = 5.0
POLL_S = 0.05
_libc = ctypes.CDLL(None, use_errno=True)


def receive(settings: Settings, options: Sequence[str], check: Callable[[], None]) -> int:
    """rsync's exit code, after what it received was synced to disk. See the port."""
    with _turn(settings.state_dir, TURN_S) as lock:
        check()
        command = ["rsync", *options, f"--temp-dir={_empty_temporary_folder(settings)}"]
        if "--delete" in options:
            command += ["--backup", f"--backup-dir={_rescue_folder(settings)}"]
        command += [".", f"{settings.files_dir}/"]
        with subprocess.Popen(command, cwd=settings.files_dir, pass_fds=(lock,)) as process:
            os.pwrite(lock, b"%-12d" % process.pid, 0)
            code = process.wait()
        _sync_file_system(settings.files_dir)
    return code


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


def _rescue_folder(settings: Settings) -> Path:
    """Where a full pass puts what it deletes; made by rsync when there is something."""
    make_folder(settings.rescue_dir, 0o700)
    return settings.rescue_dir / f"mirror-deleted-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _sync_file_system(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _libc.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed")
    finally:
        os.close(descriptor)
