"""Which users this server knows: by the appliance database or, while it is down, by its own copies."""

from __future__ import annotations

from app.api.parts import parts
from app.core.access import session_revoked
from app.core.errors import LocalFailure
from app.ports.access import SessionRecord, UserRecord


def find_user(name: str) -> UserRecord | None:
    """The user of that name, None where there is none (any more)."""
    try:
        user = parts().accounts.user(name)
    except LocalFailure:
        return parts().access.copied_user(name)
    if user is None:
        _forget_removed(name)
    return user


def remember(user: UserRecord) -> None:
    """This server knows the user even while the database is down."""
    parts().access.copy_user(user)


def was_ended(session: SessionRecord) -> bool:
    """Whether the session's user is gone, or all their sessions were ended, perhaps on the other server."""
    user = find_user(session.username)
    if user is None or session_revoked(session.created_at, user.sessions_from):
        return True
    remember(user)
    return False


def _forget_removed(name: str) -> None:
    """A user who was removed on the other server leaves nothing here."""
    access = parts().access
    if access.copied_user(name) is not None:
        access.forget_user(name)
        access.end_sessions_of(name)
