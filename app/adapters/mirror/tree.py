"""The tree of files on this server: how large it is, what it holds, and how it is put aside and back.

Paths inside the tree are bytes relative to its root, because file names are bytes.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.adapters.durable import make_folder, sync_folder
from app.core.errors import LocalFailure

INCOMING = ".hapair-incoming"
"""Where a receiver keeps unfinished files when the state folder is on another file system."""
OWN_NAMES = (INCOMING, "lost+found")
"""At the root of the tree; never mirrored."""
COPY_TIMEOUT_S = 6 * 3600.0


def measure(root: Path) -> tuple[int, int]:
    """(regular files, their bytes) below the root."""
    files = size = 0
    for entry in _entries(os.fsencode(root)):
        if entry.is_file(follow_symlinks=False):
            files += 1
            size += entry.stat(follow_symlinks=False).st_size
    return files, size


def paths_below(root: Path, relative: bytes) -> Iterator[bytes]:
    """The path and everything below it, if it is a folder."""
    yield relative
    base = os.fsencode(root)
    for entry in _entries(base + b"/" + relative):
        yield os.path.relpath(entry.path, base)


def _entries(folder: bytes) -> Iterator[os.DirEntry[bytes]]:
    """All entries below the folder; what vanishes under way is left out."""
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                found = list(entries)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                yield entry
            except FileNotFoundError:
                continue


def with_all_names(root: Path, paths: set[bytes]) -> set[bytes]:
    """The paths, and every other name inside the tree of each file among them that has several names (hard links).

    The tree is searched only where names are missing, because rsync keeps hard links only among the names it is given.
    """
    wanted: dict[tuple[int, int], int] = {}
    base = os.fsencode(root)
    for path in paths:
        found = _status(base + b"/" + path)
        if found is not None and stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            identity = (found.st_dev, found.st_ino)
            wanted[identity] = wanted.get(identity, found.st_nlink) - 1
    if not any(wanted.values()):
        return paths
    names = set(paths)
    for entry in _entries(base):
        found = _status(entry.path) if entry.is_file(follow_symlinks=False) else None
        if found is not None and found.st_nlink > 1 and (found.st_dev, found.st_ino) in wanted:
            names.add(os.path.relpath(entry.path, base))
    return names


def settled(root: Path, paths: Iterable[bytes]) -> set[bytes]:
    """The paths as they can be told to the receiver: where a folder on the way is gone or is no folder any more, the
    uppermost such path takes the place of what was below it."""
    base = os.fsencode(root)
    is_folder: dict[bytes, bool] = {b"": True}
    result = set()
    for path in paths:
        parts = path.split(b"/")
        for depth in range(1, len(parts)):
            parent = b"/".join(parts[:depth])
            if parent not in is_folder:
                found = _status(base + b"/" + parent)
                is_folder[parent] = found is not None and stat.S_ISDIR(found.st_mode)
            if not is_folder[parent]:
                result.add(parent)
                break
        else:
            result.add(path)
    return result


def _status(path: bytes) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def move_aside(root: Path, rescue: Path, name: str) -> Path:
    """The tree is `rescue/name`, and an empty folder with the same owner and mode takes its place.

    May be repeated after a crash at any point: until the last rename the target is called `name.partial`.
    """
    target, partial = rescue / name, rescue / f"{name}.partial"
    make_folder(rescue, 0o700)
    if not target.exists():
        _move_contents(root, partial)
        partial.rename(target)
        sync_folder(rescue)
    _make_root_like(root, target)
    return target


def move_back(root: Path, rescue: Path, name: str) -> None:
    """The tree is again what `rescue/name` held; what was in its place (the peer's files) is gone. Idempotent."""
    source, replaced = rescue / name, rescue / f"{name}.replaced"
    if source.exists():
        _move_contents(root, replaced)
        _make_root_like(root, source)
        _move_contents(source, root)
        source.rmdir()
        sync_folder(rescue)
    if replaced.exists():
        shutil.rmtree(replaced)


def _make_root_like(root: Path, model: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    status = model.stat()
    os.chown(root, status.st_uid, status.st_gid)
    root.chmod(stat.S_IMODE(status.st_mode))
    sync_folder(root.parent)


def _move_contents(source: Path, target: Path) -> None:
    """All that is in `source` is in `target`, durably; `source` stays, because it may be a mount point."""
    target.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        return
    status = source.stat()
    os.chown(target, status.st_uid, status.st_gid)
    target.chmod(stat.S_IMODE(status.st_mode))
    if status.st_dev != target.stat().st_dev:
        _copy(source, target)
    for entry in list(os.scandir(source)):
        if entry.name in OWN_NAMES:
            continue
        if status.st_dev == target.stat().st_dev:
            Path(entry.path).rename(target / entry.name)
        elif entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink()
    sync_folder(target)
    sync_folder(source)


def _copy(source: Path, target: Path) -> None:
    """Everything is copied with owners, modes, links and attributes, and is on disk."""
    excludes = [f"--exclude=/{name}" for name in OWN_NAMES]
    command = ["rsync", "-aHAXS", "--numeric-ids", "--fsync", *excludes, f"{source}/", f"{target}/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COPY_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise LocalFailure(
            "files-not-moved",
            "The Files Could Not Be Put Aside",
            detail=f"{source} to {target}: {done.stderr.strip()[-500:]}",
            hint="See that the rescue folder's disk has enough free space, then press RETRY.",
        )
