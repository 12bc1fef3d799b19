"""docs/failover.md says what the core does."""

from __future__ import annotations

from pathlib import Path

from app.failover_page import act_kinds, page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "failover.md"


def test_the_page_is_made_from_the_tables_of_the_core() -> None:
    assert PAGE.read_text() == page(), "run `python -m app.failover_page > docs/failover.md`"


def test_every_act_is_described() -> None:
    assert len(act_kinds()) > 10
    assert all(kind.__doc__ and f"`{kind.__name__}`" in page() for kind in act_kinds())
