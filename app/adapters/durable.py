"""Files that are there whole or not at all, also after a power cut."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from app.core.errors import LocalFailure


def sync_folder(folder: Path) -> None:
    """The names in the folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int) -> None:
    """The folder exists, durably, with this mode if it is new."""
    if folder.is_dir():
        return
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    folder.chmod(mode)
    sync_folder(folder.parent)


def write_file(
    path: Path, content: bytes, mode: int, *, owner: tuple[int, int] = (-1, -1), replace: bool = True
) -> bool:
    """The file holds exactly `content`, on disk, with this mode and (user id, group id); whether it was written.

    With `replace=False` a file that is there already stays as it is, also when two processes try at once.
    Raises LocalFailure (code `disk-failed`).
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                os.fchown(file.fileno(), *owner)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            written = _put(temporary, path, replace=replace)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise LocalFailure(
            "disk-failed",
            "A File Could Not Be Written",
            detail=f"{path}: {error.strerror or error}.",
            hint="See that the disk has free space and is not read-only, then try again.",
        ) from error
    return written


def _put(temporary: Path, path: Path, *, replace: bool) -> bool:
    if replace:
        temporary.replace(path)
        return True
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    return True


def remove_file(path: Path) -> None:
    """There is no such file, durably."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_folder(path.parent)
