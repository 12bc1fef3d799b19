"""Two servers with trees of files, one mirrored to the other by rsync over sshd."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from app.ports import BatchReport
from tests.contract.peer_servers import PeerServers

Entry = tuple[object, ...]


class Trees:
    """Two servers whose trees are the same and watched at the beginning of each test."""

    def __init__(self) -> None:
        self.servers = PeerServers()
        self.here, self.there = self.servers.a.files, self.servers.b.files
        self.mirror = self.servers.a.mirror
        self.outside = self.servers.folder / "outside"
        self.servers.start()

    def reset(self) -> None:
        self.mirror.unwatch()
        for folder in (self.here, self.there, self.outside, self.servers.b.settings.rescue_dir):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

    def begin(self) -> None:
        self.mirror.watch()
        self.mirror.push(1, full=True)
        self.same()

    def push(self) -> BatchReport:
        assert self.mirror.pending() > 0
        report = self.mirror.push(1, full=False)
        self.same()
        return report

    def same(self) -> None:
        here, there = snapshot(self.here), snapshot(self.there)
        assert there.keys() == here.keys()
        for path, entry in there.items():
            assert (path, entry) == (path, here[path])


def snapshot(root: Path) -> dict[bytes, Entry]:
    """Everything that is to be the same, by path."""
    base = os.fsencode(root)
    names: dict[tuple[int, int], bytes] = {}
    found: dict[bytes, Entry] = {}
    for folder, folders, files in os.walk(base):
        for path in sorted(os.path.join(folder, name) for name in (*folders, *files)):  # noqa: PTH118 - bytes
            status = os.lstat(path)
            relative = os.path.relpath(path, base)
            content: object = None
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:  # noqa: PTH123 - bytes
                    content = hashlib.sha256(file.read()).hexdigest()
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)  # noqa: PTH115 - bytes
            listed = os.listxattr(path, follow_symlinks=False)
            attributes = {name: os.getxattr(path, name, follow_symlinks=False) for name in listed}
            time_ns = None if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
            first = names.setdefault((status.st_dev, status.st_ino), relative)
            found[relative] = (status.st_mode, status.st_uid, status.st_gid, time_ns, content, attributes, first)
    return found
