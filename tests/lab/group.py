"""The control group of a host: every process of the host, also those that `exec` adds, frozen or killed at once.

Uses the unified hierarchy (cgroup v2) wherever it is mounted, and the old freezer hierarchy where it isn't.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from tests.lab.places import LabError, Places

SETTLE_TIMEOUT_S = 10.0
POLL_S = 0.005


class Group:
    """One control group by its name."""

    def __init__(self, name: str) -> None:
        kind, top = _hierarchy()
        self._unified = kind == "cgroup2"
        self.folder = top / name

    @property
    def members(self) -> Path:
        """Writing a process id here puts the process in."""
        return self.folder / "cgroup.procs"

    def create(self) -> None:
        self.folder.mkdir(exist_ok=True)

    def freeze(self) -> None:
        """No process of the group runs until `thaw`."""
        self._set(frozen=True)

    def thaw(self) -> None:
        if self.folder.exists():
            self._set(frozen=False)

    def processes(self) -> list[int]:
        """The ids of the processes in the group."""
        try:
            return [int(line) for line in self.members.read_text().split()]
        except FileNotFoundError:
            return []

    def kill(self) -> None:
        """Every process of the group is gone, frozen or not. Raises LabError when one won't end."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while ids := self.processes():
            for each in ids:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            self.thaw()
            if time.monotonic() > deadline:
                raise LabError(f"processes {ids} of {self.folder.name} don't end.")
            time.sleep(POLL_S)

    def remove(self) -> None:
        """The group is gone with all its processes."""
        self.kill()
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while self.folder.exists():
            try:
                self.folder.rmdir()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise LabError(f"the control group {self.folder} can't be removed: {error}") from error
                time.sleep(POLL_S)

    def _set(self, *, frozen: bool) -> None:
        if self._unified:
            (self.folder / "cgroup.freeze").write_text("1" if frozen else "0")
            wanted, source = f"frozen {int(frozen)}", self.folder / "cgroup.events"
        else:
            wanted, source = ("FROZEN" if frozen else "THAWED"), self.folder / "freezer.state"
            source.write_text(wanted)
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while wanted not in source.read_text():
            if time.monotonic() > deadline:
                raise LabError(f"{self.folder.name} did not become {'frozen' if frozen else 'thawed'}.")
            time.sleep(POLL_S)


def remove_groups(lab: Places) -> None:
    """None of the lab's groups and none of their processes is left; also without a keeper."""
    _, top = _hierarchy()
    for each in top.glob(lab.group("") + "*"):
        Group(each.name).remove()


def _hierarchy() -> tuple[str, Path]:
    """The kind and the folder of the hierarchy to use."""
    old: Path | None = None
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount_point, kind, options, *_ = line.split()
        if kind == "cgroup2" and os.access(mount_point, os.W_OK):
            return kind, Path(mount_point)
        if kind == "cgroup" and "freezer" in options.split(","):
            old = Path(mount_point)
    if old is None:
        raise LabError("no control group hierarchy is mounted on /sys/fs/cgroup that the lab could freeze hosts with.")
    return "cgroup", old
