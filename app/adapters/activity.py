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
    pool,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app.adapters.activity_pages import MARIADB, LogTable
from app.core.activity import Entry
from app.core.activity_filter import EVERYTHING, Filter, Page
from app.core.errors import LocalFailure, NotAllowed
from app.models.appliance import Activity

TIMEOUT_S = 2
"""To connect, and for each answer."""
COLUMNS = (
    "node",
    "node_entry",
    "hostname",
    "at",
    "actor",
    "address",
    "action",
    "outcome",
    "subject",
    "chain",
    "detail",
)
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
        url = make_url(self._url)
        options: dict[str, Any] = {}
        if url.get_backend_name() == MARIADB:
            options = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), TIMEOUT_S)
            # Nobody listens in between on a Unix socket, and TLS would cost more than the page.
            options |= {"ssl_disabled": True} if "unix_socket" in url.query else {}
        return create_engine(self._url, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT", connect_args=options)

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

    def entries(self, wanted: Filter = EVERYTHING, *, before: int | None = None, limit: int = 50) -> Page[Entry]:
        with self._connection() as connection:
            return LOG.find(connection, wanted, before, limit)

    def after(self, node_id: str, entry: int, limit: int) -> list[Entry]:
        table = Activity.__table__
        query = select(table).where(table.c.node == node_id, table.c.node_entry > entry)
        with self._connection() as connection:
            rows = connection.execute(query.order_by(table.c.node_entry).limit(limit)).mappings()
            return [_entry(row) for row in rows]

    def heads(self) -> list[Entry]:
        table = Activity.__table__
        last = select(table.c.node, func.max(table.c.node_entry).label("node_entry")).group_by(table.c.node).subquery()
        query = select(table).join(last, and_(table.c.node == last.c.node, table.c.node_entry == last.c.node_entry))
        with self._connection() as connection:
            return [_entry(row) for row in connection.execute(query.order_by(table.c.node)).mappings()]

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
        "subject": entry.subject, "chain": entry.chain, "detail": entry.detail,
    }  # fmt: skip
    return [literal(values[name], Activity.__table__.c[name].type).label(name) for name in COLUMNS]


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
        chain=row["chain"],
    )


_COLUMNS_BY_NAME = {"node": "hostname"}
"""Where a filter's name is not the column's."""
LOG = LogTable(
    Activity.__table__,
    {
        name: Activity.__table__.c[_COLUMNS_BY_NAME.get(name, name)]
        for name in ("id", "at", "node", "actor", "address", "action", "outcome", "subject", "detail")
    },
    _entry,
)


def _down() -> LocalFailure:
    return LocalFailure(
        "database-down",
        "The Appliance Database Does Not Answer",
        detail="The common activity log can't be read or added to at the moment.",
        hint="Look at the status page: it says what is wrong with the database.",
    )
