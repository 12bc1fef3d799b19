"""Logging in, who am I, logging out."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response

from app.api.body import Resource
from app.api.diary import tried_as
from app.api.door import (
    COOKIE,
    client_address,
    even_with_first_password,
    for_oneself,
    needs,
    open_to_all,
    record,
    session_ends_at,
    visitor,
)
from app.api.known import find_user, remember
from app.api.login import check_login
from app.api.parts import parts
from app.core.access import Scope, UserRole
from app.core.errors import HapairError
from app.passwords import digest, new_secret
from app.ports import Actor, Json
from app.ports.access import SessionRecord, UserRecord
from app.schemas.access import LoginSchema, SessionSchema

resource = Resource("session", __name__, "Logging in and out")


@resource.route("/session", methods=["POST"])
@open_to_all
@tried_as("login")
@resource.arguments(LoginSchema)
@resource.response(200, SessionSchema)
@resource.alt_response(401, description="Wrong name, password or code; or, with code `code-needed`, no code yet")
@resource.alt_response(429, description="Too many wrong log-ins")
def log_in(login: dict[str, str]) -> Response:
    """Log in; the answer sets the session cookie."""
    name, address = login["username"], client_address()
    actor = Actor(name, address)
    try:
        user = check_login(name, login["password"], login.get("code"), address)
    except HapairError as error:
        record("login", "refused", {"code": error.code}, actor)
        raise
    remember(user)
    cookie = new_secret()
    session = parts().access.add_session(digest(cookie), user, new_secret(), address)
    record("login", "done", {}, actor)
    response = make_response(SessionSchema().dump(described(session, user)))
    response.set_cookie(COOKIE, cookie, secure=True, httponly=True, samesite="Strict", path="/")
    return response


def described(session: SessionRecord, user: UserRecord | None) -> Json:
    """What a browser is told of its session; `user` is None where it can't be asked for."""
    return {
        "username": session.username,
        "role": str(session.role),
        "scope": str(session.role.scope),
        "csrf_token": session.csrf_token,
        "ends_at": session_ends_at(session),
        "password_change_needed": session.must_change,
        "totp": None if user is None else user.totp is not None,
        "recovery_codes": None if user is None else len(user.recovery),
    }


@resource.route("/session", methods=["GET"])
@even_with_first_password
@needs(Scope.READ)
@resource.response(200, SessionSchema)
def who_am_i() -> dict[str, Any]:
    """Who is asking, and the CSRF token of a browser's session."""
    who = visitor()
    if who.session is not None:
        return described(who.session, find_user(who.session.username))
    return {
        "username": who.actor.name,
        "role": str(UserRole.ADMINISTRATOR) if who.scope is Scope.CONFIGURE else str(who.scope),
        "scope": str(who.scope),
        "csrf_token": None,
        "ends_at": None,
        "password_change_needed": False,
        "totp": None,
        "recovery_codes": None,
    }


@resource.route("/session", methods=["DELETE"])
@even_with_first_password
@for_oneself
@tried_as("logout")
@resource.response(204)
def log_out() -> Response:
    """End the session."""
    parts().access.end_session(visitor().session_digest)
    record("logout", "done", {})
    response = make_response("", 204)
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict", path="/")
    return response
