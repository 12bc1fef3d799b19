"""Collects which paths of the tree have changed, from the events of its whole file system.

A thread reads the events soon after they come, so that the kernel's queue never fills in ordinary use; where it does,
the collected paths count for nothing and a full pass is due. Folders outside the tree are told to be silent as soon as
they are heard, or a busy database on the same file system would keep this thread awake.
"""

from __future__ import annotations

import os
import select
import threading
from dataclasses import dataclass, field
from pathlib import Path

from app.adapters.mirror.fanotify import (
    ATTRIB,
    MOVED_FROM,
    MOVED_TO,
    ON_DIRECTORY,
    OVERFLOW,
    Event,
    FileSystemWatch,
)
from app.adapters.mirror.tree import OWN_NAMES

GATHER_S = 0.05
"""Between two looks at the queue, so that the kernel can merge events of the same file."""
PATHS_MAX = 500_000
"""With more changed paths than this, a full pass is cheaper."""
FOLDERS_MAX = 100_000
"""So many folders' places are remembered."""
IGNORED_MAX = 10_000


@dataclass
class Changes:
    """What has to be pushed."""

    contents: set[bytes] = field(default_factory=set)
    """Paths whose contents may have changed."""
    attributes: set[bytes] = field(default_factory=set)
    """Paths of which only owner, mode, times or attributes have changed."""
    folders: set[bytes] = field(default_factory=set)
    """Folders that came into the tree whole, with all that is below them."""
    everything: bool = False
    """Changes may have been missed: a full pass is due."""

    def count(self) -> int:
        return len(self.contents | self.attributes | self.folders) + self.everything

    def add(self, other: Changes) -> None:
        """Holds the other's changes too."""
        self.contents |= other.contents
        self.attributes |= other.attributes
        self.folders |= other.folders
        self.everything |= other.everything


class Watcher:
    """Watches from its making until `stop`. Raises WatchUnavailable."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root.resolve())
        self._watch = FileSystemWatch(root)
        self._lock = threading.Lock()
        self._changes = Changes(everything=True)
        self._folders: dict[bytes, bytes | None] = {}
        self._ignored = 0
        self._wake, self._waker = os.pipe()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file-watch", daemon=True)
        self._thread.start()

    def take(self) -> Changes:
        """All changes up to now; they are forgotten here."""
        with self._lock:
            self._read()
            taken, self._changes = self._changes, Changes()
        return taken

    def give_back(self, changes: Changes) -> None:
        """Changes that could not be pushed are to be pushed again."""
        with self._lock:
            self._changes.add(changes)

    def count(self) -> int:
        """How many changes wait."""
        with self._lock:
            self._read()
            return self._changes.count()

    def stop(self) -> None:
        self._stopping.set()
        os.write(self._waker, b"x")
        self._thread.join()
        self._watch.close()
        os.close(self._wake)
        os.close(self._waker)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._watch.fileno(), select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while not self._stopping.is_set():
            poll.poll()
            with self._lock:
                self._read()
            self._stopping.wait(GATHER_S)

    def _read(self) -> None:
        for event in self._watch.read():
            self._note(event)

    def _note(self, event: Event) -> None:
        if event.mask & OVERFLOW:
            self._lose_track()
            return
        folder = self._place(event.folder)
        moved_folder = event.mask & ON_DIRECTORY and event.mask & (MOVED_FROM | MOVED_TO)
        if moved_folder:
            self._forget_places()
        if folder is None:
            return
        path = folder if event.name == b"." else b"/".join(filter(None, (folder, event.name)))
        if path.split(b"/", 1)[0].decode("utf-8", "replace") in OWN_NAMES:
            return
        if not path:
            self._changes.attributes.add(b".")
        elif moved_folder and event.mask & MOVED_TO:
            self._changes.folders.add(path)
        elif event.mask & ~(ATTRIB | ON_DIRECTORY):
            self._changes.contents.add(path)
        else:
            self._changes.attributes.add(path)
        if len(self._changes.contents) + len(self._changes.attributes) > PATHS_MAX:
            self._lose_track()

    def _place(self, handle: bytes) -> bytes | None:
        """The folder's path relative to the root (empty for the root itself); None if it is not in the tree."""
        if handle in self._folders:
            return self._folders[handle]
        path = self._watch.path(handle)
        place = None
        if path is not None and (path == self._root or path.startswith(self._root + b"/")):
            place = path[len(self._root) + 1 :]
        elif path is not None and self._ignored < IGNORED_MAX:
            self._ignored += self._watch.ignore_files_in(path)
        if len(self._folders) < FOLDERS_MAX and path is not None:
            self._folders[handle] = place
        return place

    def _forget_places(self) -> None:
        """A folder was moved, and with it everything below it: all places are looked up anew."""
        self._folders.clear()
        if self._ignored:
            self._watch.heed_all()
            self._ignored = 0

    def _lose_track(self) -> None:
        self._changes = Changes(everything=True)
