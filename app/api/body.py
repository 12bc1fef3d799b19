"""Reading JSON bodies: nothing but one object, of bounded size and depth, by the letter of the standard."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import Request
from flask_smorest import Blueprint
from marshmallow import ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from app.api.problems import invalid_fields
from app.core.errors import HapairError

BODY_BYTES_MAX = 1_000_000


class BadJson(HapairError):
    """The body is not the JSON object that the call takes."""

    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(
            "bad-json", "The Request Is Not Valid JSON", detail=reason, hint="Send one JSON object in UTF-8."
        )


def parse(raw: bytes) -> dict[str, Any]:
    """The object that the body holds; an empty body is an empty object. Raises BadJson."""
    if not raw.strip():
        return {}
    try:
        found = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError as error:
        raise BadJson("It is nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise BadJson("It is not UTF-8.") from error
    except ValueError as error:
        raise BadJson(f"It can't be parsed: {str(error)[:200]}.") from error
    if not isinstance(found, dict):
        raise BadJson("It is not an object with named fields.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


class StrictParser(FlaskParser):
    """webargs with our JSON; unknown names are refused in query strings too."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 - as webargs declares it

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        raise invalid_fields(error.messages_dict) from error

    def load_json(self, req: Request, schema: Any) -> dict[str, Any]:  # noqa: ARG002 - the signature is webargs's
        raw = req.get_data()
        if raw and not req.is_json:
            raise UnsupportedMediaType
        return parse(raw)


class Resource(Blueprint):  # type: ignore[misc]
    """A blueprint of calls under /api/v1."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(name, import_name, url_prefix="/api/v1", description=description)
