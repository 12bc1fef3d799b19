"""Events and their deliveries, and the alarms whose raise and clear are events too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update

from app.adapters.store.connections import Connections
from app.core import notices
from app.core.notices import AlarmTold, Channel
from app.models.node import AlarmRow, DeliveryRow, EventRow
from app.ports import AlarmRecord, Clock, EventRecord


class EventTables:
    _connections: Connections
    _clock: Clock
    _node_name: Callable[[], str]

    def add_event(self, key: str, kind: str, parameters: Sequence[str], detail: str = "") -> EventRecord | None:
        with self._connections.writing() as connection:
            event_id = self._insert(connection, key, kind, parameters, detail, notices.channels(kind))
            return None if event_id is None else _load(connection, [event_id])[0]

    def _insert(
        self,
        connection: Connection,
        key: str,
        kind: str,
        parameters: Sequence[str],
        detail: str,
        channels: Sequence[Channel],
    ) -> int | None:
        """The number of the new event; None where there is one with this key. It waits on its channels; the others
        are skipped from the start."""
        if connection.execute(select(EventRow.id).where(EventRow.key == key)).scalar() is not None:
            return None
        now = self._clock.now()
        values = {
            "key": key, "kind": kind, "at": now, "node": self._node_name(), "parameters": list(parameters),
            "detail": detail,
        }  # fmt: skip
        event_id = connection.execute(insert(EventRow).values(values).returning(EventRow.id)).scalar_one()
        deliveries = [
            {
                "event_id": event_id, "channel": each.value, "at": now, "detail": "",
                "state": "pending" if each in channels else "skipped",
            }
            for each in Channel
        ]  # fmt: skip
        connection.execute(insert(DeliveryRow), deliveries)
        return event_id

    def events(self, *, before: int | None = None, limit: int = 50) -> list[EventRecord]:
        query = select(EventRow.id).order_by(EventRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(EventRow.id < before)
        with self._connections.reading_together() as connection:
            return _load(connection, connection.execute(query).scalars().all())

    def event_counts(self) -> dict[str, int]:
        query = select(EventRow.kind, func.count()).group_by(EventRow.kind)
        with self._connections.reading() as connection:
            return {str(kind): int(count) for kind, count in connection.execute(query)}

    # deliveries

    def claim_delivery(self, channel: str) -> EventRecord | None:
        claimed = self.claim_deliveries(channel, 1)
        return claimed[0] if claimed else None

    def claim_deliveries(self, channel: str, limit: int) -> list[EventRecord]:
        if not self._any_pending(channel):
            return []
        with self._connections.writing() as connection:
            event_ids = connection.execute(_pending(channel, limit)).scalars().all()
            self._set_state(connection, event_ids, channel, "claimed", "")
        with self._connections.reading_together() as connection:
            return _load(connection, event_ids)

    def _any_pending(self, channel: str) -> bool:
        """Read only, so that the usual answer "nothing to do" takes no lock."""

        def load() -> bool:
            with self._connections.reading() as connection:
                return connection.execute(_pending(channel, 1)).scalar() is not None

        return self._connections.unchanged(f"pending {channel}", load)

    def finish_delivery(self, event_id: int, channel: str, state: str, detail: str = "") -> None:
        self.finish_deliveries([event_id], channel, state, detail)

    def finish_deliveries(self, event_ids: Sequence[int], channel: str, state: str, detail: str = "") -> None:
        with self._connections.writing() as connection:
            self._set_state(connection, event_ids, channel, state, detail)

    def _set_state(
        self, connection: Connection, event_ids: Sequence[int], channel: str, state: str, detail: str
    ) -> None:
        connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.event_id.in_(event_ids), DeliveryRow.channel == channel)
            .values(state=state, at=self._clock.now(), detail=detail)
        )

    def release_claimed(self, channel: str, state: str, detail: str) -> int:
        with self._connections.writing() as connection:
            released = connection.execute(
                update(DeliveryRow)
                .where(DeliveryRow.channel == channel, DeliveryRow.state == "claimed")
                .values(state=state, at=self._clock.now(), detail=detail)
            )
            return released.rowcount

    def delivery_counts(self) -> dict[tuple[str, str], int]:
        query = select(DeliveryRow.channel, DeliveryRow.state, func.count())
        with self._connections.reading() as connection:
            found = connection.execute(query.group_by(DeliveryRow.channel, DeliveryRow.state))
            return {(channel, state): count for channel, state, count in found}

    # alarms

    def raise_alarm(self, code: str, text: str) -> bool:
        with self._connections.writing() as connection:
            refreshed = connection.execute(update(AlarmRow).where(AlarmRow.code == code).values(text=text))
            if refreshed.rowcount:
                return False
            now = self._clock.now()
            connection.execute(insert(AlarmRow).values(code=code, text=text, raised_at=now))
            self._tell(connection, notices.told_when_raised(code, text, now))
            return True

    def clear_alarm(self, code: str) -> AlarmRecord | None:
        if not self._is_up(code):
            return None
        with self._connections.writing() as connection:
            row = connection.execute(select(AlarmRow.__table__).where(AlarmRow.code == code)).mappings().first()
            if row is None:
                return None
            connection.execute(delete(AlarmRow).where(AlarmRow.code == code))
            raised_at: datetime = row["raised_at"]
            self._tell(connection, notices.told_when_cleared(code, row["text"], raised_at))
            return AlarmRecord(**row)

    def _is_up(self, code: str) -> bool:
        """Read only: an alarm that is not up is cleared again and again without a lock."""
        return any(each.code == code for each in self.alarms())

    def _tell(self, connection: Connection, told: AlarmTold | None) -> None:
        if told is not None:
            self._insert(connection, told.key, told.kind, told.parameters, told.detail, told.channels)

    def alarms(self) -> list[AlarmRecord]:
        return list(self._connections.unchanged("alarms", self._load_alarms))

    def _load_alarms(self) -> list[AlarmRecord]:
        query = select(AlarmRow.__table__).order_by(AlarmRow.raised_at, AlarmRow.code)
        with self._connections.reading() as connection:
            return [AlarmRecord(**row) for row in connection.execute(query).mappings()]


def _pending(channel: str, limit: int) -> Select[int]:
    return (
        select(DeliveryRow.event_id)
        .where(DeliveryRow.channel == channel, DeliveryRow.state == "pending")
        .order_by(DeliveryRow.event_id)
        .limit(limit)
    )


def _load(connection: Connection, event_ids: Sequence[int]) -> list[EventRecord]:
    """The events with their deliveries, in the order of the numbers."""
    events = connection.execute(select(EventRow.__table__).where(EventRow.id.in_(event_ids))).mappings()
    by_id = {row["id"]: row for row in events}
    query = select(DeliveryRow.__table__).where(DeliveryRow.event_id.in_(event_ids))
    deliveries: dict[int, list[RowMapping]] = {}
    for row in connection.execute(query.order_by(DeliveryRow.channel)).mappings():
        deliveries.setdefault(row["event_id"], []).append(row)
    return [_record(by_id[each], deliveries.get(each, [])) for each in event_ids]


def _record(row: RowMapping, deliveries: Iterable[RowMapping]) -> EventRecord:
    told = {
        each["channel"]: {"state": each["state"], "at": each["at"].isoformat(), "detail": each["detail"]}
        for each in deliveries
    }
    values = {**row, "parameters": tuple(row["parameters"])}
    return EventRecord(**values, deliveries=told)
