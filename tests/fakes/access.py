"""The door's ports in memory."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app.core.access import FAILURES_FORGOTTEN_AFTER, Scope, UserRole, keeps_an_administrator, session_ended
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

    def add_user(
        self, name: str, password_hash: str, role: UserRole = UserRole.ADMINISTRATOR, *, must_change: bool = False
    ) -> UserRecord:
        self._check()
        if name in self._users:
            raise NotAllowed("user-exists", "This User Exists")
        now = self._now()
        self._users[name] = UserRecord(name, password_hash, role, must_change, None, (), now, now, now)
        return self._users[name]

    def _change(self, name: str, **changes: Any) -> UserRecord:
        self._check()
        if name not in self._users:
            raise NotFound("no-such-user", "No Such User")
        self._users[name] = dataclasses.replace(self._users[name], **changes)
        return self._users[name]

    def _check_administrator_left(self, name: str, role: UserRole | None) -> None:
        if not keeps_an_administrator({each.name: each.role for each in self.users()}, name, role):
            raise NotAllowed("last-administrator", "The Last Administrator Stays")

    def change_password(self, name: str, password_hash: str, *, must_change: bool) -> UserRecord:
        now = self._now()
        return self._change(
            name, password_hash=password_hash, must_change=must_change, password_changed_at=now, sessions_from=now
        )

    def change_role(self, name: str, role: UserRole) -> UserRecord:
        self._change(name)
        self._check_administrator_left(name, role)
        return self._change(name, role=role, sessions_from=self._now())

    def change_second_factor(self, name: str, totp: str | None, recovery: tuple[str, ...]) -> UserRecord:
        return self._change(name, totp=totp, recovery=recovery)

    def strike_recovery_code(self, name: str, digest: str) -> None:
        left = tuple(each for each in self._change(name).recovery if each != digest)
        self._change(name, recovery=left)

    def end_sessions(self, name: str) -> UserRecord:
        return self._change(name, sessions_from=self._now())

    def remove_user(self, name: str) -> None:
        self._change(name)
        self._check_administrator_left(name, None)
        del self._users[name]


class FakeAccess:
    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._sessions: dict[str, SessionRecord] = {}
        self._tokens: dict[str, tuple[str, TokenRecord]] = {}
        self._failures: dict[str, LoginFailures] = {}
        self._copies: dict[str, UserRecord] = {}
        self._taken: dict[str, datetime | None] = {}

    def add_session(self, digest: str, user: UserRecord, csrf_token: str, address: str) -> SessionRecord:
        now = self._now()
        self._sessions[digest] = SessionRecord(
            user.name, csrf_token, address, user.role, user.must_change, None, now, now
        )
        return self._sessions[digest]

    def session(self, digest: str) -> SessionRecord | None:
        return self._sessions.get(digest)

    def touch_session(self, digest: str) -> None:
        self._sessions[digest] = dataclasses.replace(self._sessions[digest], last_seen_at=self._now())

    def hold_totp(self, digest: str, sealed: str | None) -> None:
        self._sessions[digest] = dataclasses.replace(self._sessions[digest], totp=sealed)

    def end_session(self, digest: str) -> None:
        self._sessions.pop(digest, None)

    def end_sessions_of(self, username: str) -> int:
        before = len(self._sessions)
        self._sessions = {key: each for key, each in self._sessions.items() if each.username != username}
        return before - len(self._sessions)

    def session_counts(self) -> dict[str, int]:
        now = self._now()
        open_now = (
            each.username
            for each in self._sessions.values()
            if not session_ended(each.created_at, each.last_seen_at, now)
        )
        return dict(Counter(open_now))

    def add_token(
        self, token_id: str, label: str, scope: Scope, digest: str, created_by: str, expires_at: datetime | None = None
    ) -> TokenRecord:
        token = TokenRecord(token_id, label, scope, created_by, self._now(), None, expires_at)
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

    def copy_user(self, user: UserRecord) -> None:
        self._copies[user.name] = user

    def copied_user(self, name: str) -> UserRecord | None:
        return self._copies.get(name)

    def forget_user(self, name: str) -> None:
        self._copies.pop(name, None)

    def take_code(self, digest: str, ends_at: datetime | None) -> bool:
        now = self._now()
        self._taken = {key: end for key, end in self._taken.items() if end is None or end >= now}
        if digest in self._taken:
            return False
        self._taken[digest] = ends_at
        return True
