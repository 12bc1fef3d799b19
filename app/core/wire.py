"""The lines that two servers send each other: one request, one reply, each a JSON object on a line of its own.

Request `{"id", "verb", "body"}`; reply `{"id", "ok": true, "reply"}` or `{"id", "ok": false, "error": {code, title,
detail, hint}}`. Everything that arrives is treated as hostile: bounded in size and depth, and checked by type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from app.core.errors import HapairError, InvalidInput, PeerRefused

REQUEST_BYTES_MAX = 1024 * 1024
REPLY_BYTES_MAX = 4 * 1024 * 1024
DEPTH_MAX = 24
ERROR_TEXT_MAX = 4000
_VERB = re.compile(r"[a-z][a-z-]{0,39}")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,79}")


@dataclass(frozen=True)
class Request:
    """One well-formed request."""

    id: int
    verb: str
    body: dict[str, Any]


def request_line(request_id: int, verb: str, body: Mapping[str, Any]) -> bytes:
    """The line to send. Raises InvalidInput (code `request-too-large`)."""
    line = _line({"id": request_id, "verb": verb, "body": body})
    if len(line) > REQUEST_BYTES_MAX:
        raise InvalidInput("request-too-large", "This Is Too Much For One Request To The Other Server")
    return line


def reply_line(request_id: int, reply: Mapping[str, Any]) -> bytes:
    """The line that answers a request, or that says that the answer is too large."""
    line = _line({"id": request_id, "ok": True, "reply": reply})
    if len(line) > REPLY_BYTES_MAX:
        return error_line(request_id, InvalidInput("reply-too-large", "The Answer Is Too Large For One Reply"))
    return line


def error_line(request_id: int, error: HapairError) -> bytes:
    """The line that tells the other server why not."""
    return _line({"id": request_id, "ok": False, "error": error_document(error)})


def error_document(error: HapairError) -> dict[str, str]:
    """What crosses to the other server of an error: four texts of bounded length."""
    parts = {"code": error.code, "title": error.title, "detail": error.detail, "hint": error.hint}
    return {name: text[:ERROR_TEXT_MAX] for name, text in parts.items()}


def parse_request(line: bytes) -> Request:
    """The request on this line. Raises InvalidInput (code `bad-request`)."""
    document = _parse(line, REQUEST_BYTES_MAX)
    request_id, verb, body = document.get("id"), document.get("verb"), document.get("body")
    if not isinstance(request_id, int) or not isinstance(verb, str) or not isinstance(body, dict):
        raise _bad("it needs a whole number `id`, a text `verb` and an object `body`")
    if not _VERB.fullmatch(verb):
        raise _bad("the verb is not a word")
    return Request(request_id, verb, body)


def parse_reply(line: bytes, request_id: int) -> dict[str, Any]:
    """The reply to that request.

    Raises PeerRefused with the other server's own words, or InvalidInput (code `bad-request`) for anything else.
    """
    document = _parse(line, REPLY_BYTES_MAX)
    if document.get("id") != request_id:
        raise _bad("it answers another request")
    if document.get("ok") is True and isinstance(document.get("reply"), dict):
        return dict(document["reply"])
    if document.get("ok") is False:
        raise refusal(document.get("error"))
    raise _bad("it is neither a reply nor an error")


def refusal(document: object) -> PeerRefused:
    """The error that the other server described, whatever it sent."""
    parts = document if isinstance(document, dict) else {}
    texts = {name: str(parts.get(name, ""))[:ERROR_TEXT_MAX] for name in ("code", "title", "detail", "hint")}
    code = texts["code"] if _CODE.fullmatch(texts["code"]) else "peer-refused"
    title = texts["title"] or "The Other Server Refused"
    return PeerRefused(code, title, detail=texts["detail"], hint=texts["hint"])


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _parse(line: bytes, limit: int) -> dict[str, Any]:
    if len(line) > limit:
        raise _bad(f"the line is longer than {limit} bytes")
    try:
        document = json.loads(line, parse_constant=_no_constant)
        if b"\\u" in line:
            json.dumps(document, ensure_ascii=False).encode("utf-8")  # half a character: no store can keep it
    except (ValueError, RecursionError) as error:
        raise _bad("the line is not JSON") from error
    if not isinstance(document, dict):
        raise _bad("the line is not an object")
    if _too_deep(document):
        raise _bad(f"it is nested more than {DEPTH_MAX} deep")
    return document


def _too_deep(document: object) -> bool:
    level = [document]
    for _ in range(DEPTH_MAX):
        deeper: list[object] = []
        for each in level:
            if isinstance(each, dict):
                deeper.extend(each.values())
            elif isinstance(each, list):
                deeper.extend(each)
        if not deeper:
            return False
        level = deeper
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _bad(reason: str) -> InvalidInput:
    return InvalidInput("bad-request", "This Message Can't Be Understood", detail=f"Refused: {reason}.")
