"""The mirrored tree: changes are collected on the primary and pushed to the secondary, which receives them.

A push sends the collected paths only; a full pass compares the whole trees. What is collected is taken off the list
only when the peer has it on its disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from app.adapters.mirror import tree
from app.adapters.mirror.fanotify import WatchUnavailable
from app.adapters.mirror.receiver import keep_replaced, receive, stop_receiving
from app.adapters.mirror.sender import Outcome, Sender, listed
from app.adapters.mirror.watcher import Changes, Watcher
from app.core.errors import PeerRefused, PeerUnreachable
from app.core.state import PeerIdentity
from app.ports import BatchReport, Progress
from app.settings import Settings

SCAN_INTERVAL_S = 15.0
"""Without a watch, a full pass is due so long after the last one."""
MASS_DELETE_FILES = 1000
"""A full pass that would delete more than this, and more than half of what the peer has, needs to be asked for."""
_NOTHING = Outcome(0, 0, 0, 0, 0, complete=True, detail="")


class RsyncMirror:
    """The port Mirror. `identity` tells who the peer is at this moment, None while there is no pair."""

    def __init__(self, settings: Settings, identity: Callable[[], PeerIdentity | None]) -> None:
        self._settings = settings
        self._identity = identity
        self._root = settings.files_dir
        self._sender = Sender(settings)
        self._pushing = threading.Lock()
        self._watcher: Watcher | None = None
        self._trouble = ""
        self._watching = False
        self._scanned_at: float | None = None

    def watch(self) -> None:
        if self._watching:
            return
        stop_receiving(self._settings)
        try:
            self._watcher = Watcher(self._root)
            self._trouble = ""
        except WatchUnavailable as error:
            self._trouble = (
                f"Changes of files are found by comparing the trees every {SCAN_INTERVAL_S:g} s, "
                f"because the file system does not report them: {error.strerror}."
            )
        self._watching = True
        self._scanned_at = None

    def unwatch(self) -> None:
        watcher, self._watcher = self._watcher, None
        self._watching = False
        self._trouble = ""
        if watcher is not None:
            watcher.stop()
        self._sender.close()

    def pending(self) -> int:
        if self._watcher is not None:
            return self._watcher.count()
        return int(self._watching and self._scan_is_due())

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
        with self._pushing:
            began = time.monotonic()
            peer = self._known_peer()
            changes = self._watcher.take() if self._watcher is not None else Changes(everything=self._scan_is_due())
            outcome = None
            try:
                if full or changes.everything:
                    outcome = self._push_everything(peer, term, progress, verify, allow_mass_delete)
                else:
                    outcome = self._push_changes(peer, term, changes, progress)
            finally:
                if (outcome is None or not outcome.complete) and self._watcher is not None:
                    self._watcher.give_back(changes)
                if not self._watching:
                    self._sender.close()
            return BatchReport(
                files=outcome.transferred,
                bytes=outcome.transferred_bytes,
                deleted=outcome.deleted,
                duration_s=time.monotonic() - began,
                complete=outcome.complete,
                detail=outcome.detail or self._trouble,
            )

    def _push_changes(self, peer: PeerIdentity, term: int, changes: Changes, progress: Progress | None) -> Outcome:
        """Changed contents are compared byte by byte, because their size and time may be what they were."""
        contents = set(changes.contents)
        for folder in changes.folders:
            contents.update(tree.paths_below(self._root, folder))
        contents = tree.settled(self._root, tree.with_all_names(self._root, contents))
        attributes = tree.settled(self._root, changes.attributes) - contents
        options = ["--delete-missing-args", "--force"]
        outcome = _NOTHING
        if contents:
            outcome = self._sender.run(
                peer, term, [*options, "--ignore-times"], paths=listed(contents), progress=progress
            )
        if attributes:
            outcome = _sum(outcome, self._sender.run(peer, term, options, paths=listed(attributes)))
        return outcome

    def _push_everything(
        self, peer: PeerIdentity, term: int, progress: Progress | None, verify: bool, allow_mass_delete: bool
    ) -> Outcome:
        """First what the peer has too much goes (into its rescue folder), then the differences are sent."""
        began = time.monotonic()
        surplus = self._sender.run(peer, term, ["--dry-run", "--delete"])
        if surplus.deleted:
            there = surplus.files - surplus.created + surplus.deleted
            if surplus.deleted > max(MASS_DELETE_FILES, there // 2) and not allow_mass_delete:
                raise _mass_delete(surplus.deleted, there)
            self._sender.run(peer, term, ["--delete", "--existing", "--ignore-existing"])
        total = tree.measure(self._root)[1] if progress else None
        outcome = self._sender.run(
            peer, term, ["--force", *(["--checksum"] if verify else [])], progress=progress, total=total
        )
        if outcome.complete:
            self._scanned_at = began
        return Outcome(
            outcome.files,
            outcome.created,
            surplus.deleted,
            outcome.transferred,
            outcome.transferred_bytes,
            outcome.complete,
            outcome.detail,
        )

    def receive(self, options: Sequence[str], check: Callable[[], None]) -> int:
        return receive(self._settings, options, check)

    def size(self) -> tuple[int, int]:
        return tree.measure(self._root)

    def move_aside(self, name: str) -> str:
        return str(tree.move_aside(self._root, self._settings.rescue_dir, name))

    def move_back(self, name: str) -> None:
        tree.move_back(self._root, self._settings.rescue_dir, name)

    def keep_replaced(self, name: str) -> None:
        keep_replaced(self._settings, name)

    def close(self) -> None:
        self.unwatch()

    def _scan_is_due(self) -> bool:
        return self._scanned_at is None or time.monotonic() - self._scanned_at >= SCAN_INTERVAL_S

    def _known_peer(self) -> PeerIdentity:
        identity = self._identity()
        if identity is None:
            raise PeerUnreachable(
                "peer-unreachable",
                "This Server Has No Peer",
                detail="No other server is paired with this one.",
                hint="Set up the pair first.",
            )
        return identity


def _sum(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        one.files + other.files,
        one.created + other.created,
        one.deleted + other.deleted,
        one.transferred + other.transferred,
        one.transferred_bytes + other.transferred_bytes,
        one.complete and other.complete,
        one.detail or other.detail,
    )


def _mass_delete(deleted: int, there: int) -> PeerRefused:
    return PeerRefused(
        "mass-delete",
        "This Would Delete Most Of The Files On The Other Server",
        detail=f"The tree here lacks {deleted} of the {there} files and folders that the other server has.",
        hint="See that the tree here is the right one and its disk is mounted. If it is, start the full pass by hand "
        "and confirm the deletion; what is deleted is kept in the other server's rescue folder.",
    )
