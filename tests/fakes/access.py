"""The door's ports in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

from app.core.access import FAILURES_FORGOTTEN_AFTER, Scope
from app.core.errors import HapairError, NotAllowed, NotFound
from app.ports.access import LoginFailures, SessionRecord, TokenRecord, UserRecord


def utc_now() -> datetime:
    return datetime.now(UTC)


class FakeAccounts:
    """Set `failure` to have every call raise it, as when the database is down."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._users: dict[str, UserRecord] = {}
        self.failure: HapairError | None = None

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def users(self) -> list[UserRecord]:
        self._check()
        return sorted(self._users.values(), key=lambda user: user.name)

    def user(self, name: str) -> UserRecord | None:
        self._check()
        return self._users.get(name)

    def add_user(self, name: str, password_hash: str) -> UserRecord:
        self._check()
        if name in self._users:
            raise NotAllowed("user-exists", "This User Exists")
        self._users[name] = UserRecord(name, password_hash, self._now(), self._now())
        return self._users[name]

    def change_password(self, name: str, password_hash: str) -> None:
        self._check()
        if name not in self._users:
            raise NotFound("no-such-user", "No Such User")
        self._users[name] = dataclasses.replace(
            self._users[name], password_hash=password_hash, password_changed_at=self._now()
        )

    def remove_user(self, name: str) -> None:
        self._check()
        if name not in self._users:
            raise NotFound("no-such-user", "No Such User")
        if len(self._users) == 1:
            raise NotAllowed("last-user", "The Last User Can't Be Removed")
        del self._users[name]


class FakeAccess:
    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._sessions: dict[str, SessionRecord] = {}
        self._tokens: dict[str, tuple[str, TokenRecord]] = {}
        self._failures: dict[str, LoginFailures] = {}
        self._copies: dict[str, str] = {}

    def add_session(self, digest: str, username: str, csrf_token: str, address: str) -> SessionRecord:
        self._sessions[digest] = SessionRecord(username, csrf_token, address, self._now(), self._now())
        return self._sessions[digest]

    def session(self, digest: str) -> SessionRecord | None:
        return self._sessions.get(digest)

    def touch_session(self, digest: str) -> None:
        self._sessions[digest] = dataclasses.replace(self._sessions[digest], last_seen_at=self._now())

    def end_session(self, digest: str) -> None:
        self._sessions.pop(digest, None)

    def end_sessions_of(self, username: str) -> None:
        self._sessions = {key: each for key, each in self._sessions.items() if each.username != username}

    def add_token(self, token_id: str, label: str, scope: Scope, digest: str, created_by: str) -> TokenRecord:
        token = TokenRecord(token_id, label, scope, created_by, self._now(), None)
        self._tokens[token_id] = (digest, token)
        return token

    def tokens(self) -> list[TokenRecord]:
        return sorted((token for _, token in self._tokens.values()), key=lambda token: (token.created_at, token.id))

    def token(self, digest: str) -> TokenRecord | None:
        return next((token for known, token in self._tokens.values() if known == digest), None)

    def touch_token(self, token_id: str) -> None:
        digest, token = self._tokens[token_id]
        self._tokens[token_id] = (digest, dataclasses.replace(token, last_used_at=self._now()))

    def remove_token(self, token_id: str) -> bool:
        return self._tokens.pop(token_id, None) is not None

    def login_failures(self, subject: str) -> LoginFailures | None:
        return self._failures.get(subject)

    def add_login_failure(self, subject: str) -> None:
        before = self._failures.get(subject)
        forgotten = before is None or self._now() - before.last_at > FAILURES_FORGOTTEN_AFTER
        count = 1 if before is None or forgotten else before.count + 1
        self._failures[subject] = LoginFailures(count, self._now())

    def clear_login_failures(self, subject: str) -> None:
        self._failures.pop(subject, None)

    def copy_user(self, name: str, password_hash: str) -> None:
        self._copies[name] = password_hash

    def copied_password(self, name: str) -> str | None:
        return self._copies.get(name)

    def forget_user(self, name: str) -> None:
        self._copies.pop(name, None)
