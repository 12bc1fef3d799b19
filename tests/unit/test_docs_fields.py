"""docs/fields.md says what the code says."""

from __future__ import annotations

from pathlib import Path

from app.fields_page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fields.md"


def test_the_page_is_made_from_the_declared_fields() -> None:
    assert PAGE.read_text() == page(), "run `python -m app.fields_page > docs/fields.md`"
