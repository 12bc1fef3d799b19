"""Whether a log-in is good: its pace, the password, the second factor."""

from __future__ import annotations

import math

from app.api.door import LoginNeeded
from app.api.known import find_user
from app.api.parts import node, parts
from app.core.access import login_wait_s
from app.core.errors import HapairError, LocalFailure, NotAllowed
from app.passwords import password_matches
from app.ports.access import UserRecord
from app.second_factor import GoodCode, match_recovery, match_totp

CODE_NEEDED = "code-needed"


class TooManyLogins(HapairError):
    status = 429

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = math.ceil(wait_s)
        super().__init__(
            "too-many-logins",
            "Too Many Wrong Log-ins",
            detail=f"After several wrong log-ins the next one is looked at in {self.retry_after_s} s.",
            hint="Wait, then try again. Root can set a new password with `hapair user password`.",
        )


def check_login(name: str, password: str, code: str | None, address: str) -> UserRecord:
    """The user who may come in. Raises TooManyLogins and LoginNeeded, and counts what was wrong."""
    throttle = parts().throttle
    subjects = [f"user:{name}"] + ([f"address:{address}"] if address else [])
    check_pace(subjects)
    try:
        user = check_password(name, password)
        check_second_factor(user, code)
    except LoginNeeded as error:
        if error.code != CODE_NEEDED:
            for subject in subjects:
                throttle.add_login_failure(subject)
        raise
    for subject in subjects:
        throttle.clear_login_failures(subject)
    return user


def check_pace(subjects: list[str]) -> None:
    """Raises TooManyLogins while the account or the address has to wait."""
    now = node().clock.now()
    for subject in subjects:
        failures = parts().throttle.login_failures(subject)
        wait_s = 0.0 if failures is None else login_wait_s(failures.count, failures.last_at, now)
        if wait_s > 0:
            raise TooManyLogins(wait_s)


def check_password(name: str, password: str) -> UserRecord:
    """The user of that name and password. Raises LoginNeeded, after the same time whatever is wrong."""
    user = find_user(name)
    if not password_matches(None if user is None else user.password_hash, password) or user is None:
        raise LoginNeeded(
            "wrong-login", "Wrong Name Or Password", detail="Nobody of that name has that password.", hint="Try again."
        )
    return user


def check_second_factor(user: UserRecord, code: str | None) -> None:
    """Nothing where the user has none; else the code is right and is used up. Raises LoginNeeded."""
    if user.totp is None:
        return
    if code is None:
        raise LoginNeeded(
            CODE_NEEDED,
            "A Code Is Needed",
            detail="The password is right; this account has a second factor.",
            hint="Send the code that your device shows now, or one of your recovery codes, as `code`.",
        )
    secret = node().keys.unseal(user.totp)
    good = match_totp(secret, code, user.name, node().clock.now()) or match_recovery(user.recovery, code)
    if good is None or not parts().access.take_code(good.digest, good.ends_at):
        raise LoginNeeded(
            "wrong-code",
            "Wrong Code",
            detail="It is not the code of this moment, or it was used before: each lets in once.",
            hint="Wait for the next code. See that the clocks of your device and of this server are right.",
        )
    if good.ends_at is None:
        _strike(user, good)


def _strike(user: UserRecord, good: GoodCode) -> None:
    """The recovery code is gone for both servers where the database takes writes; for this one it is in any case."""
    try:
        parts().accounts.strike_recovery_code(user.name, good.digest)
    except (LocalFailure, NotAllowed):
        return
