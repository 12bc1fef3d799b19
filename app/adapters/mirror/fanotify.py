"""Linux fanotify, as much of it as the watch needs: one mark on a whole file system, names of what changed.

See fanotify(7), fanotify_init(2), fanotify_mark(2), open_by_handle_at(2). Needs root. Not every file system has it: an
overlay has not.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MODIFY, ATTRIB, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
OVERFLOW = 0x4000
ON_DIRECTORY = 0x40000000
_ON_CHILD = 0x08000000
_EVENTS = MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE

_INIT_FLAGS = 0x1 | 0x2 | 0x400 | 0x800
"""FAN_CLOEXEC, FAN_NONBLOCK, FAN_REPORT_DIR_FID, FAN_REPORT_NAME."""
_MARK_ADD, _MARK_FLUSH, _MARK_FILE_SYSTEM, _MARK_EVICTABLE = 0x1, 0x80, 0x100, 0x200
_MARK_IGNORE_SURVIVING = 0x400 | 0x40
"""FAN_MARK_IGNORE_SURV: events that this mark names are not reported, also after the file was changed."""
_AT_FDCWD = -100
_O_PATH = 0o10000000
_EVENT = struct.Struct("=IBBHQii")
_INFO = struct.Struct("=BBH")
_HANDLE = struct.Struct("=Ii")
_DIRECTORY_AND_NAME = 2
_FILE_SYSTEM_ID_BYTES = 8
_HANDLE_BYTES_MAX = 128
READ_BYTES = 256 * 1024

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fanotify_mark.argtypes = (ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p)


class WatchUnavailable(OSError):
    """This system or file system can't tell what changes."""


@dataclass(frozen=True)
class Event:
    """Something happened to the entry `name` of a folder; `.` is the folder itself. Overflow has neither."""

    mask: int
    folder: bytes = b""
    """The folder's file handle."""
    name: bytes = b""


class FileSystemWatch:
    """Events of the whole file system on which a folder lies. Raises WatchUnavailable where there are none."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._descriptor = -1
        try:
            self._descriptor = _checked(_libc.fanotify_init(_INIT_FLAGS, os.O_RDONLY), "fanotify_init")
            self._mark(_MARK_ADD | _MARK_FILE_SYSTEM, _EVENTS | ON_DIRECTORY, os.fsencode(root))
            if self.path(_handle_of(root)) is None:
                raise WatchUnavailable(errno.EOPNOTSUPP, "this file system does not find folders by handle")
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> Iterator[Event]:
        """The events that wait, without waiting for more."""
        while True:
            try:
                block = os.read(self._descriptor, READ_BYTES)
            except BlockingIOError:
                return
            yield from _events(block)

    def path(self, handle: bytes) -> bytes | None:
        """Where the folder is now, as an absolute path; None if it is gone or can't be seen from here."""
        buffer = ctypes.create_string_buffer(handle, len(handle))
        descriptor = _libc.open_by_handle_at(self._root, buffer, _O_PATH | os.O_CLOEXEC)
        if descriptor < 0:
            return None
        try:
            path = os.readlink(b"/proc/self/fd/%d" % descriptor)  # noqa: PTH115 - names are bytes here
        finally:
            os.close(descriptor)
        return path if path.startswith(b"/") and not path.endswith(b" (deleted)") else None

    def ignore_files_in(self, folder: bytes) -> bool:
        """Events of the files (not the folders) directly in this folder are no longer reported, until `heed_all`.

        Kernels before 6.0 can't do this; that costs a little work, nothing else.
        """
        flags = _MARK_ADD | _MARK_EVICTABLE | _MARK_IGNORE_SURVIVING
        return int(_libc.fanotify_mark(self._descriptor, flags, _EVENTS | _ON_CHILD, _AT_FDCWD, folder)) == 0

    def heed_all(self) -> None:
        """Nothing is ignored any more."""
        self._mark(_MARK_FLUSH, 0, b"/")

    def close(self) -> None:
        for descriptor in (self._descriptor, self._root):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._root = -1

    def _mark(self, flags: int, mask: int, path: bytes) -> None:
        _checked(_libc.fanotify_mark(self._descriptor, flags, mask, _AT_FDCWD, path), "fanotify_mark")


def _events(block: bytes) -> Iterator[Event]:
    offset = 0
    while offset + _EVENT.size <= len(block):
        length, _, _, header_length, mask, _, _ = _EVENT.unpack_from(block, offset)
        if mask & OVERFLOW:
            yield Event(OVERFLOW)
        else:
            yield from _named(mask, block[offset + header_length : offset + length])
        offset += length


def _named(mask: int, records: bytes) -> Iterator[Event]:
    offset = 0
    while offset + _INFO.size <= len(records):
        kind, _, length = _INFO.unpack_from(records, offset)
        if kind == _DIRECTORY_AND_NAME:
            start = offset + _INFO.size + _FILE_SYSTEM_ID_BYTES
            handle_bytes, _ = _HANDLE.unpack_from(records, start)
            end = start + _HANDLE.size + handle_bytes
            yield Event(mask, records[start:end], records[end : offset + length].split(b"\0", 1)[0])
        offset += length


def _handle_of(path: Path) -> bytes:
    """The file handle by which events name this folder."""
    buffer = ctypes.create_string_buffer(_HANDLE.pack(_HANDLE_BYTES_MAX, 0), _HANDLE.size + _HANDLE_BYTES_MAX)
    mount = ctypes.c_int()
    _checked(_libc.name_to_handle_at(_AT_FDCWD, os.fsencode(path), buffer, ctypes.byref(mount), 0), "name_to_handle_at")
    handle_bytes, _ = _HANDLE.unpack_from(buffer.raw, 0)
    return buffer.raw[: _HANDLE.size + handle_bytes]


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise WatchUnavailable(number, f"{what}: {os.strerror(number)}")
    return result
