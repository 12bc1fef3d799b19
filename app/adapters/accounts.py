"""The users in the appliance database (app.ports.access.Accounts)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.access import UserRole, keeps_an_administrator
from app.core.errors import LocalFailure, NotAllowed, NotFound
from app.models.appliance import User
from app.ports import Clock
from app.ports.access import UserRecord

READ_ONLY_ERRORS = frozenset({1290, 1792, 1836})
"""MariaDB: --read-only option, read-only transaction, read-only mode."""


class SqlAccounts:
    """`sessions` gives a session of the appliance database for each use: Flask-SQLAlchemy's in the API."""

    def __init__(self, sessions: Callable[[], Session], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    def users(self) -> list[UserRecord]:
        with self._session() as session:
            return [_record(user) for user in session.scalars(select(User).order_by(User.name))]

    def user(self, name: str) -> UserRecord | None:
        with self._session() as session:
            user = session.scalar(select(User).where(User.name == name))
            return None if user is None else _record(user)

    def add_user(self, name: str, password_hash: str, role: UserRole, *, must_change: bool) -> UserRecord:
        now = self._clock.now()
        user = User(
            name=name, password_hash=password_hash, role=str(role), must_change=must_change, totp=None, recovery=None,
            created_at=now, password_changed_at=now, sessions_from=None,
        )  # fmt: skip
        with self._session() as session:
            session.add(user)
            try:
                session.commit()
            except IntegrityError as error:
                raise NotAllowed(
                    "user-exists",
                    "This User Exists",
                    detail=f"There is a user {name} already.",
                    hint="Choose another name, or change that user's password.",
                ) from error
            return _record(user)

    def change_password(self, name: str, password_hash: str, *, must_change: bool) -> UserRecord:
        now = self._clock.now()
        with self._changed(name) as user:
            user.password_hash, user.must_change = password_hash, must_change
            user.password_changed_at = user.sessions_from = now
            return _record(user)

    def change_role(self, name: str, role: UserRole) -> UserRecord:
        now = self._clock.now()
        with self._session() as session:
            users = _all_locked(session)
            if name not in users:
                raise _no_such_user(name)
            _check_administrator_left(users, name, role)
            users[name].role, users[name].sessions_from = str(role), now
            session.commit()
            return _record(users[name])

    def change_second_factor(self, name: str, totp: str | None, recovery: tuple[str, ...]) -> UserRecord:
        with self._changed(name) as user:
            user.totp, user.recovery = totp, list(recovery)
            return _record(user)

    def strike_recovery_code(self, name: str, digest: str) -> None:
        with self._changed(name) as user:
            user.recovery = [each for each in user.recovery or [] if each != digest]

    def end_sessions(self, name: str) -> UserRecord:
        now = self._clock.now()
        with self._changed(name) as user:
            user.sessions_from = now
            return _record(user)

    def remove_user(self, name: str) -> None:
        with self._session() as session:
            users = _all_locked(session)
            if name not in users:
                raise _no_such_user(name)
            _check_administrator_left(users, name, None)
            session.delete(users[name])
            session.commit()

    @contextmanager
    def _changed(self, name: str) -> Iterator[User]:
        """The user's row, locked; what the block changes is stored when it ends."""
        with self._session() as session:
            user = session.scalar(select(User).where(User.name == name).with_for_update())
            if user is None:
                raise _no_such_user(name)
            yield user
            session.commit()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with self._sessions() as session:
                yield session
        except SQLAlchemyError as error:
            raise _translated(error) from error


def _record(user: User) -> UserRecord:
    return UserRecord(
        user.name, user.password_hash, UserRole(user.role), user.must_change, user.totp, tuple(user.recovery or ()),
        user.created_at, user.password_changed_at, user.sessions_from or user.created_at,
    )  # fmt: skip


def _all_locked(session: Session) -> dict[str, User]:
    """All users, so that two changes at once can't both remove the last administrator but one."""
    return {user.name: user for user in session.scalars(select(User).with_for_update())}


def _check_administrator_left(users: dict[str, User], name: str, role: UserRole | None) -> None:
    if not keeps_an_administrator({key: UserRole(user.role) for key, user in users.items()}, name, role):
        raise NotAllowed(
            "last-administrator",
            "The Last Administrator Stays",
            detail=f"{name} is the only administrator: without one nobody could manage this pair.",
            hint="Add another administrator first.",
        )


def _no_such_user(name: str) -> NotFound:
    return NotFound("no-such-user", "No Such User", detail=f"There is no user {name}.")


def _translated(error: SQLAlchemyError) -> LocalFailure | NotAllowed:
    reason = error.orig if isinstance(error, DBAPIError) else None
    number = reason.args[0] if reason is not None and reason.args else None
    if number in READ_ONLY_ERRORS:
        return NotAllowed(
            "database-read-only",
            "This Server's Database Is Read-Only",
            detail="Users are kept in the replicated database, which only the writable primary may change.",
            hint="Do this on the primary server.",
        )
    return LocalFailure(
        "database-down",
        "The Appliance Database Does Not Answer",
        detail="Users can't be read or changed at the moment.",
        hint="Look at the status page: it says what is wrong with the database.",
    )
