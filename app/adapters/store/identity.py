"""Who this node is, and what it is configured to be."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from app.adapters.store.codec import decode, encode
from app.adapters.store.connections import Connections
from app.core.config import rebased
from app.core.errors import LocalFailure, Stale
from app.core.state import NodeState
from app.models.node import ONLY_ROW, ConfigurationRow, NoteRow, PairingKeyRow, StateRow
from app.ports import Actor, Clock, ConfigRecord, Json


class IdentityTables:
    _connections: Connections
    _clock: Clock

    def state(self) -> NodeState:
        return self._connections.unchanged("state", self._load_state)

    def _load_state(self) -> NodeState:
        with self._connections.reading() as connection:
            return _state(connection.exec_driver_sql("SELECT document FROM node_state WHERE id = 1").scalar())

    def change_state(self, change: Callable[[NodeState], NodeState]) -> NodeState:
        with self._connections.writing() as connection:
            before = _state(connection.exec_driver_sql("SELECT document FROM node_state WHERE id = 1").scalar())
            after = change(before)
            if after.term < before.term:
                raise LocalFailure(
                    "term-went-back",
                    "The Term May Not Go Back",
                    detail=f"This node is in term {before.term} already; {after.term} was refused.",
                )
            if after != before:
                connection.execute(
                    update(StateRow).where(StateRow.id == ONLY_ROW).values(term=after.term, document=encode(after))
                )
        return after

    def config(self) -> ConfigRecord:
        # A copy: callers may change the fields of what they get.
        return copy.deepcopy(self._connections.unchanged("config", self._load_config))

    def _load_config(self) -> ConfigRecord:
        with self._connections.reading() as connection:
            return _config(connection.execute(select(ConfigurationRow.__table__)).mappings().one())

    def save_draft(self, draft: Json | None, expected_version: int | None, actor: Actor) -> ConfigRecord:
        with self._connections.writing() as connection:
            row = connection.execute(select(ConfigurationRow.__table__)).mappings().one()
            if expected_version is not None and row["version"] != expected_version:
                raise Stale("stale-draft", "The Draft", row["saved_by"] or "hapair")
            changes = {
                "draft": draft, "version": row["version"] + 1, "failed": None,
                "saved_by": actor.name, "saved_at": self._clock.now(),
            }  # fmt: skip
            connection.execute(update(ConfigurationRow).values(changes))
        return _config({**row, **changes})

    def save_applied(self, applied: Json, *, keep_draft: bool = False) -> ConfigRecord:
        with self._connections.writing() as connection:
            row = connection.execute(select(ConfigurationRow.__table__)).mappings().one()
            changes: Json = {"applied": applied, "version": row["version"] + 1}
            draft = rebased(row["draft"], row["applied"], applied) if keep_draft and row["draft"] is not None else None
            changes |= {"draft": draft, "failed": row["failed"] if draft is not None else None}
            connection.execute(update(ConfigurationRow).values(changes))
        return _config({**row, **changes})

    def draft_failed(self, message: str | None) -> None:
        with self._connections.writing() as connection:
            connection.execute(update(ConfigurationRow).values(failed=message))

    def save_pairing_key(self, fingerprint: str, private_key: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(delete(PairingKeyRow).where(PairingKeyRow.retired_at.is_(None)))
            connection.execute(
                insert(PairingKeyRow).values(
                    fingerprint=fingerprint, private_key=private_key, created_at=self._clock.now(), retired_at=None
                )
            )

    def pairing_key(self, fingerprint: str) -> str | None:
        with self._connections.reading() as connection:
            return connection.execute(
                select(PairingKeyRow.private_key).where(
                    PairingKeyRow.fingerprint == fingerprint, PairingKeyRow.retired_at.is_(None)
                )
            ).scalar()

    def retire_pairing_key(self, fingerprint: str) -> None:
        """The fingerprint counts as used, also one that the other server generated; a private key is forgotten."""
        with self._connections.writing() as connection:
            now = self._clock.now()
            retired = connection.execute(
                update(PairingKeyRow)
                .where(PairingKeyRow.fingerprint == fingerprint)
                .values(private_key=None, retired_at=now)
            )
            if not retired.rowcount:
                connection.execute(
                    insert(PairingKeyRow).values(
                        fingerprint=fingerprint, private_key=None, created_at=now, retired_at=now
                    )
                )

    def pairing_key_retired(self, fingerprint: str) -> bool:
        with self._connections.reading() as connection:
            found = connection.execute(
                select(PairingKeyRow.fingerprint).where(
                    PairingKeyRow.fingerprint == fingerprint, PairingKeyRow.retired_at.is_not(None)
                )
            )
            return found.scalar() is not None

    def note(self, key: str) -> Json | None:
        with self._connections.reading() as connection:
            return connection.execute(select(NoteRow.value).where(NoteRow.key == key)).scalar()

    def save_note(self, key: str, value: Json) -> None:
        self.change_note(key, lambda _: value)

    def change_note(self, key: str, change: Callable[[Json], Json]) -> Json:
        with self._connections.writing() as connection:
            value = change(connection.execute(select(NoteRow.value).where(NoteRow.key == key)).scalar() or {})
            if not connection.execute(update(NoteRow).where(NoteRow.key == key).values(value=value)).rowcount:
                connection.execute(insert(NoteRow).values(key=key, value=value))
        return value


def _state(document: str | None) -> NodeState:
    if document is None:
        raise LocalFailure("store-empty", "This Node Has No Identity", hint="Install hapair on this server first.")
    return decode(NodeState, json.loads(document))


def _config(row: RowMapping | Mapping[str, Any]) -> ConfigRecord:
    return ConfigRecord(
        applied=row["applied"], draft=row["draft"], version=row["version"], saved_by=row["saved_by"],
        saved_at=row["saved_at"], failed=row["failed"],
    )  # fmt: skip
