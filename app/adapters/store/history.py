"""The history of ping, replication, mirror and writes: two rings of rows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from app.adapters.store.connections import Connections
from app.core.history import HistoryPoint, slot_of
from app.models.node import HistoryRow

_COLUMNS = (
    HistoryRow.at,
    HistoryRow.round_trip_ms,
    HistoryRow.failed_pings,
    HistoryRow.missed,
    HistoryRow.lag_s,
    HistoryRow.files,
    HistoryRow.outage_s,
)


class HistoryTables:
    _connections: Connections

    def add_history(self, length_s: int, point: HistoryPoint) -> None:
        values = {"length_s": length_s, "slot": slot_of(point.at, length_s), **asdict(point)}
        with self._connections.writing() as connection:
            connection.execute(insert(HistoryRow).prefix_with("OR REPLACE").values(values))

    def history(self, length_s: int, since: datetime) -> list[HistoryPoint]:
        query = select(*_COLUMNS).where(HistoryRow.length_s == length_s, HistoryRow.at >= since).order_by(HistoryRow.at)
        with self._connections.reading() as connection:
            return [HistoryPoint(*row) for row in connection.execute(query)]
