"""Completes the OpenAPI description with what holds for every call: who may, and how it says no.

A view says what it needs by its mark (app.api.door); the refusals that follow from that mark, from a body, from a query
or from a name in the address are the same everywhere, so they are written here once and not beside each view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask

from app.api.body import BODY_BYTES_MAX
from app.api.problems import MEDIA_TYPE
from app.ports import Json

ACCESS = "x-access"
STREAM = "text/event-stream"
METHODS = ("get", "put", "post", "delete")
PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
REFUSALS = {
    "400": "The body is not one JSON object",
    "401": "Log in first, or the token is not known or has expired",
    "403": "Not by this scope or role, or without the CSRF token",
    "404": "There is no such thing",
    "409": "Not in the state that this server is in",
    "413": f"More than {BODY_BYTES_MAX:,} bytes",
    "415": "Not application/json",
    "422": "Some fields are not right",
    "503": "A part of this server does not work",
}
MEANINGS = {
    "open": "everybody, without logging in",
    "session": "every person who has logged in, whatever the role; no token",
    "read": "tokens of every scope, auditors and administrators",
    "operate": "tokens of the scopes operate and configure, administrators",
    "configure": "tokens of the scope configure, administrators",
}
"""What a call may state under ACCESS."""


def access_of(view: Callable[..., Any]) -> str | None:
    """What the view's mark says, in the words of MEANINGS; None without a mark, when nobody is let in."""
    if not hasattr(view, "needed_scope"):
        return None
    if view.needed_scope is None:
        return "open"
    return "session" if getattr(view, "needs_session", False) else str(view.needed_scope)


def complete(document: Json, app: Flask) -> Json:
    """The description with the access and all refusals of each call."""
    document["components"].pop("responses", None)
    for path, method, operation in operations(document):
        access = access_of(view_of(app, method, path))
        if access is not None:
            operation[ACCESS] = access
        if access == "open":
            operation["security"] = []
        elif access == "session":
            operation["security"] = [{"session": []}]
        operation["responses"] = _answers(operation, path, access)
    return document


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Each call: path, method in small letters, description."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def view_of(app: Flask, method: str, path: str) -> Callable[..., Any]:
    """The view behind a path of the description."""
    rule = path.replace("{", "<").replace("}", ">")
    return next(
        app.view_functions[each.endpoint]
        for each in app.url_map.iter_rules()
        if each.rule == rule and method.upper() in (each.methods or ())
    )


def _event(answer: Json) -> Json:
    """What a stream's event is: a name, and in its data the text of the object that was given as the schema."""
    found: Json = {
        "type": "object",
        "properties": {
            "event": {"type": "string"},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": answer["schema"]},
        },
        "required": ["event", "data"],
    }
    return {"schema": found}


def _answers(operation: Json, path: str, access: str | None) -> Json:
    known: Json = {status: answer for status, answer in operation["responses"].items() if status != "default"}
    for status in _refusals(operation, path, access):
        known.setdefault(status, {"description": REFUSALS[status]})
    for status, answer in known.items():
        if status == "422":
            answer.pop("$ref", None)
            answer.setdefault("description", REFUSALS[status])
        if status >= "400" and "content" not in answer:
            answer["content"] = PROBLEM
        if STREAM in answer.get("content", {}):
            answer["content"] = {STREAM: _event(answer["content"][STREAM])}
    return dict(sorted(known.items()))


def _refusals(operation: Json, path: str, access: str | None) -> Iterator[str]:
    yield "503"
    if access != "open":
        yield from ("401", "403")
    if "{" in path:
        yield "404"
    if "requestBody" in operation:
        yield from ("400", "413", "415", "422")
    if any(each.get("in") == "query" for each in operation.get("parameters", ())):
        yield "422"
