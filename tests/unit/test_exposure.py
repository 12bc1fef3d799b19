"""The number of transactions that a takeover at this moment would lose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core import positions
from app.core.facts import Observation
from app.core.memory import PilotMemory
from app.core.pairconfig import ProtectionMode
from app.core.state import NodeState
from tests.unit.situations import (
    CONFIG,
    MEMORY,
    NOW_S,
    PRIMARY,
    SECONDARY,
    database,
    primary_sees,
    secondary_sees,
    tick,
)

OUT = replace(PRIMARY, standby_out=True)
SINCE = replace(MEMORY, acknowledging_since_s=NOW_S - 60.0)


def written(seen: Observation, gtid: str, age_s: float = 0.5) -> Observation:
    """The last write probe that succeeded was that transaction."""
    return replace(seen, database=replace(seen.database, write_gtid=gtid, write_age_s=age_s))


def alone(position: str, gtid: str) -> Observation:
    """A primary that goes on without its standby, and has written up to that position."""
    return written(database(primary_sees(), semi_sync_enabled=False, position=position), gtid)


def number(state: NodeState, seen: Observation, memory: PilotMemory, **config: Any) -> int | None:
    return tick(state, seen, memory, replace(CONFIG, **config)).lost_transactions


def test_nothing_is_exposed_while_commits_wait_for_the_standby() -> None:
    assert number(PRIMARY, written(primary_sees(), "0-1-100"), SINCE) == 0


def test_what_was_written_since_the_last_acknowledged_write_is_exposed() -> None:
    before = tick(PRIMARY, written(primary_sees(), "0-1-100"), SINCE).memory
    assert before.acknowledged_position == "0-1-100"
    after = tick(OUT, alone("0-1-107", "0-1-107"), before)
    assert after.lost_transactions == 7
    assert tick(OUT, alone("0-1-1107", "0-1-1107"), after.memory).lost_transactions == 1007


def test_a_write_that_was_begun_before_commits_waited_proves_nothing() -> None:
    early = written(primary_sees(), "0-1-100", age_s=61.0)
    assert tick(PRIMARY, early, SINCE).memory.acknowledged_position == ""


def test_what_is_not_known_is_no_number() -> None:
    assert number(OUT, alone("0-1-107", "0-1-107"), MEMORY) is None
    assert number(SECONDARY, secondary_sees(), MEMORY) is None
    assert number(PRIMARY, primary_sees(), SINCE, protection_mode=ProtectionMode.PERFORMANCE) is None
    silent = database(primary_sees(), facts_age_s=60.0)
    assert number(PRIMARY, silent, SINCE) is None


@pytest.mark.parametrize(
    ("position", "target", "count"),
    [("0-1-100", "0-1-100", 0), ("0-1-100", "0-2-101", 1), ("0-1-100", "0-1-90", 0), ("", "0-1-3,1-1-4", 7)],
)
def test_transactions_are_counted_in_each_domain(position: str, target: str, count: int) -> None:
    assert positions.behind(position, target) == count
