"""The data disk of a host: a sparse image with ext4 on a loop device, mounted where outsiders can look at it.

A power cut shuts the file system down without flushing its journal, so that what was never synced is lost, as on a
real server.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import time
from contextlib import suppress
from pathlib import Path

from tests.lab.places import LabError, Places
from tests.lab.shell import run, succeeds

GIB = 1024**3
DEFAULT_GIB = 6
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
FILL_NAME = ".lab-fill"
SMALLEST_FILL = 4096
MNT_DETACH = 2
DETACH_TIMEOUT_S = 45.0
POLL_S = 0.01


class Disk:
    """The data disk of one host."""

    def __init__(self, lab: Places, host: str) -> None:
        self.image = lab.image(host)
        self.folder = lab.data(host)
        self._filled = False

    def create(self, gib: int) -> None:
        """An empty file system is mounted."""
        with self.image.open("xb") as image:
            image.truncate(gib * GIB)
        run(["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", str(self.image)])
        self.folder.mkdir()
        self.mount()

    def mount(self) -> None:
        """Mounted, after the journal has been replayed."""
        run(["mount", "-t", "ext4", "-o", "loop", str(self.image), str(self.folder)])

    def ensure_mounted(self) -> None:
        """Mounted. Raises LabError while an earlier mount of it is not quite gone: two at once would destroy it."""
        if self.folder.is_mount():
            return
        if loop_devices(self.image):
            raise LabError(f"files below {self.folder} are still open from before; close them, then boot again.")
        self.mount()

    def lose_power(self) -> None:
        """From now on nothing reaches the disk; what was not synced never will."""
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def detach(self) -> None:
        """Unmounted, with the loop device free again. Raises LabError while someone holds files open."""
        unmount(self.folder)
        deadline = time.monotonic() + DETACH_TIMEOUT_S
        while loop_devices(self.image):
            if time.monotonic() > deadline:
                raise LabError(f"files below {self.folder} are still open; close them, then boot the host.")
            time.sleep(POLL_S)

    def fill(self) -> None:
        """Not one block is free, for root neither."""
        self._filled = True
        with (self.folder / FILL_NAME).open("ab") as filler:
            size = self._free()
            while size >= SMALLEST_FILL:
                try:
                    os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, size)
                    size = self._free()
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def empty(self) -> None:
        """The blocks that `fill` took are free again."""
        if self._filled:
            (self.folder / FILL_NAME).unlink(missing_ok=True)
            self._filled = False

    def _free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bfree * found.f_frsize


def unmount(folder: Path) -> None:
    """Nothing is mounted on the folder; open files keep what was there until they are closed."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.umount2(os.fsencode(folder), 0) == 0:
        return
    if ctypes.get_errno() == errno.EBUSY:
        library.umount2(os.fsencode(folder), MNT_DETACH)


def loop_devices(image: Path) -> list[str]:
    """The loop devices that show this image."""
    return [line.split(":", 1)[0] for line in run(["losetup", "-j", str(image)]).splitlines()]


def remove_mounts(lab: Places) -> None:
    """Nothing of the lab is mounted and no loop device shows its images; also without a keeper."""
    prefix = f"{lab.folder}/"
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for each in reversed([path for path in mounted if path.startswith(prefix)]):
        unmount(Path(each))
    for image in lab.folder.glob("*.ext4"):
        with suppress(LabError):
            for device in loop_devices(image):
                succeeds(["losetup", "-d", device])
