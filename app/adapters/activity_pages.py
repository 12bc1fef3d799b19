"""Pages of an activity log, in either store: found by an index from wherever the page before ended, and bounded.

Every filter for one value has an index that also has the order of the page. Where that is all that is asked for, a
page costs what its rows cost, however deep it is. Where more is asked for, entries that the leading index names are
looked at in steps, until the page is full or its time is over; it then ends early and says where to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    literal,
    or_,
    select,
    true,
    type_coerce,
)

from app.core.activity import Entry
from app.core.activity_filter import Filter, Page, in_detail
from app.core.errors import NotFound

LOOK_S = 0.015
"""After this no further step is begun."""
FIRST_STEP = 64
QUICK_STEP_S = 0.004
"""A step that took no longer is followed by one twice as long."""
LONGEST_STEP = 128
"""Entries that are not in memory cost a read of the disk each (0.1 to 0.25 ms on what servers have): a step that meets
so many of them, begun at the last moment, still leaves the page below its 50 ms."""
MARIADB = "mysql"
_ANY_CASE = "utf8mb4_general_ci"


@dataclass(frozen=True)
class LogTable:
    """One store's table of activity."""

    table: FromClause
    columns: dict[str, ColumnElement[Any]]
    """By the names of app.core.activity.Entry and of the filters."""
    read: Callable[[Any], Entry]
    """A row's entry."""

    def find(self, connection: Connection, wanted: Filter, before: int | None, limit: int) -> Page[Entry]:
        """The page of at most `limit` entries. Raises NotFound (code `no-such-entry`)."""
        began = time.monotonic()
        found: list[int] = []
        at_end, last, step = None, before, FIRST_STEP
        place = None if before is None else self._place(connection, before)
        rest = self._rest(wanted, connection.dialect.name)
        while True:
            # One more than the page has, to know whether there are older ones.
            size = limit + 1 - len(found) if rest is None else step
            stepped = time.monotonic()
            looked = connection.execute(self._step(wanted, rest, place, size)).all()
            for at, key, fits in looked:
                if fits and len(found) == limit:
                    return Page(self._entries(connection, found), last)
                place, last, at_end = (at, key), key, at
                if fits:
                    found.append(key)
            if len(looked) < size:
                return Page(self._entries(connection, found), None)
            now = time.monotonic()
            if now - began > LOOK_S:
                return Page(self._entries(connection, found), last, at_end)
            step = min(2 * step, LONGEST_STEP) if now - stepped < QUICK_STEP_S else step

    def _place(self, connection: Connection, key: int) -> tuple[datetime, int]:
        at = connection.execute(select(self.columns["at"]).where(self.columns["id"] == key)).scalar()
        if at is None:
            raise NotFound(
                "no-such-entry",
                "No Such Entry",
                detail=f"The activity log has no entry {key} to go on from.",
                hint="Begin again with the newest entries.",
            )
        return at, key

    def _step(
        self, wanted: Filter, rest: ColumnElement[bool] | None, place: tuple[datetime, int] | None, size: int
    ) -> Select[Any]:
        """The next entries that the leading index names, newest first, and whether each is wanted."""
        at, key = self.columns["at"], self.columns["id"]
        conditions = [self.columns[name] == value for name, value in list(wanted.exact.items())[:1]]
        if wanted.since is not None:
            conditions.append(at >= wanted.since)
        if place is None or (wanted.until is not None and wanted.until <= place[0]):
            conditions += [] if wanted.until is None else [at < wanted.until]
        else:
            # The first condition is the one that the index serves.
            conditions.append(and_(at <= place[0], or_(at < place[0], key < place[1])))
        fits = literal(1) if rest is None else rest
        index = f"activity_by_{next(iter(self._names(wanted)), 'time')}"
        return (
            select(at, key, fits.label("fits"))
            .with_hint(self.table, f"FORCE INDEX ({index})", MARIADB)
            .with_hint(self.table, f"INDEXED BY {index}", "sqlite")
            .where(*conditions)
            .order_by(at.desc(), key.desc())
            .limit(size)
        )

    def _names(self, wanted: Filter) -> list[str]:
        return [getattr(self.columns[name], "name", name) for name in wanted.exact]

    def _rest(self, wanted: Filter, dialect: str) -> ColumnElement[bool] | None:
        """What the leading index does not answer; None where it answers all."""
        conditions = [self.columns[name] == value for name, value in list(wanted.exact.items())[1:]]
        conditions += [self._holds(word, dialect) for word in wanted.words]
        return and_(true(), *conditions) if conditions else None

    def _holds(self, word: str, dialect: str) -> ColumnElement[bool]:
        texts = [self.columns[name] for name in ("node", "actor", "address", "action", "outcome", "subject")]
        places = [_plain(text, dialect).icontains(word, autoescape=True) for text in texts]
        return or_(*places, _plain(self.columns["detail"], dialect).icontains(in_detail(word), autoescape=True))

    def _entries(self, connection: Connection, keys: Sequence[int]) -> tuple[Entry, ...]:
        if not keys:
            return ()
        rows = connection.execute(select(self.table).where(self.columns["id"].in_(keys))).mappings()
        found = {row["id"]: self.read(row) for row in rows}
        return tuple(found[key] for key in keys if key in found)


def _plain(column: ColumnElement[Any], dialect: str) -> ColumnElement[str]:
    """The column as text; MariaDB keeps JSON in a collation that knows upper from lower case."""
    text = type_coerce(column, Text)
    return text.collate(_ANY_CASE) if dialect == MARIADB else text
