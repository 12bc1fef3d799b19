"""The common activity log in memory."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence

from app.core.activity import Entry
from app.core.activity_filter import EVERYTHING, Filter, Page
from app.core.errors import LocalFailure, NotAllowed, NotFound


class FakeCommonLog:
    """Passes tests/contract/test_common_log.py like the real one. `down` and `read_only` are as of its database."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.read_only = False
        self.stored: list[Entry] = []
        self.calls = 0

    def highest(self, node_id: str) -> int:
        self._check()
        return max((each.node_entry for each in self.stored if each.node_id == node_id), default=0)

    def add(self, entries: Sequence[Entry]) -> int:
        self._check()
        known = {(each.node_id, each.node_entry) for each in self.stored}
        if not self.read_only:
            for entry in entries:
                if (entry.node_id, entry.node_entry) not in known:
                    self.stored.append(dataclasses.replace(entry, id=len(self.stored) + 1))
        highest = self.highest(entries[-1].node_id)
        if highest < entries[-1].node_entry:
            raise NotAllowed("database-read-only", "This Server's Database Is Read-Only")
        return highest

    def entries(self, wanted: Filter = EVERYTHING, *, before: int | None = None, limit: int = 50) -> Page[Entry]:
        self._check()
        return page_of(self.stored, wanted, before, limit)

    def after(self, node_id: str, entry: int, limit: int) -> list[Entry]:
        self._check()
        found = [each for each in self.stored if each.node_id == node_id and each.node_entry > entry]
        return sorted(found, key=lambda each: each.node_entry)[:limit]

    def heads(self) -> list[Entry]:
        self._check()
        last: dict[str, Entry] = {}
        for each in self.stored:
            if each.node_id not in last or last[each.node_id].node_entry < each.node_entry:
                last[each.node_id] = each
        return [last[node_id] for node_id in sorted(last)]

    def _check(self) -> None:
        self.calls += 1
        if self.down:
            raise LocalFailure("database-down", "The Appliance Database Does Not Answer")


def page_of(entries: Sequence[Entry], wanted: Filter, before: int | None, limit: int) -> Page[Entry]:
    """The page, by the rules of app.core.activity_filter."""
    ordered = sorted(entries, key=lambda each: (each.at, each.id), reverse=True)
    if before is not None:
        ids = [each.id for each in ordered]
        if before not in ids:
            raise NotFound("no-such-entry", "No Such Entry")
        ordered = ordered[ids.index(before) + 1 :]
    found = copy.deepcopy([each for each in ordered if wanted.matches(each)])
    return Page(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)
