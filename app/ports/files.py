"""The mirrored tree, and what was rescued."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from app.core.rescues import Rescue, RescueEntry
from app.ports.common import Progress


@dataclass(frozen=True)
class BatchReport:
    files: int
    bytes: int
    deleted: int
    duration_s: float
    complete: bool
    """False when some files could not be sent; they stay on the list, and `detail` names them."""
    detail: str = ""


class Mirror(Protocol):
    """The tree of files: watched and pushed on the primary, received on the secondary."""

    def watch(self) -> None:
        """Changes are collected from now on, and a full pass is due; a batch that is being received from an earlier
        primary is broken off. Idempotent."""
        ...

    def unwatch(self) -> None: ...
    def pending(self) -> int:
        """Changes collected and not yet pushed; a lost watch counts as one change and forces a full pass."""
        ...

    def trouble(self) -> str:
        """Why changes are found by repeated full passes only, in a sentence; empty while the watch works."""
        ...

    def push(
        self,
        term: int,
        *,
        full: bool,
        progress: Progress | None = None,
        verify: bool = False,
        allow_mass_delete: bool = False,
    ) -> BatchReport:
        """Collected changes (or, with `full`, every difference) are on the peer, and on its disk. `verify` with `full`
        compares contents instead of sizes and times. Raises PeerUnreachable, PeerRefused (codes `stale-term`,
        `mass-delete`, `receiver-busy` and the peer's own) or LocalFailure (`mirror-failed`); then nothing is forgotten.
        """
        ...

    def receive(self, options: Sequence[str], check: Callable[[], None]) -> int:
        """The receiving end of the peer's push, on this process's input and output, into the tree; the exit code.

        What was received is on disk then. One batch is received at a time; `check`, which raises where the batch is not
        welcome, is asked when its turn has come. The options are trusted.

        Raises PeerRefused (code `receiver-busy`) while another batch is being received.
        """
        ...

    def close(self) -> None:
        """The watch and the kept connection are gone. Idempotent."""
        ...

    def size(self) -> tuple[int, int]:
        """(files, bytes) of the tree here."""
        ...

    def move_aside(self, name: str) -> str:
        """This node's own tree is kept under the rescue folder as `name`, and an empty one takes its place; returns the
        path. Idempotent."""
        ...

    def move_back(self, name: str) -> None: ...
    def keep_replaced(self, name: str) -> None:
        """Until a full pass of the peer has been received whole, every file here that it overwrites or deletes is kept
        in the rescue folder `name`. Durable; a later call takes the place of an earlier one."""
        ...


class Rescues(Protocol):
    """What is kept aside on this server because there may be no other copy (see app.core.rescues).

    All but `entries` raise NotFound (code `no-such-rescue`); all raise LocalFailure (codes `rescues-unavailable`,
    `rescue-unreadable`).
    """

    def entries(self) -> list[RescueEntry]:
        """Every rescue that is whole and holds something, newest first, without a look inside."""
        ...

    def show(self, rescue_id: str) -> Rescue: ...
    def open(self, rescue_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """The whole folder as a gzipped tar, in chunks, with owners, modes, links and attributes as they are. The
        iterator raises LocalFailure (code `rescue-unreadable`) where the archive can't be made to its end."""
        ...

    def remove(self, rescue_id: str) -> None:
        """The rescue is gone from the list, durably; its space is freed soon after."""
        ...
