"""GTID positions: read, written and compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.core.positions import (
    Gap,
    Gtid,
    common,
    contains,
    difference,
    merge,
    merge_histories,
    parse,
    reached,
    render,
)

GTIDS = st.builds(Gtid, st.integers(0, 3), st.integers(1, 3), st.integers(0, 2**64 - 1))


def test_a_fresh_server_has_an_empty_position() -> None:
    assert parse("") == parse("  ") == ()
    assert render(()) == ""


def test_lists_are_read_with_blanks_and_line_breaks_between() -> None:
    assert parse("0-1-7, 1-2-8,\n2-3-9") == (Gtid(0, 1, 7), Gtid(1, 2, 8), Gtid(2, 3, 9))


@given(st.lists(GTIDS))
def test_what_is_rendered_is_parsed_to_the_same(gtids: list[Gtid]) -> None:
    assert list(parse(render(gtids))) == sorted(gtids)


@pytest.mark.parametrize(
    "text",
    ["0-1", "0-1-2-3", "0-1-x", "0--1-2", "-1-1-1", "0-1-2,", "0-1-²", "4294967296-1-1", "0-1-18446744073709551616",
     "0-1-" + "9" * 100, "0-1-1;DROP TABLE t", "'0-1-1'", "0-1-1\0", "0-1-1," * 20_000],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert caught.value.code == "position-invalid"
    assert len(caught.value.detail) < 300


def test_merging_positions_keeps_the_furthest_of_each_domain() -> None:
    assert merge("0-1-7,1-1-3", "0-2-9", "") == "0-2-9,1-1-3"
    assert merge() == merge("", "") == ""


def test_merging_histories_keeps_each_writer() -> None:
    assert merge_histories("0-1-7,0-2-5", "0-1-8") == "0-1-8,0-2-5"


@pytest.mark.parametrize(
    ("history", "position", "answer"),
    [
        ("", "", True),
        ("0-1-5", "", True),
        ("", "0-1-1", False),
        ("0-1-5", "0-1-5", True),
        ("0-1-5", "0-1-4", True),
        ("0-1-5", "0-1-6", False),
        ("0-1-100,0-2-110", "0-1-105", False),
        ("0-1-100,0-2-110", "0-2-105", True),
        ("0-1-100", "0-2-90", False),
        ("0-1-5,1-1-5", "0-1-5,1-1-6", False),
        ("0-1-5", "1-1-1", False),
    ],
)
def test_a_history_contains_only_what_its_writers_wrote(history: str, position: str, answer: bool) -> None:
    assert contains(history, position) is answer


@pytest.mark.parametrize(
    ("position", "target", "answer"),
    [
        ("", "", True),
        ("0-2-9", "0-1-8", True),
        ("0-2-9", "0-1-9", True),
        ("0-2-9", "0-1-10", False),
        ("0-2-9", "1-1-1", False),
        ("0-2-9,1-1-1", "1-1-1", True),
    ],
)
def test_a_position_reaches_what_is_before_it_on_its_branch(position: str, target: str, answer: bool) -> None:
    assert reached(position, target) is answer


@pytest.mark.parametrize(
    ("history", "other", "answer"),
    [
        ("0-1-480", "0-1-450,0-2-470", "0-1-450"),
        ("0-1-450,0-2-460", "0-1-500,0-2-430", "0-1-450"),
        ("0-1-440,0-2-460", "0-1-500,0-2-450", "0-2-450"),
        ("0-1-5", "0-1-9", "0-1-5"),
        ("0-1-5", "0-2-5", ""),
        ("", "0-1-5", ""),
        ("0-1-5,1-1-7", "0-1-9,1-1-2", "0-1-5,1-1-2"),
    ],
)
def test_two_histories_part_after_the_last_transaction_that_both_have(history: str, other: str, answer: str) -> None:
    assert common(history, other) == answer


def test_the_difference_names_what_each_writer_has_beyond_the_base() -> None:
    assert difference("0-1-105,0-2-90", "0-1-100") == (Gap(0, 1, 101, 105),)
    assert difference("0-1-105,0-2-107", "0-1-100") == (Gap(0, 1, 101, 105), Gap(0, 2, 101, 107))
    assert difference("0-1-100,0-2-90", "0-1-100") == ()
    assert difference("0-1-5", "") == (Gap(0, 1, 1, 5),)
    assert difference("", "0-1-5") == ()


@given(st.lists(GTIDS), st.lists(GTIDS))
def test_a_merged_history_contains_both_parts(left: list[Gtid], right: list[Gtid]) -> None:
    merged = merge_histories(render(left), render(right))
    assert contains(merged, render(left))
    assert contains(merged, render(right))
