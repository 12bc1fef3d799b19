"""Pages that name the test behind a promise name tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if NAMED.search(page.read_text()))


@cache
def functions_of(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


def exists(file: str, function: str) -> bool:
    path = ROOT / file
    return path.is_file() and (not function or function in functions_of(path))


def test_there_is_a_page_of_promises() -> None:
    assert ROOT / "docs" / "promises.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_named_test_exists(page: Path) -> None:
    missing = [
        f"{file}::{function}" for file, function in NAMED.findall(page.read_text()) if not exists(file, function)
    ]
    assert missing == []
