"""The checker sees each wrong: shown by evidence that has just that wrong in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.cells import Cell
from tests.chaos.judge import Evidence, judge

CUT = Cell("same", "idle", "cut-peer", "both")
POWER = Cell("same", "idle", "power-cut", "primary")
PINGS = Cell("same", "idle", "drop-ping", "primary")

GOOD = Evidence(
    acknowledged={"a": {1: 1.0, 2: 2.0}, "b": {3: 9.0}},
    live=frozenset({1, 2, 3}),
    standby=frozenset({1, 2, 3}),
    files=frozenset({"one", "two"}),
    files_live=frozenset({"one"}),
    files_on_standby=frozenset({"one"}),
    files_rescued=frozenset({"two"}),
    failovers=1,
    primary="b",
    stable_after_s=5.0,
    writes_on=frozenset({"b"}),
)
"""a wrote two rows, b took over and wrote one; a file that came too late is in a rescue."""
SPLIT = replace(
    GOOD,
    acknowledged={"a": {1: 1.0, 2: 12.0}, "b": {3: 9.0}},
    live=frozenset({1, 3}),
    standby=frozenset({1, 3}),
    rescued=frozenset({2}),
    alone_since_s={"a": 11.0},
)
"""a went on alone, said so, and what it wrote then is in a rescue."""


def test_a_good_end_has_no_complaint() -> None:
    assert judge(POWER, GOOD) == []
    assert judge(CUT, SPLIT) == []


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (replace(GOOD, stable_after_s=None), "not stable again"),
        (replace(GOOD, primary=None), "not stable again"),
        (replace(GOOD, writes_on=frozenset({"a", "b"})), "a, b accepted writes"),
        (replace(GOOD, writes_on=frozenset()), "nobody accepted writes"),
        (replace(GOOD, live=frozenset({1, 3}), standby=frozenset({1, 3})), "neither live nor in a rescue: 2"),
        (replace(GOOD, standby=frozenset({1, 2})), "not on the secondary: 3"),
        (replace(GOOD, files_rescued=frozenset()), "neither live nor in a rescue: two"),
        (replace(GOOD, files_on_standby=frozenset()), "not on the secondary: one"),
        (replace(GOOD, failovers=0), "did not take over"),
        (SPLIT, "does not allow that"),
        (replace(GOOD, trouble=("Something else.",)), "Something else."),
    ],
)
def test_each_wrong_after_a_power_cut_is_seen(wrong: Evidence, complaint: str) -> None:
    assert any(complaint in each for each in judge(POWER, wrong))


@pytest.mark.parametrize("since_s", [None, 15.0])
def test_writing_alone_before_it_is_announced_is_seen_even_where_the_rows_are_rescued(since_s: float | None) -> None:
    assert any("before it announced" in each for each in judge(CUT, replace(SPLIT, alone_since_s={"a": since_s})))


def test_a_failover_that_the_rules_forbid_is_seen() -> None:
    assert judge(PINGS, GOOD) == ["The standby took over, which the failover rules forbid here."]
