"""Events and their deliveries, alarms, and the local journal of activity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from app.adapters.store.connections import Connections
from app.models.node import ActivityRow, AlarmRow, DeliveryRow, EventRow
from app.ports import DELIVERY_CHANNELS, ActivityRecord, Actor, AlarmRecord, Clock, EventRecord, Json


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

    def add_activity(self, actor: Actor, action: str, outcome: str, detail: Json) -> ActivityRecord:
        values: dict[str, Any] = {
            "at": self._clock.now(), "node": self._node_name(), "actor": actor.name, "address": actor.address,
            "action": action, "outcome": outcome, "detail": detail,
        }  # fmt: skip
        with self._connections.writing() as connection:
            entry = connection.execute(insert(ActivityRow).values(values).returning(ActivityRow.id)).scalar_one()
        return ActivityRecord(id=entry, **values)

    def activity(
        self,
        *,
        before: int | None = None,
        limit: int = 50,
        actor: str | None = None,
        action: str | None = None,
        node: str | None = None,
    ) -> list[ActivityRecord]:
        query = select(ActivityRow.__table__).order_by(ActivityRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(ActivityRow.id < before)
        if actor is not None:
            query = query.where(ActivityRow.actor == actor)
        if action is not None:
            query = query.where(ActivityRow.action == action)
        if node is not None:
            query = query.where(ActivityRow.node == node)
        with self._connections.reading() as connection:
            return [ActivityRecord(**row) for row in connection.execute(query).mappings()]

    def activity_after(self, entry: int, limit: int) -> list[ActivityRecord]:
        query = select(ActivityRow.__table__).where(ActivityRow.id > entry).order_by(ActivityRow.id).limit(limit)
        with self._connections.reading() as connection:
            return [ActivityRecord(**row) for row in connection.execute(query).mappings()]


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
