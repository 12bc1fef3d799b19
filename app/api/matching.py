"""ETag and If-Match: of two people who change one thing, the second is told of the first."""

from __future__ import annotations

import re

from flask import Response, make_response, request

from app.core.errors import HapairError
from app.ports import Json

_TAG = re.compile(r'\s*(?:W/)?"([0-9-]{1,40})"\s*')
"""nginx makes an ETag weak when it compresses the answer, so a weak one is as good."""
ANY = "*"


class MatchNeeded(HapairError):
    """If-Match is missing; `path` is where the ETag is to be had."""

    status = 428

    def __init__(self, path: str) -> None:
        super().__init__(
            "if-match-needed",
            "Say What You Changed",
            detail="Without If-Match a save could overwrite somebody else's.",
            hint=f"GET /api/v1{path} and send its ETag back in If-Match.",
        )


def if_match(what: str) -> dict[str, object]:
    """The header in the description of a call."""
    return {
        "in": "header",
        "name": "If-Match",
        "schema": {"type": "string"},
        "description": f"The ETag of {what} that the changes were made to.",
    }


def with_etag(document: Json, version: str) -> Response:
    """The document, and the version that a change of it will have to name."""
    response = make_response(document)
    response.headers["ETag"] = f'"{version}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def matches(version: str) -> bool | None:
    """Whether If-Match names this version (`*` names any); None without If-Match."""
    header = request.headers.get("If-Match")
    if header is None:
        return None
    if header.strip() == ANY:
        return True
    tags = [_TAG.fullmatch(each) for each in header.split(",")]
    return version in [tag[1] for tag in tags if tag]
