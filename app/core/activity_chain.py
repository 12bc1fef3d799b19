"""The chain of a journal: each entry is linked to the one before it, so that a later change shows.

The link of an entry is a SHA-256 over the link before it and all that the entry says. Whoever changes, removes or
inserts an entry has to make all later links anew, and then the journal's end is another one than the other server
knows. A link can be checked wherever the entry is: in its journal and in the common log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from app.core.activity import Entry

LINK_LENGTH = 64
"""Hexadecimal digits."""
ACCEPTED = "activity-accepted"
"""The act of an administrator who has looked at what is wrong with a journal. Its entry stands in that journal, and all
that is wrong up to it counts as known from then on: it is still named, but is no alarm any more."""
_FORM = "hapair activity 1"
"""Which form of the text is hashed; another form has another name."""


@dataclass(frozen=True)
class Head:
    """An entry of a journal and its link."""

    entry: int
    chain: str


START = Head(0, "")
"""Before the first entry of a journal."""


@dataclass(frozen=True)
class Break:
    """The first entry that is not as it was written."""

    entry: int
    reason: str


@dataclass(frozen=True)
class Checked:
    """How far a chain holds."""

    head: Head
    """The last entry that was looked at and holds."""
    count: int
    """Entries that were looked at."""
    unlinked: int
    """How many of them are older than the chain and have no link."""
    broken: Break | None = None
    accepted: tuple[Break, ...] = ()
    """What is wrong, but was accepted by an administrator."""


def link(before: str, entry: Entry) -> str:
    """The entry's link, where `before` is the link of the one before it. The entry is one that `storable` made."""
    said = [
        _FORM, before, entry.node_id, entry.node_entry, entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.node, entry.actor, entry.address, entry.action, entry.outcome, entry.detail,
    ]  # fmt: skip
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def check(head: Head, entries: Iterable[Entry], accepted_to: int = 0) -> Checked:
    """Whether the entries, in the order of their journal, follow `head` without a break; what is wrong up to the entry
    `accepted_to` is gathered, and the entries after it are looked at all the same."""
    count = unlinked = 0
    accepted: list[Break] = []
    for entry in entries:
        count += 1
        reason = _reason(head, entry)
        if reason:
            # Missing entries are what is wrong then, not the one that comes after them.
            named = head.entry + 1 if entry.node_entry > head.entry + 1 else entry.node_entry
            if entry.node_entry > accepted_to:
                return Checked(head, count, unlinked, Break(named, reason), tuple(accepted))
            accepted.append(Break(named, reason))
        unlinked += entry.chain == ""
        head = Head(entry.node_entry, entry.chain)
    return Checked(head, count, unlinked, None, tuple(accepted))


def _reason(head: Head, entry: Entry) -> str:
    if entry.node_entry <= head.entry:
        return f"Entry {entry.node_entry} stands after entry {head.entry}."
    if entry.node_entry > head.entry + 1:
        last = entry.node_entry - 1
        return f"Entry {last} is missing." if last == head.entry + 1 else f"Entries up to {last} are missing."
    if entry.chain == "" and head.chain == "":
        return ""
    if entry.chain == "":
        return f"Entry {entry.node_entry} has lost its link."
    if entry.chain != link(head.chain, entry):
        return f"Entry {entry.node_entry} is not what was written, or what stands before it was replaced."
    return ""


def against(own: Head, known: Head, own_at_known: str | None, accepted_to: int = 0) -> Break | None:
    """What is wrong with a journal that ends at `own`, where somebody else knows its entry `known`; `own_at_known` is
    the link that the journal has for that entry now. None where nothing is, or where it was accepted since."""
    if known.entry < accepted_to:
        return None
    if known.entry > own.entry:
        count = known.entry - own.entry
        what = "entry is" if count == 1 else f"{count} entries are"
        return Break(own.entry + 1, f"The last {what} missing: entry {known.entry} was there once.")
    if known.chain and own_at_known != known.chain:
        return Break(
            known.entry, f"Entry {known.entry} is another one than was there once: what led to it was rewritten."
        )
    return None
