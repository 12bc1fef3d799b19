"""Who may do what and for how long: scopes, the life of a session, the pace of log-ins, names and passwords."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.values import plain_text


class Scope(StrEnum):
    """What someone may do. Each scope holds the ones before it."""

    READ = "read"
    """See status, configuration and logs."""
    OPERATE = "operate"
    """Also act on the pair: swap, take over, resume, maintenance, retry."""
    CONFIGURE = "configure"
    """Also change the configuration, apply it, and manage users and tokens."""


_ORDER = tuple(Scope)


class UserRole(StrEnum):
    """What a person is here for."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    """Sees status and logs, changes nothing but their own password and second factor."""

    @property
    def scope(self) -> Scope:
        return Scope.CONFIGURE if self is UserRole.ADMINISTRATOR else Scope.READ


SESSION_IDLE = timedelta(minutes=30)
SESSION_LIFE = timedelta(hours=12)
SESSION_SEEN_STEP = timedelta(seconds=60)
"""A session's last use is written down at most this often: not every request needs a durable write."""

TOKEN_DAYS = 365
"""A token ends after so many days where nothing else is asked for."""
TOKEN_DAYS_MAX = 3650

FREE_FAILURES = 5
"""So many wrong log-ins in a row cost nothing."""
WAIT_MAX_S = 60.0
FAILURES_FORGOTTEN_AFTER = timedelta(minutes=15)

USER_NAME_LENGTH_MAX = 64
PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 256
LABEL_LENGTH_MAX = 64
CODE_LENGTH_MAX = 32
"""Of a second factor: six digits, or a recovery code with its dashes."""

_USER_NAME = re.compile(r"[a-z][a-z0-9._-]*")
RESERVED_NAMES = frozenset({"root", "hapair"})
"""Names under which the command line and hapair itself appear in the activity log."""


def allows(held: Scope, needed: Scope) -> bool:
    return _ORDER.index(held) >= _ORDER.index(needed)


def session_ended(created_at: datetime, last_seen_at: datetime, now: datetime) -> bool:
    """Whether a session is over, by idleness or by age; a clock that went back ends it too."""
    return now - last_seen_at > SESSION_IDLE or now - created_at > SESSION_LIFE or now < created_at - SESSION_SEEN_STEP


def session_revoked(created_at: datetime, sessions_from: datetime) -> bool:
    """Whether a session began before all sessions of its user were ended, perhaps on the other server."""
    return created_at < sessions_from


def token_expired(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and now >= expires_at


def keeps_an_administrator(roles: Mapping[str, UserRole], name: str, role: UserRole | None) -> bool:
    """Whether somebody can still administer when `name` gets the role, or with None is gone."""
    others = (each for known, each in roles.items() if known != name)
    return role is UserRole.ADMINISTRATOR or UserRole.ADMINISTRATOR in others


def login_wait_s(failures: int, last_at: datetime, now: datetime) -> float:
    """Seconds until the next log-in is looked at: doubling with each failure beyond the free ones, up to a bound."""
    if failures < FREE_FAILURES or now - last_at > FAILURES_FORGOTTEN_AFTER:
        return 0.0
    pause = min(WAIT_MAX_S, 2.0 ** min(failures - FREE_FAILURES, 10))
    return max(0.0, pause - (now - last_at).total_seconds())


def clean_user_name(text: str) -> str:
    """The name as it is stored. Raises ValueError with the sentence for the administrator."""
    name = plain_text(text)
    if not _USER_NAME.fullmatch(name) or len(name) > USER_NAME_LENGTH_MAX:
        raise ValueError(
            "Must start with a small letter and hold only small letters, digits, dot, dash and underscore."
        )
    if name in RESERVED_NAMES:
        raise ValueError("Is kept for hapair itself.")
    return name


def check_password(text: str, name: str) -> None:
    """Raises ValueError where the password is too weak or too long to be one."""
    if len(text) < PASSWORD_LENGTH_MIN:
        raise ValueError(f"Must have at least {PASSWORD_LENGTH_MIN} characters.")
    if len(text) > PASSWORD_LENGTH_MAX:
        raise ValueError(f"May have at most {PASSWORD_LENGTH_MAX} characters.")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise ValueError("Must be text: it holds half characters.")
    if len(set(text)) < PASSWORD_LENGTH_MIN // 2 or name.lower() in text.lower():
        raise ValueError("Is too easy to guess.")


def clean_label(text: str) -> str:
    """The label of a token. Raises ValueError with the sentence for the administrator."""
    label = plain_text(text)
    if not 1 <= len(label) <= LABEL_LENGTH_MAX:
        raise ValueError(f"Must have 1 to {LABEL_LENGTH_MAX} characters.")
    return label
