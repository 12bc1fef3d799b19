"""What of the activity log somebody wants to see."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar, overload

from app.core.activity import Entry

SEARCH_MAX = 200
WORDS_MAX = 8
EXACT = ("subject", "actor", "action", "outcome", "node")
"""Filters for one value, the one that leaves the fewest first: an index leads from there to the page."""


@dataclass(frozen=True)
class Filter:
    """Entries that have all of this; None and an empty search want everything."""

    actor: str | None = None
    action: str | None = None
    node: str | None = None
    """A hostname."""
    outcome: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Entries before this time."""
    search: str = ""
    """Words that all stand somewhere in the entry, in upper or lower case."""

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.search.split()[:WORDS_MAX])

    @property
    def exact(self) -> dict[str, str]:
        """The filters for one value that are set, the one that leads first."""
        values = {name: getattr(self, name) for name in EXACT}
        return {name: value for name, value in values.items() if value is not None}

    def matches(self, entry: Entry) -> bool:
        """Whether the entry is wanted, by the rules that the stores follow."""
        in_time = (self.since is None or entry.at >= self.since) and (self.until is None or entry.at < self.until)
        same = all(getattr(entry, name) == value for name, value in self.exact.items())
        return in_time and same and all(_found(word, entry) for word in self.words)

    def described(self) -> dict[str, str]:
        """What is set, as text, for a line of the log."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: str(value) for name, value in values.items() if value not in (None, "")}


EVERYTHING = Filter()

Found = TypeVar("Found")


@dataclass(frozen=True)
class Page(Sequence[Found]):
    """Some of what was wanted, newest first."""

    items: tuple[Found, ...]
    next: int | None
    """The key to go on from for older ones; None where there are none."""
    looked_back_to: datetime | None = None
    """Where it ends before it is full, because many entries had to be looked at: the time of the last of them."""

    @overload
    def __getitem__(self, index: int) -> Found: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Found, ...]: ...
    def __getitem__(self, index: int | slice) -> Found | tuple[Found, ...]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)


def in_detail(word: str) -> str:
    """The word as the stores keep it inside a detail."""
    return json.dumps(word)[1:-1]


def _found(word: str, entry: Entry) -> bool:
    places = (entry.node, entry.actor, entry.address, entry.action, entry.outcome, entry.subject)
    lowered = word.lower()
    if any(lowered in place.lower() for place in places):
        return True
    return in_detail(word).lower() in json.dumps(entry.detail).lower()
