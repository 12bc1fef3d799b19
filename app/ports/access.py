"""The walls around the door: accounts in the appliance database, and what lets people in on this node alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.core.access import Scope, UserRole


@dataclass(frozen=True)
class UserRecord:
    """An administrator or an auditor."""

    name: str
    password_hash: str = field(repr=False)
    role: UserRole
    must_change: bool
    """Whether the password was set by somebody else: until it is changed nothing else can be done with it."""
    totp: str | None = field(repr=False)
    """The sealed secret of the second factor, None without one."""
    recovery: tuple[str, ...] = field(repr=False)
    """Digests of the recovery codes that are left."""
    created_at: datetime
    password_changed_at: datetime
    sessions_from: datetime
    """Sessions that began earlier have ended, on both servers."""


class Accounts(Protocol):
    """The users of both servers, in the appliance database.

    Raises LocalFailure (code `database-down`) where it does not answer, NotAllowed (code `database-read-only`)
    where it can't be changed on this server, and NotFound (code `no-such-user`) where a change finds nobody.
    """

    def users(self) -> list[UserRecord]: ...
    def user(self, name: str) -> UserRecord | None: ...
    def add_user(self, name: str, password_hash: str, role: UserRole, *, must_change: bool) -> UserRecord:
        """Raises NotAllowed (code `user-exists`)."""
        ...

    def change_password(self, name: str, password_hash: str, *, must_change: bool) -> UserRecord:
        """All sessions that began before now end."""
        ...

    def change_role(self, name: str, role: UserRole) -> UserRecord:
        """All sessions that began before now end. Raises NotAllowed (code `last-administrator`)."""
        ...

    def change_second_factor(self, name: str, totp: str | None, recovery: tuple[str, ...]) -> UserRecord: ...
    def strike_recovery_code(self, name: str, digest: str) -> None:
        """That code is none any more. Idempotent."""
        ...

    def end_sessions(self, name: str) -> UserRecord:
        """All sessions that began before now end."""
        ...

    def remove_user(self, name: str) -> None:
        """Raises NotAllowed (code `last-administrator`)."""
        ...


@dataclass(frozen=True)
class TokenRecord:
    """A token for automation. The token itself is nowhere: only its digest is stored."""

    id: str
    label: str
    scope: Scope
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class SessionRecord:
    """A person who is logged in."""

    username: str
    csrf_token: str = field(repr=False)
    address: str
    role: UserRole
    must_change: bool
    """Whether this session may do nothing but change the password."""
    totp: str | None = field(repr=False)
    """The sealed secret of a second factor that is being set up."""
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class LoginFailures:
    """Failed log-ins in a row of one account or one address."""

    count: int
    last_at: datetime


class Throttle(Protocol):
    """Counts failed log-ins in a row, by subject: an account or an address."""

    def login_failures(self, subject: str) -> LoginFailures | None: ...
    def add_login_failure(self, subject: str) -> None:
        """Counts one more; those that are long forgotten start at one again."""
        ...

    def clear_login_failures(self, subject: str) -> None: ...


class Access(Throttle, Protocol):
    """Sessions, tokens, failed log-ins and copies of the users, in the node store: they work with MariaDB and Redis
    down. Digests are SHA-256 of random values, in hexadecimal."""

    def add_session(self, digest: str, user: UserRecord, csrf_token: str, address: str) -> SessionRecord:
        """It replaces a session of the same digest."""
        ...

    def session(self, digest: str) -> SessionRecord | None: ...
    def touch_session(self, digest: str) -> None: ...
    def hold_totp(self, digest: str, sealed: str | None) -> None:
        """The session keeps the sealed secret of a second factor until it is confirmed."""
        ...

    def end_session(self, digest: str) -> None: ...
    def end_sessions_of(self, username: str) -> int:
        """How many there were."""
        ...

    def session_counts(self) -> dict[str, int]:
        """By user, those that have not ended by age yet."""
        ...

    def add_token(
        self, token_id: str, label: str, scope: Scope, digest: str, created_by: str, expires_at: datetime | None = None
    ) -> TokenRecord:
        """It replaces a token of the same id."""
        ...

    def tokens(self) -> list[TokenRecord]: ...
    def token(self, digest: str) -> TokenRecord | None: ...
    def touch_token(self, token_id: str) -> None: ...
    def remove_token(self, token_id: str) -> bool:
        """Whether there was one."""
        ...

    def copy_user(self, user: UserRecord) -> None: ...
    def copied_user(self, name: str) -> UserRecord | None: ...
    def forget_user(self, name: str) -> None: ...

    def take_code(self, digest: str, ends_at: datetime | None) -> bool:
        """Whether nobody has taken this code here before; `ends_at` says when nobody could, None for never."""
        ...
