"""The node-local side of the door, in the node store (app.ports.access.Access)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from app.adapters.store.connections import Connections
from app.core.access import FAILURES_FORGOTTEN_AFTER, SESSION_IDLE, SESSION_LIFE, Scope, UserRole
from app.models.node import LoginFailureRow, SessionRow, TakenCodeRow, TokenRow, UserCopyRow
from app.ports import Clock
from app.ports.access import LoginFailures, SessionRecord, TokenRecord, UserRecord

_SESSION = (
    SessionRow.username, SessionRow.csrf_token, SessionRow.address, SessionRow.role, SessionRow.must_change,
    SessionRow.totp, SessionRow.created_at, SessionRow.last_seen_at,
)  # fmt: skip
_TOKEN = (
    TokenRow.id, TokenRow.label, TokenRow.scope, TokenRow.created_by, TokenRow.created_at, TokenRow.last_used_at,
    TokenRow.expires_at,
)  # fmt: skip
_USER = (
    UserCopyRow.name, UserCopyRow.password_hash, UserCopyRow.role, UserCopyRow.must_change, UserCopyRow.totp,
    UserCopyRow.recovery, UserCopyRow.created_at, UserCopyRow.password_changed_at, UserCopyRow.sessions_from,
)  # fmt: skip


class SqliteAccess:
    """Opens nothing before it is used."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._connections = Connections(path)
        self._clock = clock

    def close(self) -> None:
        self._connections.close()

    def add_session(self, digest: str, user: UserRecord, csrf_token: str, address: str) -> SessionRecord:
        now = self._clock.now()
        session = SessionRecord(
            user.name, csrf_token, address, user.role, user.must_change, totp=None, created_at=now, last_seen_at=now
        )
        with self._connections.writing() as connection:
            connection.execute(
                delete(SessionRow).where(or_(SessionRow.created_at < now - SESSION_LIFE, SessionRow.digest == digest))
            )
            connection.execute(insert(SessionRow).values(digest=digest, **{**vars(session), "role": str(user.role)}))
        return session

    def session(self, digest: str) -> SessionRecord | None:
        with self._connections.reading() as connection:
            row = connection.execute(select(*_SESSION).where(SessionRow.digest == digest)).mappings().first()
        return None if row is None else SessionRecord(**{**row, "role": UserRole(row["role"])})

    def touch_session(self, digest: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(
                update(SessionRow).where(SessionRow.digest == digest).values(last_seen_at=self._clock.now())
            )

    def hold_totp(self, digest: str, sealed: str | None) -> None:
        with self._connections.writing() as connection:
            connection.execute(update(SessionRow).where(SessionRow.digest == digest).values(totp=sealed))

    def end_session(self, digest: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.digest == digest))

    def end_sessions_of(self, username: str) -> int:
        with self._connections.writing() as connection:
            return connection.execute(delete(SessionRow).where(SessionRow.username == username)).rowcount

    def session_counts(self) -> dict[str, int]:
        now = self._clock.now()
        query = (
            select(SessionRow.username, func.count().label("open"))
            .where(SessionRow.created_at >= now - SESSION_LIFE, SessionRow.last_seen_at >= now - SESSION_IDLE)
            .group_by(SessionRow.username)
        )
        with self._connections.reading() as connection:
            return {row.username: row.open for row in connection.execute(query)}

    def add_token(
        self, token_id: str, label: str, scope: Scope, digest: str, created_by: str, expires_at: datetime | None = None
    ) -> TokenRecord:
        token = TokenRecord(
            token_id, label, scope, created_by, created_at=self._clock.now(), last_used_at=None, expires_at=expires_at
        )
        with self._connections.writing() as connection:
            connection.execute(delete(TokenRow).where(TokenRow.id == token_id))
            connection.execute(insert(TokenRow).values(digest=digest, **{**vars(token), "scope": str(scope)}))
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

    def copy_user(self, user: UserRecord) -> None:
        if self.copied_user(user.name) == user:
            return
        values = {**vars(user), "role": str(user.role), "recovery": list(user.recovery), "copied_at": self._clock.now()}
        statement = insert_or_update(UserCopyRow).values(**values)
        with self._connections.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def copied_user(self, name: str) -> UserRecord | None:
        with self._connections.reading() as connection:
            row = connection.execute(select(*_USER).where(UserCopyRow.name == name)).mappings().first()
        if row is None:
            return None
        return UserRecord(**{**row, "role": UserRole(row["role"]), "recovery": tuple(row["recovery"])})

    def forget_user(self, name: str) -> None:
        with self._connections.writing() as connection:
            connection.execute(delete(UserCopyRow).where(UserCopyRow.name == name))

    def take_code(self, digest: str, ends_at: datetime | None) -> bool:
        statement = insert_or_update(TakenCodeRow).values(digest=digest, ends_at=ends_at).on_conflict_do_nothing()
        with self._connections.writing() as connection:
            connection.execute(delete(TakenCodeRow).where(TakenCodeRow.ends_at < self._clock.now()))
            return connection.execute(statement).rowcount > 0
