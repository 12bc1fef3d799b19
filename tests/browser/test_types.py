"""The console's types are made from the API's description: neither can move without the other."""

from __future__ import annotations

import subprocess

import pytest

from tests.browser import description

pytestmark = pytest.mark.browser

FRONTEND = description.FILE.parent


def test_the_committed_description_is_that_of_the_api() -> None:
    assert description.FILE.read_text() == description.current(), (
        "run `python -m tests.browser.description`, then `npm run types` in frontend/"
    )


def test_the_types_are_made_from_the_committed_description() -> None:
    generator = FRONTEND / "node_modules" / ".bin" / "openapi-typescript"
    if not generator.exists():
        pytest.fail("the console's packages are not installed: run `make setup`")
    done = subprocess.run(
        [generator, "openapi.json", "--output", "src/api/types.ts", "--properties-required-by-default", "--check"],
        cwd=FRONTEND, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, f"run `npm run types` in frontend/: {done.stdout}{done.stderr}"
