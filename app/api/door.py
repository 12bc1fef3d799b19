"""Who is asking, and whether they may: session cookie with CSRF token, or bearer token. Each view names its need."""

from __future__ import annotations

import hmac
import ipaddress
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from app.api.diary import SAFE_METHODS
from app.api.diary import note_detail as note_detail
from app.api.diary import record as record
from app.api.diary import recorded as recorded
from app.api.known import was_ended
from app.api.parts import node, parts
from app.core.access import SESSION_LIFE, SESSION_SEEN_STEP, Scope, allows, session_ended, token_expired
from app.core.errors import HapairError, LocalFailure
from app.passwords import digest
from app.ports import Actor
from app.ports.access import Access, SessionRecord, TokenRecord

log = logging.getLogger(__name__)

COOKIE = "__Host-hapair"
"""The prefix makes browsers insist on Secure, Path=/ and no Domain."""
CSRF_HEADER = "X-CSRF-Token"
PERSON_HEADER = "X-Hapair-Person"
"""Whom sudo names, as root's command line tells us; believed from root's own token only."""
LOCAL_TOKEN = "local"  # noqa: S105 - a name
SECRET_LENGTH_MAX = 128
PERSON_LENGTH_MAX = 64

View = TypeVar("View", bound=Callable[..., Any])


class LoginNeeded(HapairError):
    status = 401


class Forbidden(HapairError):
    status = 403


@dataclass(frozen=True)
class Visitor:
    """Who is asking."""

    actor: Actor
    scope: Scope
    session: SessionRecord | None = None
    session_digest: str = ""
    token_digest: str = ""


def visitor() -> Visitor:
    found: Visitor = g.visitor
    return found


def needs(scope: Scope) -> Callable[[View], View]:
    """Marks what a view needs. A view that is not marked can't be reached (see `check_visitor`)."""

    def mark(view: View) -> View:
        view.needed_scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def for_oneself(view: View) -> View:
    """Marks a view about the visitor's own session, which a token has not; every role may."""
    view.needed_scope = Scope.READ  # type: ignore[attr-defined]
    view.needs_session = True  # type: ignore[attr-defined]
    return view


def even_with_first_password(view: View) -> View:
    """Marks a view that works before a password that somebody else has set is changed."""
    view.before_password_change = True  # type: ignore[attr-defined]
    return view


def open_to_all(view: View) -> View:
    """Marks a view that needs no login."""
    view.needed_scope = None  # type: ignore[attr-defined]
    return view


def check_visitor() -> None:
    """Runs before each request: raises LoginNeeded or Forbidden unless the visitor may do this."""
    if request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    if not hasattr(view, "needed_scope"):
        raise Forbidden("forbidden", "Nobody May Do This")
    if view.needed_scope is None:
        return
    g.address = client_address()
    g.visitor = _who(g.address)
    if not allows(g.visitor.scope, view.needed_scope):
        g.detail = {"needed": str(view.needed_scope)}
        raise Forbidden(
            "scope-too-small",
            "You May Not Do This",
            detail=f"This needs the scope {view.needed_scope}; yours is {g.visitor.scope}.",
            hint="Use a token with a larger scope, or log in as an administrator.",
        )
    check_session(g.visitor, view)


def check_session(who: Visitor, view: Callable[..., Any]) -> None:
    """Raises Forbidden where the view is for sessions only, or where this session's password must be changed first."""
    if who.session is None:
        if getattr(view, "needs_session", False):
            raise Forbidden(
                "not-a-session",
                "A Token Has No Session",
                detail="This call is for people who have logged in.",
                hint="Tokens are managed at /api/v1/tokens.",
            )
    elif who.session.must_change and not getattr(view, "before_password_change", False):
        raise Forbidden(
            "password-change-needed",
            "Choose Your Own Password First",
            detail="Your password was set by somebody else; until you change it nothing else can be done with it.",
            hint="PUT /api/v1/session/password with `current` and `password`, on the primary server.",
        )


def client_address() -> str:
    """The address that nginx saw, empty for the command line of this server."""
    seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(seen))
    except ValueError:
        return ""


def _who(address: str) -> Visitor:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _token_visitor(secret.strip(), address)
    cookie = request.cookies.get(COOKIE, "")
    if cookie:
        return _session_visitor(cookie, address)
    raise LoginNeeded(
        "login-needed",
        "Log In First",
        detail="The request carries no session and no token.",
        hint="POST /api/v1/session",
    )


def _token_visitor(secret: str, address: str) -> Visitor:
    access = parts().access
    token = access.token(digest(secret)) if 0 < len(secret) <= SECRET_LENGTH_MAX else None
    if token is None:
        raise LoginNeeded(
            "wrong-token",
            "The Token Is Not Known",
            detail="It was never made on this server, or it was withdrawn. Each server has its own tokens.",
            hint="Make a new token on this server.",
        )
    now = node().clock.now()
    if token_expired(token.expires_at, now):
        raise LoginNeeded(
            "token-expired",
            "The Token Has Expired",
            detail=f"It was good until {token.expires_at:%Y-%m-%d %H:%M} UTC.",
            hint="Make a new token on this server.",
        )
    if token.last_used_at is None or now - token.last_used_at > SESSION_SEEN_STEP:
        _quietly(lambda: access.touch_token(token.id))
    return Visitor(_token_actor(token, address), token.scope, token_digest=digest(secret))


def _token_actor(token: TokenRecord, address: str) -> Actor:
    if token.id != LOCAL_TOKEN:
        return Actor(f"token:{token.label}", address)
    person = request.headers.get(PERSON_HEADER, "")[:PERSON_LENGTH_MAX]
    return Actor(f"root ({person})" if person.isprintable() and person else "root", address)


def _session_visitor(cookie: str, address: str) -> Visitor:
    access, now = parts().access, node().clock.now()
    session_digest = digest(cookie[:SECRET_LENGTH_MAX])
    session = access.session(session_digest)
    if session is None or _is_over(session, now):
        if session is not None:
            access.end_session(session_digest)
        raise LoginNeeded(
            "session-ended",
            "Your Session Has Ended",
            detail="It was idle for too long, has reached its end, or was ended.",
            hint="Log in again.",
        )
    if request.method not in SAFE_METHODS:
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), session.csrf_token.encode()):
            raise Forbidden(
                "csrf",
                "The Request Did Not Come From The Console",
                detail=f"Its {CSRF_HEADER} is missing or is not this session's.",
                hint="Send the csrf_token of GET /api/v1/session with each change.",
            )
    if now - session.last_seen_at > SESSION_SEEN_STEP:
        _quietly(lambda: access.touch_session(session_digest))
    return Visitor(Actor(session.username, address), session.role.scope, session, session_digest)


def _is_over(session: SessionRecord, now: datetime) -> bool:
    """By its times or, looked up once a minute, by what became of its user on either server."""
    if session_ended(session.created_at, session.last_seen_at, now):
        return True
    return now - session.last_seen_at > SESSION_SEEN_STEP and was_ended(session)


def session_ends_at(session: SessionRecord) -> datetime:
    return session.created_at + SESSION_LIFE


def still_valid(who: Visitor, access: Access, now: datetime) -> bool:
    """Whether an open stream's visitor is still let in; a stream by itself does not keep a session from idling."""
    if who.session is None:
        token = access.token(who.token_digest)
        return token is not None and not token_expired(token.expires_at, now)
    session = access.session(who.session_digest)
    return session is not None and not session_ended(session.created_at, session.last_seen_at, now)


def _quietly(act: Callable[[], None]) -> None:
    """A last use that can't be noted (full disk) must not keep anybody out."""
    try:
        act()
    except LocalFailure as error:
        log.warning("the last use could not be noted: %s", error)


def install(app: Flask) -> None:
    app.before_request(check_visitor)
