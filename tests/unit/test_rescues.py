"""What a rescue's name says, what is told of it, and what may be asked for by it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput, NotFound
from app.core.rescues import (
    REASONS,
    Rescue,
    RescueEntry,
    RescueKind,
    check_id,
    check_removal_confirmed,
    newest_first,
    news,
    read_name,
)

ID = "20260203T040506Z-4"
AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def rescue(**changes: object) -> Rescue:
    """A rejoin's rescue with nothing in it, but for the changes."""
    known = {
        "id": ID, "kind": RescueKind.REJOIN, "at": AT, "path": f"/rescue/{ID}", "term": 4,
        "reason": REASONS[RescueKind.REJOIN], "transactions": 0, "rows_by_table": {}, "obstacle": "", "files": 0,
        "bytes": 0, "growing": False, "contents": (),
    }  # fmt: skip
    return Rescue(**{**known, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind", "at", "term"),
    [
        (ID, RescueKind.REJOIN, AT, 4),
        ("mirror-deleted-20260203T040506Z", RescueKind.MIRROR, AT, None),
        ("before-setup-0f3e", RescueKind.SETUP_FILES, None, None),
        ("mysql.aside-0f3e", RescueKind.DATABASE, None, None),
    ],
)
def test_the_name_says_kind_time_and_term(name: str, kind: RescueKind, at: datetime | None, term: int | None) -> None:
    found = check_id(name)
    assert (found.kind, found.at, found.term) == (kind, at, term)


@pytest.mark.parametrize(
    "name", [f"{ID}.partial", f".removed-{ID}", "before-setup-1.replaced", "mysql.aside-1.replaced", "mysql.seed-1"]
)
def test_what_is_not_whole_or_already_removed_is_no_rescue(name: str) -> None:
    assert read_name(name) is None


@given(st.text(max_size=200))
def test_no_other_text_is_taken_for_a_rescue(text: str) -> None:
    try:
        check_id(text)
    except NotFound:
        return
    assert "/" not in text
    assert not text.startswith((".", "-"))
    assert text.isascii()
    assert text.isprintable()


def test_every_kind_has_a_reason() -> None:
    assert set(REASONS) == set(RescueKind)


def test_the_newest_comes_first() -> None:
    entries = [RescueEntry(str(day), RescueKind.MIRROR, AT.replace(day=day), "") for day in (2, 5, 3)]
    assert [each.id for each in newest_first(entries)] == ["5", "3", "2"]


def test_transactions_are_told_at_once_and_files_when_none_can_follow() -> None:
    growing = rescue(transactions=2, rows_by_table={"shop.orders": 2}, files=1, growing=True)
    assert [each.key for each in news(growing, "alpha")] == [f"Rescued:{ID}"]
    told = news(rescue(transactions=2, rows_by_table={"shop.orders": 2}, files=1), "alpha")
    assert [each.key for each in told] == [f"Rescued:{ID}", f"Rescued:{ID}:files"]
    assert told[0].detail == (
        f"2 transactions that only alpha had (changed rows by table: shop.orders 2): kept in /rescue/{ID}."
    )
    assert told[1].detail == f"1 file that the mirror overwrote or deleted on alpha: kept in /rescue/{ID}."


def test_nothing_is_told_of_an_empty_rescue_or_of_one_that_no_rejoin_made() -> None:
    assert news(rescue(), "alpha") == ()
    assert news(rescue(kind=RescueKind.MIRROR, files=3), "alpha") == ()


@pytest.mark.parametrize("given_text", [None, "", "alpha", ID.lower()])
def test_a_removal_asks_for_the_id_itself(given_text: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_removal_confirmed(ID, given_text)
    assert ID in caught.value.hint
    check_removal_confirmed(ID, ID)
