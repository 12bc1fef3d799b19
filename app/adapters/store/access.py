"""The node-local side of the door, in the node store (app.ports.access.Access)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from app.adapters.store.connections import Connections
from app.core.access import FAILURES_FORGOTTEN_AFTER, SESSION_LIFE, Scope
from app.models.node import LoginFailureRow, SessionRow, TokenRow, UserCopyRow
from app.ports import Clock
from app.ports.access import LoginFailures, SessionRecord, TokenRecord

_SESSION = (
    SessionRow.username, SessionRow.csrf_token, SessionRow.address, SessionRow.created_at, SessionRow.last_seen_at,
)  # fmt: skip
_TOKEN = (
    TokenRow.id, TokenRow.label, TokenRow.scope, TokenRow.created_by, TokenRow.created_at, TokenRow.last_used_at,
)  # fmt: skip


class SqliteAccess:
    """Opens nothing before it is used."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._connections = Connections(path)
        self._clock = clock

    def close(self) -> None:
        self._connections.close()

    def add_session(self, digest: str, username: str, csrf_token: str, address: str) -> SessionRecord:
        now = self._clock.now()
        session = SessionRecord(username, csrf_token, address, created_at=now, last_seen_at=now)
        with self._connections.writing() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.created_at < now - SESSION_LIFE))
            connection.execute(
                insert(SessionRow).values(
                    digest=digest, username=username, csrf_token=csrf_token, address=address, created_at=now,
                    last_seen_at=now,
                )
            )  # fmt: skip
        return session

    def session(self, digest: str) -> SessionRecord | None:
        with self._connections.reading() as connection:
            row = connection.execute(select(*_SESSION).where(SessionRow.digest == digest)).mappings().first()
        return None if row is None else SessionRecord(**row)

    def touch_session(self, digest: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(
                update(SessionRow).where(SessionRow.digest == digest).values(last_seen_at=self._clock.now())
            )

    def end_session(self, digest: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.digest == digest))

    def end_sessions_of(self, username: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.username == username))

    def add_token(self, token_id: str, label: str, scope: Scope, digest: str, created_by: str) -> TokenRecord:
        token = TokenRecord(token_id, label, scope, created_by, created_at=self._clock.now(), last_used_at=None)
        with self._connections.writing() as connection:
            connection.execute(delete(TokenRow).where(TokenRow.id == token_id))
            connection.execute(
                insert(TokenRow).values(
                    id=token.id, label=token.label, scope=str(token.scope), digest=digest, created_by=token.created_by,
                    created_at=token.created_at, last_used_at=None,
                )
            )  # fmt: skip
        return token

    def tokens(self) -> list[TokenRecord]:
        with self._connections.reading() as connection:
            rows = connection.execute(select(*_TOKEN).order_by(TokenRow.created_at, TokenRow.id)).mappings()
            return [TokenRecord(**{**row, "scope": Scope(row["scope"])}) for row in rows]

    def token(self, digest: str) -> TokenRecord | None:
        with self._connections.reading() as connection:
            row = connection.execute(select(*_TOKEN).where(TokenRow.digest == digest)).mappings().first()
        return None if row is None else TokenRecord(**{**row, "scope": Scope(row["scope"])})

    def touch_token(self, token_id: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(update(TokenRow).where(TokenRow.id == token_id).values(last_used_at=self._clock.now()))

    def remove_token(self, token_id: str) -> bool:
        with self._connections.writing() as connection:
            return connection.execute(delete(TokenRow).where(TokenRow.id == token_id)).rowcount > 0

    def login_failures(self, subject: str) -> LoginFailures | None:
        query = select(LoginFailureRow.failures, LoginFailureRow.last_at).where(LoginFailureRow.subject == subject)
        with self._connections.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else LoginFailures(row.failures, row.last_at)

    def add_login_failure(self, subject: str) -> None:
        now = self._clock.now()
        statement = insert_or_update(LoginFailureRow).values(subject=subject, failures=1, last_at=now)
        with self._connections.writing() as connection:
            connection.execute(delete(LoginFailureRow).where(LoginFailureRow.last_at < now - FAILURES_FORGOTTEN_AFTER))
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["subject"], set_={"failures": LoginFailureRow.failures + 1, "last_at": now}
                )
            )

    def clear_login_failures(self, subject: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(delete(LoginFailureRow).where(LoginFailureRow.subject == subject))

    def copy_user(self, name: str, password_hash: str) -> None:
        if self.copied_password(name) == password_hash:
            return
        values = {"password_hash": password_hash, "copied_at": self._clock.now()}
        statement = insert_or_update(UserCopyRow).values(name=name, **values)
        with self._connections.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def copied_password(self, name: str) -> str | None:
        with self._connections.reading() as connection:
            return connection.execute(select(UserCopyRow.password_hash).where(UserCopyRow.name == name)).scalar()

    def forget_user(self, name: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(delete(UserCopyRow).where(UserCopyRow.name == name))
