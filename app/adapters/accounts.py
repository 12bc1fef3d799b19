"""The administrators in the appliance database (app.ports.access.Accounts)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

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

    def add_user(self, name: str, password_hash: str) -> UserRecord:
        now = self._clock.now()
        user = User(name=name, password_hash=password_hash, created_at=now, password_changed_at=now)
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

    def change_password(self, name: str, password_hash: str) -> None:
        with self._session() as session:
            user = session.scalar(select(User).where(User.name == name))
            if user is None:
                raise _no_such_user(name)
            user.password_hash = password_hash
            user.password_changed_at = self._clock.now()
            session.commit()

    def remove_user(self, name: str) -> None:
        with self._session() as session:
            names = session.scalars(select(User.name).with_for_update()).all()
            if name not in names:
                raise _no_such_user(name)
            if len(names) == 1:
                raise NotAllowed(
                    "last-user",
                    "The Last User Can't Be Removed",
                    detail=f"{name} is the only administrator.",
                    hint="Add another one first.",
                )
            session.execute(delete(User).where(User.name == name))
            session.commit()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with self._sessions() as session:
                yield session
        except SQLAlchemyError as error:
            raise _translated(error) from error


def _record(user: User) -> UserRecord:
    return UserRecord(user.name, user.password_hash, user.created_at, user.password_changed_at)


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
