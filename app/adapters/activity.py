"""The common activity log in the appliance database (app.ports.activity.CommonLog).

The monitor comes in as root, whom MariaDB lets write to a read-only server. So each write asks in its own statement
whether the server takes writes: making a server read-only waits for statements under way and holds back those that
follow, so that no entry can slip in behind a fence or into a replica.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Insert,
    and_,
    create_engine,
    func,
    literal,
    make_url,
    or_,
    pool,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app.core.activity import Entry
from app.core.errors import LocalFailure, NotAllowed, NotFound
from app.models.appliance import Activity

TIMEOUT_S = 2
"""To connect, and for each answer."""
MARIADB = "mysql"
COLUMNS = ("node", "node_entry", "hostname", "at", "actor", "address", "action", "outcome", "detail")
_HUNG = text(
    "SELECT 1 FROM information_schema.processlist WHERE id <> CONNECTION_ID()"
    " AND user = SUBSTRING_INDEX(USER(), '@', 1) AND info LIKE 'INSERT INTO activity %' LIMIT 1"
)


class SqlCommonLog:
    """Nothing connects before the first use; each use has a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _engine(self) -> Engine:
        on_mariadb = make_url(self._url).get_backend_name() == MARIADB
        bounds = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), TIMEOUT_S) if on_mariadb else {}
        return create_engine(self._url, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT", connect_args=bounds)

    def highest(self, node_id: str) -> int:
        with self._connection() as connection:
            return _highest(connection, node_id)

    def add(self, entries: Sequence[Entry]) -> int:
        with self._connection() as connection:
            if connection.dialect.name == MARIADB and connection.execute(_HUNG).first() is not None:
                # An insert that waits for the standby's acknowledgement is still there: a second one would wait too.
                raise _down()
            connection.execute(_insert(connection.dialect.name, entries))
            highest = _highest(connection, entries[-1].node_id)
        if highest < entries[-1].node_entry:
            raise NotAllowed(
                "database-read-only",
                "This Server's Database Is Read-Only",
                detail="The common activity log is kept in the replicated database, which only the primary may change.",
                hint="The entries are safe in the journal of their own server and are brought in later.",
            )
        return highest

    def entries(
        self,
        *,
        before: int | None = None,
        limit: int = 50,
        actor: str | None = None,
        action: str | None = None,
        node: str | None = None,
    ) -> list[Entry]:
        wanted = {Activity.actor: actor, Activity.action: action, Activity.hostname: node}
        query = select(Activity.__table__).order_by(Activity.at.desc(), Activity.id.desc()).limit(limit)
        query = query.where(*(column == value for column, value in wanted.items() if value is not None))
        with self._connection() as connection:
            if before is not None:
                query = query.where(_older(connection, before))
            return [_entry(row) for row in connection.execute(query).mappings()]

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _down() from error


def _highest(connection: Connection, node_id: str) -> int:
    return connection.execute(select(func.max(Activity.node_entry)).where(Activity.node == node_id)).scalar() or 0


def _insert(dialect: str, entries: Sequence[Entry]) -> Insert:
    """One statement for all, which leaves alone what is there, and adds nothing to a read-only server."""
    rows = union_all(*(select(*_values(entry)) for entry in entries)).subquery("given")
    if dialect == MARIADB:
        writable = select(rows).where(text("@@global.read_only = 0"))
        adding = mysql.insert(Activity).from_select(COLUMNS, writable)
        return adding.on_duplicate_key_update(node_entry=Activity.node_entry)
    return sqlite.insert(Activity).from_select(COLUMNS, select(rows).where(true())).on_conflict_do_nothing()


def _values(entry: Entry) -> list[ColumnElement[Any]]:
    values = {
        "node": entry.node_id, "node_entry": entry.node_entry, "hostname": entry.node, "at": entry.at,
        "actor": entry.actor, "address": entry.address, "action": entry.action, "outcome": entry.outcome,
        "detail": entry.detail,
    }  # fmt: skip
    return [literal(values[name], Activity.__table__.c[name].type).label(name) for name in COLUMNS]


def _older(connection: Connection, key: int) -> ColumnElement[bool]:
    """What comes after the entry of that key, newest first. The first condition is the one that the index serves."""
    at = connection.execute(select(Activity.at).where(Activity.id == key)).scalar()
    if at is None:
        raise NotFound(
            "no-such-entry",
            "No Such Entry",
            detail=f"The activity log has no entry {key} to go on from.",
            hint="Begin again with the newest entries.",
        )
    return and_(Activity.at <= at, or_(Activity.at < at, Activity.id < key))


def _entry(row: Any) -> Entry:
    return Entry(
        node_id=row["node"],
        node_entry=row["node_entry"],
        at=row["at"],
        node=row["hostname"],
        actor=row["actor"],
        address=row["address"],
        action=row["action"],
        outcome=row["outcome"],
        detail=row["detail"],
        id=row["id"],
    )


def _down() -> LocalFailure:
    return LocalFailure(
        "database-down",
        "The Appliance Database Does Not Answer",
        detail="The common activity log can't be read or added to at the moment.",
        hint="Look at the status page: it says what is wrong with the database.",
    )
