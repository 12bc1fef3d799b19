"""docs/api.md names exactly the calls that there are, and the scopes that they need."""

from __future__ import annotations

import json
import re
from pathlib import Path

from app.api.described import ACCESS, operations
from tests.browser.description import current

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"
ROW = re.compile(r"^\| (`(?:GET|POST|PUT|DELETE) [^|]*) \| [^|]* \| ([^|]*) \|$", re.MULTILINE)
CALL = re.compile(r"`(GET|POST|PUT|DELETE) (/[^`]*)`")


def documented() -> dict[tuple[str, str], str]:
    found = {}
    for calls, scopes in ROW.findall(PAGE.read_text()):
        named = CALL.findall(calls)
        words = scopes.split(", ") if ", " in scopes else [scopes] * len(named)
        found |= dict(zip(named, words, strict=True))
    return found


def test_the_page_names_every_call_with_its_scope() -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1")): operation[ACCESS].replace("open", "none")
        for path, method, operation in operations(json.loads(current()))
    }
    assert documented() == described
