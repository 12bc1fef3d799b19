"""The wall around the common activity log, which both servers of a pair share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.core.activity import Entry
from app.core.activity_filter import EVERYTHING, Filter, Page


class CommonLog(Protocol):
    """What was done on either server, in the appliance database.

    Raises LocalFailure (code `database-down`) where that does not answer in time.
    """

    def highest(self, node_id: str) -> int:
        """The highest number of that node's journal that is in the log; 0 where there is none."""
        ...

    def add(self, entries: Sequence[Entry]) -> int:
        """Entries of one node, in their order, are in the log, each once, whether or not they were before; the highest
        number of that node then. All or none are added.

        Raises NotAllowed (code `database-read-only`) where this server's database takes no writes: never a way around.
        """
        ...

    def entries(self, wanted: Filter = EVERYTHING, *, before: int | None = None, limit: int = 50) -> Page[Entry]:
        """Newest first by time; `before` is the `next` of the page before. A page may end before it is full where
        many entries had to be looked at.

        Raises NotFound (code `no-such-entry`) where `before` names none.
        """
        ...

    def after(self, node_id: str, entry: int, limit: int) -> list[Entry]:
        """The entries of that node's journal later than that one, oldest first."""
        ...

    def heads(self) -> list[Entry]:
        """The last entry of each node, by the nodes' identities."""
        ...
