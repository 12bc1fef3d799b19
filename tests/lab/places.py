"""Where a lab keeps its things on this machine, and which labs there are.

Everything of one lab carries its name: the folder, the network namespaces and the control groups. A lab lives as
long as its keeper, which holds a lock on a file in the folder; a folder whose lock is free belongs to a dead lab.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_NAME = "demo"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")
MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs"})


class LabError(Exception):
    """Something the lab can't do; the message says what and what to do about it."""


@dataclass(frozen=True)
class Places:
    """The paths and names of one lab."""

    name: str
    folder: Path

    @property
    def lock(self) -> Path:
        return self.folder / "keeper.lock"

    @property
    def socket(self) -> Path:
        return self.folder / "keeper.sock"

    @property
    def log(self) -> Path:
        return self.folder / "keeper.log"

    @property
    def system(self) -> Path:
        """A memory file system with the hosts' private changes of the system disk."""
        return self.folder / "system"

    @property
    def mailbox(self) -> Path:
        return self.folder / "mail"

    def image(self, host: str) -> Path:
        """The data disk of a host, a sparse file."""
        return self.folder / f"{host}.ext4"

    def data(self, host: str) -> Path:
        """Where the data disk of a host is seen from outside."""
        return self.folder / host

    def namespace(self, part: str) -> str:
        """The name of a network namespace: of a host, the router or a target."""
        return f"hapair-{self.name}.{part}"

    def group(self, part: str) -> str:
        """The name of a host's control group."""
        return f"hapair-{self.name}.{part}"


def labs_root() -> Path:
    """The folder of all labs, on a real disk: in the temp directory, or /var/tmp where that is kept in memory."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if file_system_of(temporary) in MEMORY_FILE_SYSTEMS:
        temporary = Path("/var/tmp")
    root = temporary / "hapair-lab"
    root.mkdir(mode=0o711, exist_ok=True)
    found = root.lstat()
    if found.st_uid != os.geteuid() or root.is_symlink() or found.st_mode & 0o022:
        raise LabError(f"{root} is not a folder that only this user can write; remove it and try again.")
    return root


def file_system_of(path: Path) -> str:
    """The type of the file system that holds `path`, as the kernel calls it."""
    best, kind = "", ""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount_point, found, *_ = line.split()
        mount_point = mount_point.replace("\\040", " ")
        inside = mount_point == "/" or str(path) == mount_point or str(path).startswith(mount_point + "/")
        if inside and len(mount_point) >= len(best):
            best, kind = mount_point, found
    return kind


def places(name: str) -> Places:
    """The places of the lab with that name. Raises LabError when it can't be a name."""
    if not NAME_PATTERN.fullmatch(name):
        raise LabError(f"{name!r} can't name a lab: lower-case letters, digits and dashes, at most 24.")
    return Places(name, labs_root() / name)


def take_lock(path: Path) -> int | None:
    """The open file of the lock, now held, or None where another process holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


@contextmanager
def alone() -> Iterator[None]:
    """No other process makes or sweeps labs meanwhile."""
    with (labs_root() / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_alive(lab: Places) -> bool:
    """Whether the keeper of this lab runs."""
    if not lab.lock.exists():
        return False
    handle = take_lock(lab.lock)
    if handle is None:
        return True
    os.close(handle)
    return False


def all_labs() -> list[Places]:
    """Every lab that has left a folder, alive or dead."""
    return [
        Places(each.name, each) for each in sorted(labs_root().iterdir()) if each.is_dir() and not each.is_symlink()
    ]
