"""Entries of a node's own journal on their way into the common log: for this node's monitor and the peer's request."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.activity import Entry, storable
from app.ports import ActivityRecord
from app.ports.activity import CommonLog


def entry_of(record: ActivityRecord, node_id: str) -> Entry:
    """What the common log keeps of the journal's entry."""
    return storable(
        Entry(
            node_id,
            record.id,
            record.at,
            record.node,
            record.actor,
            record.address,
            record.action,
            record.outcome,
            record.detail,
        )
    )


def bring_in(log: CommonLog, node_id: str, after: int, entries: Sequence[Entry]) -> int:
    """The entries that follow `after` are in the log, if the log has what comes before them; its highest number of
    that node then, from which the sender goes on. So there is never a gap that would be taken for complete."""
    highest = log.highest(node_id)
    if highest < after or not entries:
        return highest
    return log.add(entries)
