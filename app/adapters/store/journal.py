"""Events and their deliveries, alarms, and the local journal of activity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, text, update

from app.adapters.activity_pages import LogTable
from app.adapters.store.connections import Connections
from app.core.activity import Entry, storable
from app.core.activity_chain import START, Head, link
from app.core.activity_filter import EVERYTHING, Filter, Page
from app.models.node import ActivityRow, AlarmRow, DeliveryRow, EventRow
from app.ports import DELIVERY_CHANNELS, Actor, AlarmRecord, Clock, EventRecord, Json

_TABLE = ActivityRow.__table__
_NODE_ID = text("SELECT json_extract(document, '$.node_id') FROM node_state WHERE id = 1")
_NUMBERED = text("SELECT seq FROM sqlite_sequence WHERE name = 'activity'")


class JournalTables:
    _connections: Connections
    _clock: Clock
    _node_name: Callable[[], str]

    def add_event(self, key: str, kind: str, parameters: Sequence[str], detail: str = "") -> EventRecord | None:
        now = self._clock.now()
        with self._connections.writing() as connection:
            if connection.execute(select(EventRow.id).where(EventRow.key == key)).scalar() is not None:
                return None
            values = {
                "key": key, "kind": kind, "at": now, "node": self._node_name(), "parameters": list(parameters),
                "detail": detail,
            }  # fmt: skip
            event_id = connection.execute(insert(EventRow).values(values).returning(EventRow.id)).scalar_one()
            for channel in DELIVERY_CHANNELS:
                connection.execute(
                    insert(DeliveryRow).values(event_id=event_id, channel=channel, state="pending", at=now, detail="")
                )
            return _event(connection, event_id)

    def events(self, *, before: int | None = None, limit: int = 50) -> list[EventRecord]:
        query = select(EventRow.__table__).order_by(EventRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(EventRow.id < before)
        with self._connections.reading_together() as connection:
            return [_with_deliveries(connection, row) for row in connection.execute(query).mappings().all()]

    def claim_delivery(self, channel: str) -> EventRecord | None:
        if self._oldest_pending(channel) is None:
            return None
        with self._connections.writing() as connection:
            event_id = connection.execute(_pending(channel)).scalar()
            if event_id is None:
                return None
            connection.execute(
                update(DeliveryRow)
                .where(DeliveryRow.event_id == event_id, DeliveryRow.channel == channel)
                .values(state="claimed", at=self._clock.now())
            )
            return _event(connection, event_id)

    def _oldest_pending(self, channel: str) -> int | None:
        """Read only, so that the usual answer "nothing to do" takes no lock."""
        with self._connections.reading() as connection:
            return connection.execute(_pending(channel)).scalar()

    def finish_delivery(self, event_id: int, channel: str, state: str, detail: str = "") -> None:
        with self._connections.writing() as connection:
            connection.execute(
                update(DeliveryRow)
                .where(DeliveryRow.event_id == event_id, DeliveryRow.channel == channel)
                .values(state=state, at=self._clock.now(), detail=detail)
            )

    def raise_alarm(self, code: str, text: str) -> bool:
        with self._connections.writing() as connection:
            refreshed = connection.execute(update(AlarmRow).where(AlarmRow.code == code).values(text=text))
            if refreshed.rowcount:
                return False
            connection.execute(insert(AlarmRow).values(code=code, text=text, raised_at=self._clock.now()))
            return True

    def clear_alarm(self, code: str) -> AlarmRecord | None:
        with self._connections.writing() as connection:
            row = connection.execute(select(AlarmRow.__table__).where(AlarmRow.code == code)).mappings().first()
            if row is None:
                return None
            connection.execute(delete(AlarmRow).where(AlarmRow.code == code))
            return AlarmRecord(**row)

    def alarms(self) -> list[AlarmRecord]:
        query = select(AlarmRow.__table__).order_by(AlarmRow.raised_at, AlarmRow.code)
        with self._connections.reading() as connection:
            return [AlarmRecord(**row) for row in connection.execute(query).mappings()]

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
        query = select(_TABLE).where(_TABLE.c.id > entry).order_by(_TABLE.c.id).limit(limit)
        with self._connections.reading_together() as connection:
            node_id = _node_id(connection)
            return [_entry(row, node_id) for row in connection.execute(query).mappings()]

    def activity_head(self) -> Head:
        with self._connections.reading() as connection:
            return _head(connection)

    def activity_numbered(self) -> int:
        with self._connections.reading() as connection:
            return _numbered(connection)


def _pending(channel: str) -> Select[int]:
    return (
        select(DeliveryRow.event_id)
        .where(DeliveryRow.channel == channel, DeliveryRow.state == "pending")
        .order_by(DeliveryRow.event_id)
        .limit(1)
    )


def _event(connection: Connection, event_id: int) -> EventRecord:
    row = connection.execute(select(EventRow.__table__).where(EventRow.id == event_id)).mappings().one()
    return _with_deliveries(connection, row)


def _with_deliveries(connection: Connection, row: RowMapping) -> EventRecord:
    query = select(DeliveryRow.__table__).where(DeliveryRow.event_id == row["id"]).order_by(DeliveryRow.channel)
    deliveries = {
        each["channel"]: {"state": each["state"], "at": each["at"].isoformat(), "detail": each["detail"]}
        for each in connection.execute(query).mappings()
    }
    values = {**row, "parameters": tuple(row["parameters"])}
    return EventRecord(**values, deliveries=deliveries)


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
