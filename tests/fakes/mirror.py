"""A tree of files as a dictionary, which can be pushed into another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.errors import PeerRefused, PeerUnreachable
from app.ports import BatchReport, Progress

MASS_DELETE_FILES = 1000


class FakeMirror:
    """app.ports.Mirror; `write`, `remove` and `files` stand for what programs do to the tree."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files: dict[str, bytes] = dict(files or {})
        self.deleted: dict[str, bytes] = {}
        """What full passes of the peer took away here: its rescue."""
        self.replaced: dict[str, dict[str, bytes]] = {}
        """What was overwritten or deleted here, by the rescue that was to get it."""
        self.keeping = ""
        self.aside: dict[str, dict[str, bytes]] = {}
        self.peer: FakeMirror | None = None
        self.reachable = True
        self.term = 0
        """The term that this node knows, when it receives."""
        self.receives = True
        """Whether this node is a secondary."""
        self.watching = False
        self._changed: set[str] = set()
        self._everything = False
        self._trouble = ""

    def write(self, path: str, content: bytes) -> None:
        self.files[path] = content
        self._note(path)

    def remove(self, path: str) -> None:
        del self.files[path]
        self._note(path)

    def _note(self, path: str) -> None:
        if self.watching:
            self._changed.add(path)

    def watch(self) -> None:
        if not self.watching:
            self.watching = self._everything = True

    def unwatch(self) -> None:
        self.watching = self._everything = False
        self._changed.clear()

    def pending(self) -> int:
        return len(self._changed) + self._everything

    def trouble(self) -> str:
        return self._trouble

    def push(
        self,
        term: int,
        *,
        full: bool,
        progress: Progress | None = None,
        verify: bool = False,
        allow_mass_delete: bool = False,
    ) -> BatchReport:
        peer = self.peer
        if peer is None or not self.reachable:
            raise PeerUnreachable("peer-unreachable", "The Other Server Can't Be Reached")
        if term < peer.term:
            raise PeerRefused("stale-term", "The Sender's Term Is Over")
        if not peer.receives:
            raise PeerRefused("not-secondary", "Files Are Received Only By The Secondary")
        everything = full or self._everything
        surplus = set(peer.files) - set(self.files) if everything else set()
        if len(surplus) > max(MASS_DELETE_FILES, len(peer.files) // 2) and not allow_mass_delete:
            raise PeerRefused("mass-delete", "This Would Delete Most Of The Files On The Other Server")
        for path in surplus:
            peer.lose(path)
            peer.deleted[path] = peer.files.pop(path)
        names = set(self.files) if everything else set(self._changed)
        sent = {name: self.files[name] for name in names if name in self.files}
        differing = {name: content for name, content in sent.items() if peer.files.get(name) != content}
        for name in (*differing, *(name for name in names if name not in self.files)):
            peer.lose(name)
        gone = [name for name in names if name not in self.files and peer.files.pop(name, None) is not None]
        peer.files.update(differing)
        if everything:
            peer.keeping = ""
        self._changed.clear()
        self._everything = False
        size = sum(len(content) for content in differing.values())
        if progress:
            progress(size, size)
        return BatchReport(len(differing), size, len(surplus) + len(gone), 0.0, complete=True)

    def receive(self, options: Sequence[str], check: Callable[[], None]) -> int:
        check()
        return 0

    def size(self) -> tuple[int, int]:
        return len(self.files), sum(len(content) for content in self.files.values())

    def move_aside(self, name: str) -> str:
        if name not in self.aside:
            self.aside[name], self.files = self.files, {}
        return f"/rescue/{name}"

    def move_back(self, name: str) -> None:
        if name in self.aside:
            self.files = self.aside.pop(name)

    def keep_replaced(self, name: str) -> None:
        self.keeping = name

    def lose(self, path: str) -> None:
        """The file is overwritten or deleted here by the peer; its content is kept where that was asked for."""
        if self.keeping and path in self.files:
            self.replaced.setdefault(self.keeping, {}).setdefault(path, self.files[path])

    def close(self) -> None:
        self.unwatch()
