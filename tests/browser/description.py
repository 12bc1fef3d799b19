"""The API's OpenAPI description as a file, from which the console's types are made.

`python -m tests.browser.description` writes it anew; then `npm run types` in frontend/ makes the types.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.api import create_app
from app.api.reference import description
from app.settings import Settings

FILE = Path(__file__).resolve().parents[2] / "frontend" / "openapi.json"


def current() -> str:
    """The description as the API gives it now; its parts are not asked for anything."""
    nobody: Any = SimpleNamespace(settings=Settings())
    with create_app(nobody, nobody, nobody, nobody).app_context():
        return json.dumps(description(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(current())
