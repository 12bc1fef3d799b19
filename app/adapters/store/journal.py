"""The journal of what was done on this node: a chain of entries, read by time with every filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, text

from app.adapters.activity_pages import LogTable
from app.adapters.store.connections import Connections
from app.core.activity import Entry, storable
from app.core.activity_chain import START, Head, link
from app.core.activity_filter import EVERYTHING, Filter, Page
from app.models.node import ActivityRow
from app.ports import Actor, Clock, Json

_TABLE = ActivityRow.__table__
_NODE_ID = text("SELECT json_extract(document, '$.node_id') FROM node_state WHERE id = 1")
_FORGET_NUMBER = text("DELETE FROM sqlite_sequence WHERE name = 'activity'")
_NUMBER = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('activity', :seq)")
_NUMBERED = text("SELECT seq FROM sqlite_sequence WHERE name = 'activity'")


class JournalTables:
    _connections: Connections
    _clock: Clock
    _node_name: Callable[[], str]

    def add_activity(self, actor: Actor, action: str, outcome: str, detail: Json) -> Entry:
        with self._connections.writing() as connection:
            head = _head(connection)
            number = max(head.entry, _numbered(connection)) + 1
            given = Entry(
                _node_id(connection), number, self._clock.now(), self._node_name(), actor.name, actor.address, action,
                outcome, detail,
            )  # fmt: skip
            entry = storable(given)
            # What is too long for the common log stays whole here; its digest is what the link holds.
            kept = entry.detail if "left_out" in entry.detail and "sha256" not in entry.detail else detail
            values = {
                "id": number, "at": entry.at, "node": entry.node, "actor": entry.actor, "address": entry.address,
                "action": entry.action, "outcome": entry.outcome, "subject": entry.subject, "detail": kept,
                "chain": link(head.chain, entry),
            }  # fmt: skip
            connection.execute(insert(ActivityRow).values(values))
            return _entry(values, entry.node_id)

    def activity(self, wanted: Filter = EVERYTHING, *, before: int | None = None, limit: int = 50) -> Page[Entry]:
        with self._connections.reading_together() as connection:
            return _log(_node_id(connection)).find(connection, wanted, before, limit)

    def activity_after(self, entry: int, limit: int) -> list[Entry]:
        if self.activity_head().entry <= entry:
            return []
        query = select(_TABLE).where(_TABLE.c.id > entry).order_by(_TABLE.c.id).limit(limit)
        with self._connections.reading_together() as connection:
            node_id = _node_id(connection)
            return [_entry(row, node_id) for row in connection.execute(query).mappings()]

    def activity_head(self) -> Head:
        return self._connections.unchanged("activity-head", self._load_head)

    def _load_head(self) -> Head:
        with self._connections.reading() as connection:
            return _head(connection)

    def skip_activity(self, number: int) -> None:
        if self.activity_numbered() < number:
            with self._connections.writing() as connection:
                connection.execute(_FORGET_NUMBER)
                connection.execute(_NUMBER, {"seq": number})

    def activity_numbered(self) -> int:
        with self._connections.reading() as connection:
            return _numbered(connection)


def _head(connection: Connection) -> Head:
    query = select(_TABLE.c.id, _TABLE.c.chain).order_by(_TABLE.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return START if row is None else Head(row.id, row.chain)


def _numbered(connection: Connection) -> int:
    return connection.execute(_NUMBERED).scalar() or 0


def _node_id(connection: Connection) -> str:
    return str(connection.execute(_NODE_ID).scalar())


def _log(node_id: str) -> LogTable:
    names = ("id", "at", "node", "actor", "address", "action", "outcome", "subject", "detail")
    return LogTable(_TABLE, {name: _TABLE.c[name] for name in names}, lambda row: _entry(row, node_id))


def _entry(row: RowMapping | dict[str, Any], node_id: str) -> Entry:
    return Entry(
        node_id, row["id"], row["at"], row["node"], row["actor"], row["address"], row["action"], row["outcome"],
        row["detail"], row["id"], row["chain"],
    )  # fmt: skip
