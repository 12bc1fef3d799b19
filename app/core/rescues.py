"""What is kept aside on a server, because there may be no other copy: named, described and told, never touched.

A rescue is a folder. Its name says what it is and when it was made; what it holds is told by whoever can look into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from app.core.errors import InvalidInput, NotFound

ID_LENGTH_MAX = 128
EVENT = "Rescued"
"""The kind of the event; it is ours, so no script runs for it."""
_STAMP = "%Y%m%dT%H%M%SZ"
_WHEN = r"[0-9]{8}T[0-9]{6}Z"
_JOB = r"[A-Za-z0-9-]{1,64}"


class RescueKind(StrEnum):
    """Who put it there."""

    REJOIN = "rejoin"
    MIRROR = "mirror"
    SETUP_FILES = "setup-files"
    DATABASE = "database"


REASONS = {
    RescueKind.REJOIN: "This server was primary and became secondary: its own transactions, and its files that the "
    "mirror overwrote or deleted.",
    RescueKind.MIRROR: "Files that this server had and the primary did not, when the two trees were compared.",
    RescueKind.SETUP_FILES: "The files that this server had before it became the secondary of the pair.",
    RescueKind.DATABASE: "The data of this server's database before the primary's copy took its place.",
}

_NAMES = (
    (RescueKind.REJOIN, re.compile(rf"(?P<when>{_WHEN})-(?P<term>[0-9]{{1,15}})")),
    (RescueKind.MIRROR, re.compile(rf"mirror-deleted-(?P<when>{_WHEN})")),
    (RescueKind.SETUP_FILES, re.compile(rf"before-setup-{_JOB}")),
    (RescueKind.DATABASE, re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,47}}\.aside-{_JOB}")),
)


@dataclass(frozen=True)
class RescueName:
    """What a folder's name says."""

    kind: RescueKind
    at: datetime | None = None
    term: int | None = None
    """The term that this server knew when it rejoined."""


@dataclass(frozen=True)
class RescueEntry:
    """One rescue, without a look inside."""

    id: str
    kind: RescueKind
    at: datetime
    path: str


@dataclass(frozen=True)
class RescuePart:
    """One entry of the folder: a file, or a folder with all that is below it."""

    name: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Rescue:
    """One rescue and what is in it."""

    id: str
    kind: RescueKind
    at: datetime
    path: str
    term: int | None
    reason: str
    transactions: int
    rows_by_table: Mapping[str, int]
    """Rows inserted, changed or deleted, by `schema.table`."""
    obstacle: str
    """Why the database could not be rewound and was copied anew; empty where it was rewound, or nothing was ahead."""
    files: int
    """Files of the mirrored tree; for a database, those of its data folder."""
    bytes: int
    """Of everything in the folder."""
    growing: bool
    """Whether files may still be added, because the mirror has not compared the whole trees since."""
    contents: tuple[RescuePart, ...]
    """The first entries of the folder, by name."""
    arrived: int = 0
    """So many more transactions were counted as lost, but had reached the other server when contact was lost."""


def read_name(name: str) -> RescueName | None:
    """What a folder of that name holds; None where it is no rescue (or not a whole one yet)."""
    for kind, pattern in _NAMES:
        found = pattern.fullmatch(name)
        if found is not None:
            named = found.groupdict()
            try:
                at = datetime.strptime(named["when"], _STAMP).replace(tzinfo=UTC) if "when" in named else None
            except ValueError:
                return None
            return RescueName(kind, at, int(named["term"]) if "term" in named else None)
    return None


def name_for_rejoin(at: datetime, term: int) -> str:
    """The name of the rescue of a server that was primary until `at`, in that term or before."""
    return f"{at:{_STAMP}}-{term}"


def check_id(rescue_id: str) -> RescueName:
    """What the id says. Raises NotFound (code `no-such-rescue`) for all that can't be the name of a rescue."""
    found = read_name(rescue_id) if len(rescue_id) <= ID_LENGTH_MAX else None
    if found is None:
        raise no_such_rescue()
    return found


def no_such_rescue() -> NotFound:
    return NotFound(
        "no-such-rescue",
        "No Such Rescue",
        detail="There is no rescue with this id on this server. Each server lists its own.",
        hint="Look at the list of rescues of both servers.",
    )


def check_removal_confirmed(rescue_id: str, given: str | None) -> None:
    """Returns where the person has typed the id of the rescue. Raises InvalidInput (code `confirmation-needed`)."""
    if given == rescue_id:
        return
    sentence = f'Send {{"confirm": "{rescue_id}"}}, the id of the rescue, to confirm.'
    raise InvalidInput(
        "confirmation-needed",
        "This Must Be Confirmed",
        detail="What is removed may have no other copy." if given is None else "That is not the id of this rescue.",
        hint=sentence,
        errors={"confirm": [sentence]},
    )


def newest_first(entries: Iterable[RescueEntry]) -> list[RescueEntry]:
    return sorted(entries, key=lambda each: (each.at, each.id), reverse=True)


@dataclass(frozen=True)
class RescueNews:
    """One event about a rescue, told once for each key."""

    key: str
    detail: str


def news(rescue: Rescue, hostname: str) -> tuple[RescueNews, ...]:
    """What is to be told of a rejoin's rescue so far: its transactions at once, its files when none can follow."""
    if rescue.kind is not RescueKind.REJOIN:
        return ()
    found = []
    if rescue.transactions:
        rows = ", ".join(f"{table} {count}" for table, count in sorted(rescue.rows_by_table.items())[:10])
        counted = f" (changed rows by table: {rows})" if rows else ""
        found.append(RescueNews(
            f"{EVENT}:{rescue.id}",
            f"{_count(rescue.transactions, 'transaction')} that only {hostname} had{counted}: kept in {rescue.path}.",
        ))  # fmt: skip
    if rescue.files and not rescue.growing:
        found.append(RescueNews(
            f"{EVENT}:{rescue.id}:files",
            f"{_count(rescue.files, 'file')} that the mirror overwrote or deleted on {hostname}: "
            f"kept in {rescue.path}.",
        ))  # fmt: skip
    return tuple(found)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
