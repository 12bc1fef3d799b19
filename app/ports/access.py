"""The walls around the door: accounts in the appliance database, and what lets people in on this node alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.core.access import Scope


@dataclass(frozen=True)
class UserRecord:
    """An administrator."""

    name: str
    password_hash: str = field(repr=False)
    created_at: datetime
    password_changed_at: datetime


class Accounts(Protocol):
    """The administrators of both servers, in the appliance database.

    Raises LocalFailure (code `database-down`) where it does not answer, and NotAllowed (code `database-read-only`)
    where it can't be changed on this server.
    """

    def users(self) -> list[UserRecord]: ...
    def user(self, name: str) -> UserRecord | None: ...
    def add_user(self, name: str, password_hash: str) -> UserRecord:
        """Raises NotAllowed (code `user-exists`)."""
        ...

    def change_password(self, name: str, password_hash: str) -> None:
        """Raises NotFound (code `no-such-user`)."""
        ...

    def remove_user(self, name: str) -> None:
        """Raises NotFound (code `no-such-user`) and NotAllowed (code `last-user`)."""
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


@dataclass(frozen=True)
class SessionRecord:
    """A person who is logged in."""

    username: str
    csrf_token: str = field(repr=False)
    address: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class LoginFailures:
    """Failed log-ins in a row of one account or one address."""

    count: int
    last_at: datetime


class Access(Protocol):
    """Sessions, tokens, failed log-ins and copies of the users, in the node store: they work with MariaDB and Redis
    down. Digests are SHA-256 of random values, in hexadecimal."""

    def add_session(self, digest: str, username: str, csrf_token: str, address: str) -> SessionRecord: ...
    def session(self, digest: str) -> SessionRecord | None: ...
    def touch_session(self, digest: str) -> None: ...
    def end_session(self, digest: str) -> None: ...
    def end_sessions_of(self, username: str) -> None: ...

    def add_token(self, token_id: str, label: str, scope: Scope, digest: str, created_by: str) -> TokenRecord:
        """It replaces a token of the same id."""
        ...

    def tokens(self) -> list[TokenRecord]: ...
    def token(self, digest: str) -> TokenRecord | None: ...
    def touch_token(self, token_id: str) -> None: ...
    def remove_token(self, token_id: str) -> bool:
        """Whether there was one."""
        ...

    def login_failures(self, subject: str) -> LoginFailures | None: ...
    def add_login_failure(self, subject: str) -> None:
        """Counts one more; those that are long forgotten start at one again."""
        ...

    def clear_login_failures(self, subject: str) -> None: ...

    def copy_user(self, name: str, password_hash: str) -> None: ...
    def copied_password(self, name: str) -> str | None: ...
    def forget_user(self, name: str) -> None: ...
