"""Logging in, who am I, logging out."""

from __future__ import annotations

import math
from typing import Any

from flask import Response, make_response

from app.api.body import Resource
from app.api.door import (
    COOKIE,
    Forbidden,
    LoginNeeded,
    client_address,
    needs,
    open_to_all,
    record,
    session_ends_at,
    visitor,
)
from app.api.parts import node, parts
from app.core.access import Scope, login_wait_s
from app.core.errors import HapairError, LocalFailure
from app.passwords import digest, new_secret, password_matches
from app.ports import Actor
from app.schemas.access import LoginSchema, SessionSchema

resource = Resource("session", __name__, "Logging in and out")


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


@resource.route("/session", methods=["POST"])
@open_to_all
@resource.arguments(LoginSchema)
@resource.response(200, SessionSchema)
@resource.alt_response(401, description="Wrong name or password")
@resource.alt_response(429, description="Too many wrong log-ins")
def log_in(login: dict[str, str]) -> Response | tuple[dict[str, Any], int, dict[str, str]]:
    """Log in; the answer sets the session cookie."""
    name, address = login["username"], client_address()
    actor = Actor(name, address)
    subjects = [f"user:{name}"] + ([f"address:{address}"] if address else [])
    try:
        check_pace(subjects)
        check_password(name, login["password"])
    except HapairError as error:
        if error.status == LoginNeeded.status:
            for subject in subjects:
                parts().access.add_login_failure(subject)
        record("login", "refused", {"code": error.code}, actor)
        raise
    for subject in subjects:
        parts().access.clear_login_failures(subject)
    cookie = new_secret()
    session = parts().access.add_session(digest(cookie), name, new_secret(), address)
    record("login", "done", {}, actor)
    answer = {
        "username": name, "role": "administrator", "scope": str(Scope.CONFIGURE), "csrf_token": session.csrf_token,
        "ends_at": session_ends_at(session),
    }  # fmt: skip
    response = make_response(SessionSchema().dump(answer))
    response.set_cookie(COOKIE, cookie, secure=True, httponly=True, samesite="Strict", path="/")
    return response


def check_pace(subjects: list[str]) -> None:
    """Raises TooManyLogins while the account or the address has to wait."""
    now = node().clock.now()
    for subject in subjects:
        failures = parts().access.login_failures(subject)
        wait_s = 0.0 if failures is None else login_wait_s(failures.count, failures.last_at, now)
        if wait_s > 0:
            raise TooManyLogins(wait_s)


def check_password(name: str, password: str) -> None:
    """Raises LoginNeeded unless it is that user's password, by the appliance database or, while it is down, by the
    copy that this node made at the user's last log-in."""
    access = parts().access
    try:
        user = parts().accounts.user(name)
        known = None if user is None else user.password_hash
        database_answers = True
        if user is None:
            forget_removed(name)
    except LocalFailure:
        known = access.copied_password(name)
        database_answers = False
    if not password_matches(known, password):
        raise LoginNeeded(
            "wrong-login", "Wrong Name Or Password", detail="Nobody of that name has that password.", hint="Try again."
        )
    if database_answers and known is not None:
        access.copy_user(name, known)


def forget_removed(name: str) -> None:
    """A user who was removed on the other server leaves no copy here."""
    if parts().access.copied_password(name) is not None:
        parts().access.forget_user(name)
        parts().access.end_sessions_of(name)


@resource.route("/session", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, SessionSchema)
def who_am_i() -> dict[str, Any]:
    """Who is asking, and the CSRF token of a browser's session."""
    who = visitor()
    return {
        "username": who.actor.name,
        "role": "administrator" if who.scope is Scope.CONFIGURE else str(who.scope),
        "scope": str(who.scope),
        "csrf_token": who.session.csrf_token if who.session else None,
        "ends_at": session_ends_at(who.session) if who.session else None,
    }


@resource.route("/session", methods=["DELETE"])
@needs(Scope.READ)
@resource.response(204)
def log_out() -> Response:
    """End the session."""
    who = visitor()
    if who.session is None:
        raise Forbidden(
            "not-a-session", "A Token Has No Session", hint="Withdraw the token with DELETE /api/v1/tokens/ID instead."
        )
    parts().access.end_session(who.session_digest)
    record("logout", "done", {})
    response = make_response("", 204)
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict", path="/")
    return response
