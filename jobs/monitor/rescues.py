"""What is kept aside on this server: counted for the status, and each rejoin's rescue told once."""

from __future__ import annotations

import structlog

from app.core.errors import HapairError
from app.core.rescues import EVENT, RescueEntry, RescueKind, news
from app.ports import Json, Node
from jobs.monitor.board import Board

log = structlog.get_logger(__name__)

LOOK_S = 5.0


class RescueDuty:
    """Looks at the names often, and into a folder only while there may be something to tell of it."""

    name = "rescues"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._told: set[str] = set()
        """The rescues of which nothing more is to be told."""

    def step(self) -> float:
        try:
            entries = self._node.rescues.entries()
            self._board.put(rescues=_brief(entries))
            for entry in entries:
                if entry.kind is RescueKind.REJOIN and entry.id not in self._told:
                    self._tell(entry)
            self._told &= {entry.id for entry in entries}
        except HapairError as error:
            log.warning("rescues not looked at", code=error.code, error=str(error))
        return LOOK_S

    def close(self) -> None:
        """Nothing is held."""

    def _tell(self, entry: RescueEntry) -> None:
        """The node store keeps one event for each key, so a restarted monitor tells nothing twice."""
        hostname = self._board.read().situation.hostname
        rescue = self._node.rescues.show(entry.id)
        for each in news(rescue, hostname):
            if self._node.store.add_event(each.key, EVENT, (EVENT, hostname, rescue.id), each.detail) is not None:
                log.info("rescue told", rescue=rescue.id, detail=each.detail)
        if not rescue.growing:
            self._told.add(entry.id)


def _brief(entries: list[RescueEntry]) -> Json:
    newest = entries[0] if entries else None
    return {
        "count": len(entries),
        "newest": None if newest is None else {"id": newest.id, "kind": newest.kind, "at": newest.at},
    }
