"""Changing data folders under a stopped server, by renames that survive a power cut at any point.

What exists tells how far a switch has come, so each call finds its place again:

| data | staging | aside | then |
|---|---|---|---|
| yes | yes | no  | not begun: data becomes aside, staging becomes data |
| no  | yes | yes | cut off in the middle: staging becomes data |
| yes | no  | yes | done |
"""

from __future__ import annotations

import errno
import fcntl
import shutil
from pathlib import Path

from app.adapters.durable import remove_file, sync_folder
from app.adapters.mariadb.connection import Manager
from app.adapters.mariadb.seeding import whole_mark
from app.core.errors import LocalFailure

LOOK_S = 2.0
LOCKED_FILE = "ibdata1"
"""InnoDB's system table space, locked as long as a server runs."""


def switch_data(manager: Manager, data: Path, staging: Path, aside: Path) -> None:
    """`staging` is the data folder, and what was there is in `aside`. Raises LocalFailure (codes `database-running`,
    `seed-missing`, `aside-taken`, `data-folder-fixed`)."""
    _must_be_stopped(manager, data)
    if staging.exists() and not whole_mark(staging).exists():
        raise _seed_missing(f"{staging} is not whole")
    if not staging.exists():
        if not (data.exists() and aside.exists()):
            raise _seed_missing(f"{staging} does not exist")
    else:
        if data.exists():
            _move(data, aside)
        _move(staging, data)
    remove_file(whole_mark(staging))


def switch_back(manager: Manager, data: Path, aside: Path) -> None:
    """What was in `aside` is the data folder again, and the copy that took its place is gone."""
    _must_be_stopped(manager, data)
    replaced = aside.with_name(f"{aside.name}.replaced")
    if aside.exists():
        if data.exists():
            _move(data, replaced)
        _move(aside, data)
    if replaced.exists():
        shutil.rmtree(replaced)


def discard(data: Path, folder: Path) -> None:
    """The folder beside the data folder is gone, with the mark that calls it whole."""
    if folder == data or folder.parent != data.parent:
        raise LocalFailure(
            "not-discardable",
            "This Folder Is Not Discarded",
            detail=f"{folder} is not a copy beside the data folder {data}.",
        )
    remove_file(whole_mark(folder))
    if folder.exists():
        shutil.rmtree(folder)


def _move(source: Path, target: Path) -> None:
    if target.exists():
        raise LocalFailure(
            "aside-taken",
            "A Data Folder of That Name Is There Already",
            detail=f"{source} can't become {target}.",
            hint="Move the folder away if it is no longer needed, then try again.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError as error:
        fixed = error.errno in {errno.EXDEV, errno.EBUSY}
        raise LocalFailure(
            "data-folder-fixed" if fixed else "disk-failed",
            "The Data Folder Can't Be Renamed",
            detail=f"{source} to {target}: {error.strerror}.",
            hint="Data folder, copy and old data must be plain folders on one file system." if fixed else "",
        ) from error
    sync_folder(target.parent)
    sync_folder(source.parent)


def _must_be_stopped(manager: Manager, data: Path) -> None:
    """Raises LocalFailure `database-running` also for a server that is just starting, is frozen or hangs."""
    try:
        with manager.session("Seeing that the database is stopped", LOOK_S):
            pass
    except LocalFailure as failure:
        if failure.code == "database-down" and not _locked(data / LOCKED_FILE):
            return
    raise LocalFailure(
        "database-running",
        "The Database Server Still Runs",
        detail="Its data folder can't be changed under it.",
        hint="Stop the service mariadb, then try again.",
    )


def _locked(path: Path) -> bool:
    """Whether a process holds the lock that a server takes on its data as the first thing when it starts."""
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EAGAIN}:
            return True
        raise
    return False


def _seed_missing(detail: str) -> LocalFailure:
    return LocalFailure(
        "seed-missing",
        "There Is No Whole Copy of the Primary's Data",
        detail=f"{detail}.",
        hint="Fetch the copy again.",
    )
