"""Every error becomes a problem document (RFC 9457); nothing of the program's inside is in one."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, current_app, json, request
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from app.core.errors import HapairError, InvalidInput
from app.schemas.problem import ProblemSchema

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:hapair:problem:"

WORDS: dict[int, tuple[str, str, str, str]] = {
    400: ("bad-request", "The Request Can't Be Read", "It is not a valid HTTP request.", "Look at the documentation."),
    404: (
        "not-found",
        "There Is Nothing Here",
        "No call of the API has this address.",
        "See /api/v1/docs for the calls.",
    ),
    405: ("method-not-allowed", "Not By This Method", "This address does not take that method.", "See /api/v1/docs."),
    408: ("request-timeout", "The Request Took Too Long", "It did not arrive in time.", "Send it again."),
    411: (
        "length-required",
        "The Length Is Missing",
        "The request does not say how long it is.",
        "Send Content-Length.",
    ),
    413: ("too-large", "The Request Is Too Large", "A request may have at most 1 MB.", "Send less."),
    414: ("address-too-long", "The Address Is Too Long", "The address of a call is short.", "See /api/v1/docs."),
    415: ("not-json", "The Request Is Not JSON", "This call takes JSON only.", "Send Content-Type: application/json."),
    500: (
        "internal-error",
        "Something Went Wrong Here",
        "The API made a mistake; what it was stands in its log.",
        "Try again; if it happens again, report it with the time.",
    ),
}
"""By HTTP status: code, title, detail, hint."""


def document(error: HapairError) -> dict[str, Any]:
    """The problem document of one of our errors."""
    found: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "hint": error.hint,
    }
    if error.errors:
        found["errors"] = error.errors
    return found


def answer(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(problem)
    return current_app.response_class(body, problem["status"], headers, content_type=MEDIA_TYPE)


class ProblemApi(Api):  # type: ignore[misc]
    """Flask-smorest with our errors in place of its own."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Nothing: `register` below does it."""


def register(app: Flask) -> None:
    """All errors of this application are answered with problem documents."""
    app.register_error_handler(HapairError, of_ours)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_anything_else)


def of_ours(error: HapairError) -> Response:
    return answer(document(error), headers_of(error))


def headers_of(error: HapairError) -> dict[str, str]:
    """Where the error says how long to wait, the standard header says it too."""
    wait_s = getattr(error, "retry_after_s", None)
    return {} if wait_s is None else {"Retry-After": str(wait_s)}


def of_http(error: HTTPException) -> Response:
    status = error.code if error.code in WORDS else 400 if (error.code or 500) < 500 else 500
    code, title, detail, hint = WORDS[status]
    problem = {
        "type": TYPE_PREFIX + code, "title": title, "status": error.code or 500, "code": code, "detail": detail,
        "hint": hint,
    }  # fmt: skip
    allowed = dict(error.get_headers()).get("Allow") if error.code == 405 else None
    return answer(problem, {"Allow": allowed} if allowed else None)


def of_anything_else(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    code, title, detail, hint = WORDS[500]
    return answer(
        {"type": TYPE_PREFIX + code, "title": title, "status": 500, "code": code, "detail": detail, "hint": hint}
    )


def invalid_fields(messages: dict[str, Any]) -> InvalidInput:
    """The sentences of marshmallow, by location and field, as our error: by field."""
    errors: dict[str, list[str]] = {}
    for found in messages.values():
        for name, sentences in found.items() if isinstance(found, dict) else [("_schema", found)]:
            errors[printable(str(name))] = [_plain(each) for each in flat(sentences)]
    named = ", ".join(sorted(name for name in errors if name != "_schema")) or "The request"
    return InvalidInput(
        "invalid-input",
        "Some Fields Are Not Right",
        detail=f"{named} can't be accepted; nothing was changed.",
        hint="Correct the named fields and send it again.",
        errors=errors,
    )


NAME_SHOWN_MAX = 80


def printable(name: str) -> str:
    """A field name that came from outside, short and without characters that could do harm where it is shown."""
    return name[:NAME_SHOWN_MAX].encode("unicode_escape").decode()


def flat(sentences: Any) -> list[str]:
    """All sentences in a nested structure of them."""
    if isinstance(sentences, dict):
        return [each for value in sentences.values() for each in flat(value)]
    if isinstance(sentences, list):
        return [each for value in sentences for each in flat(value)]
    return [str(sentences)]


_OURS = {
    "Unknown field.": "There is no such field.",
    "Missing data for required field.": "Is needed.",
    "Field may not be null.": "May not be empty.",
    "Invalid input type.": "Must be a JSON object.",
}


def _plain(sentence: str) -> str:
    return _OURS.get(sentence, sentence)
