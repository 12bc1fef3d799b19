"""Near-misses: the longest run of failed pings in the last day, so that a weak line is seen before it is a failover."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.ports import Json, Node

NOTE = "near-miss"
HOURS_KEPT = 24


class NearMisses:
    """The longest run of each of the last 24 hours; durable, and written only when an hour's longest grows."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._hours: dict[str, int] | None = None

    def note(self, missed: int, now: datetime) -> Json | None:
        """A run has grown to `missed`; the longest of the last day as `{missed, at}`, None where no ping failed."""
        hours = self._hours if self._hours is not None else self._stored()
        oldest = (now - timedelta(hours=HOURS_KEPT)).isoformat()
        kept = {hour: longest for hour, longest in hours.items() if hour > oldest}
        hour = now.replace(minute=0, second=0, microsecond=0).isoformat()
        grown = missed > kept.get(hour, 0)
        if grown:
            kept[hour] = missed
        self._hours = kept
        if grown:
            self._node.store.save_note(NOTE, {"hours": kept})
        if not kept:
            return None
        longest = max(kept, key=lambda each: (kept[each], each))
        return {"missed": kept[longest], "at": longest}

    def _stored(self) -> dict[str, int]:
        stored: Any = (self._node.store.note(NOTE) or {}).get("hours", {})
        return {str(hour): int(missed) for hour, missed in stored.items()}
