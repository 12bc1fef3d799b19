"""Trials of the alerts: asked for through the API, made by the monitor."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from app.adapters.store.connections import Connections
from app.core.errors import NotAllowed
from app.models.alerts import AlertTestRow
from app.ports import Actor, AlertTest, Clock, Json

WAITING_MAX = 5
KEPT = 50


class AlertTestTables:
    _connections: Connections
    _clock: Clock

    def add_alert_test(self, channel: str, arguments: Json, actor: Actor) -> AlertTest:
        now = self._clock.now()
        values: dict[str, Any] = {
            "id": f"{int(now.timestamp() * 1000):012x}-{secrets.token_hex(4)}", "channel": channel, "state": "queued",
            "actor": actor.name, "arguments": arguments, "created_at": now,
        }  # fmt: skip
        with self._connections.writing() as connection:
            refuse_too_many(_waiting(connection))
            connection.execute(insert(AlertTestRow).values(values))
            newest = select(AlertTestRow.id).order_by(AlertTestRow.id.desc()).limit(KEPT)
            connection.execute(delete(AlertTestRow).where(AlertTestRow.id.not_in(newest)))
        return AlertTest(**values)

    def claim_alert_test(self) -> AlertTest | None:
        if not self._connections.unchanged("alert-tests", self._any_waiting):
            return None
        oldest = select(AlertTestRow.__table__).where(AlertTestRow.state == "queued").order_by(AlertTestRow.id).limit(1)
        with self._connections.writing() as connection:
            row = connection.execute(oldest).mappings().first()
            if row is None:
                return None
            connection.execute(update(AlertTestRow).where(AlertTestRow.id == row["id"]).values(state="running"))
        return _test({**row, "state": "running"})

    def _any_waiting(self) -> bool:
        with self._connections.reading() as connection:
            return _waiting(connection) > 0

    def finish_alert_test(self, test_id: str, state: str, result: Json) -> None:
        changes = {"state": state, "result": result, "ended_at": self._clock.now()}
        with self._connections.writing() as connection:
            connection.execute(update(AlertTestRow).where(AlertTestRow.id == test_id).values(changes))

    def end_interrupted_tests(self, result: Json) -> None:
        changes = {"state": "failed", "result": result, "ended_at": self._clock.now()}
        with self._connections.writing() as connection:
            connection.execute(update(AlertTestRow).where(AlertTestRow.state == "running").values(changes))

    def alert_tests(self, test_id: str | None = None) -> list[AlertTest]:
        query = select(AlertTestRow.__table__).order_by(AlertTestRow.id.desc())
        if test_id is not None:
            query = query.where(AlertTestRow.id == test_id)
        with self._connections.reading() as connection:
            return [_test(row) for row in connection.execute(query).mappings()]


def _waiting(connection: Connection) -> int:
    query = select(func.count()).select_from(AlertTestRow).where(AlertTestRow.state == "queued")
    return connection.execute(query).scalar_one()


def refuse_too_many(waiting: int) -> None:
    if waiting >= WAITING_MAX:
        raise NotAllowed(
            "too-many-tests",
            "Too Many Tests Are Waiting",
            detail=f"{waiting} tests wait for the monitor of this server already.",
            hint="Wait until they have ended; if they never do, see that the service hapair-monitor runs.",
        )


def _test(row: RowMapping | dict[str, Any]) -> AlertTest:
    return AlertTest(**row)
