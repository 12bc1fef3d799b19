"""What the API writes into this node's activity journal: one entry for each change and for each attempt at one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request

from app.api.parts import node
from app.core.errors import HapairError, LocalFailure
from app.ports import Actor, Json

log = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
STRANGERS_NOTED_MAX = 120
STRANGERS_WINDOW_S = 60.0
"""So many refusals of people who are not known are noted in so long: a stranger who goes on must not fill the disk."""
UNKNOWN = "unknown"
SCOPE_TOO_SMALL = "scope-too-small"
_STRANGERS = "hapair-strangers"

View = TypeVar("View", bound=Callable[..., Any])


def record(action: str, outcome: str, detail: Json, actor: Actor | None = None) -> None:
    """The act stands in this node's activity journal; where that can't be written, in the log at least."""
    by: Actor = actor or g.visitor.actor
    g.is_recorded = True
    try:
        node().store.add_activity(by, action, outcome, detail)
    except LocalFailure as error:
        log.error("activity %s by %s (%s) could not be stored: %s", action, by.name, outcome, error)  # noqa: TRY400


def already_recorded() -> None:
    """The act has written its own entry already, because it needed that entry's number."""
    g.is_recorded = True


def recorded(action: str) -> Callable[[View], View]:
    """The view's outcome goes into the activity journal: done, or refused or failed with the error's code.

    What it changed is what the view puts into `note_detail`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            g.detail = {}
            try:
                found = view(*arguments, **named)
            except HapairError as error:
                record(action, _refusal(error.status), {**g.detail, "code": error.code})
                raise
            record(action, "done", g.detail)
            return found

        return tried_as(action)(wrapper)  # type: ignore[return-value]

    return decorate


def tried_as(action: str) -> Callable[[View], View]:
    """The name of the act in the journal, also where an attempt does not get as far as the view."""

    def mark(view: View) -> View:
        view.recorded_action = action  # type: ignore[attr-defined]
        return view

    return mark


def note_detail(**detail: Any) -> None:
    """Adds to what the journal will say of the current act. Never a secret, never a script's body."""
    g.detail |= detail


def install(app: Flask) -> None:
    """Attempts that no view has noted are noted with their answer: those of strangers, without CSRF token, with too
    small a scope, with a body that can't be read, and those that failed."""
    app.extensions[_STRANGERS] = deque(maxlen=STRANGERS_NOTED_MAX)
    app.after_request(_record_rest)


def _record_rest(response: Response) -> Response:
    if g.get("is_recorded") or request.endpoint is None:
        return response
    code = _code(response)
    if request.method in SAFE_METHODS and code != SCOPE_TOO_SMALL:
        return response
    view = current_app.view_functions[request.endpoint]
    action = getattr(view, "recorded_action", request.endpoint)
    outcome = _refusal(response.status_code) if response.status_code >= 400 else "done"
    detail = {**g.get("detail", {}), **({"code": code} if code else {})}
    if "visitor" in g:
        record(action, outcome, detail)
    elif _is_noted(code):
        record(action, outcome, detail, Actor(UNKNOWN, g.get("address", "")))
    return response


def _refusal(status: int) -> str:
    return "refused" if status < 500 else "failed"


def _code(response: Response) -> str:
    problem = response.get_json(silent=True) if response.status_code >= 400 and response.is_json else None
    return str(problem.get("code", "")) if isinstance(problem, dict) else ""


def _is_noted(code: str) -> bool:
    times: deque[float] = current_app.extensions[_STRANGERS]
    now = node().clock.monotonic()
    if len(times) == STRANGERS_NOTED_MAX and now - times[0] < STRANGERS_WINDOW_S:
        log.warning("%s was refused to a stranger (%s); not noted, there are too many", request.endpoint, code)
        return False
    times.append(now)
    return True
