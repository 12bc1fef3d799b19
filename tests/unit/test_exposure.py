"""The number of transactions that a takeover at this moment would lose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core import moves, positions
from app.core.acts import Cause, RecordStandbyOut
from app.core.exposure import arrived, probes_stay_here
from app.core.facts import Observation
from app.core.memory import PilotMemory
from app.core.pairconfig import ProtectionMode
from app.core.roles import Role
from app.core.state import NodeState, Phase
from tests.unit.situations import (
    CONFIG,
    MEMORY,
    NOW,
    NOW_S,
    PRIMARY,
    SECONDARY,
    database,
    primary_sees,
    secondary_sees,
    silent_peer,
    the,
    tick,
)

STANDALONE = NodeState("node-a", role=Role.STANDALONE, phase=Phase.NONE)

OUT = replace(PRIMARY, standby_out=True, shared_position="0-1-100")
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


def test_what_was_written_since_the_standby_went_out_is_exposed() -> None:
    assert number(OUT, alone("0-1-107", "0-1-107"), MEMORY) == 7
    assert number(OUT, alone("0-1-1107", "0-1-1107"), SINCE) == 1007


def test_with_the_record_that_the_standby_is_out_goes_how_far_it_has_everything() -> None:
    before = tick(PRIMARY, written(primary_sees(), "0-1-100"), SINCE).memory
    assert before.acknowledged_position == "0-1-100"
    told = the(tick(PRIMARY, silent_peer(primary_sees(), 11.0), before), RecordStandbyOut)
    assert (told.shared_position, told.ask_further) == ("0-1-100", True)
    never = the(tick(PRIMARY, silent_peer(primary_sees(), 11.0), MEMORY), RecordStandbyOut)
    assert (never.shared_position, never.ask_further) == ("", False)


def test_what_was_acknowledged_before_the_database_was_restarted_or_the_role_was_lost_counts_no_more() -> None:
    known = replace(SINCE, acknowledged_position="0-1-100", database_uptime_s=900.0)
    assert tick(PRIMARY, database(primary_sees(), uptime_s=3.0), known).memory.acknowledged_position == ""
    assert tick(SECONDARY, secondary_sees(), known).memory.acknowledged_position == ""


@pytest.mark.parametrize(
    ("cause", "shared"), [(Cause.FAILOVER, "0-1-9"), (Cause.TAKEOVER, "0-1-9"), (Cause.RESUME, "")]
)
def test_a_secondary_that_took_over_shares_all_up_to_its_promotion(cause: Cause, shared: str) -> None:
    intended = moves.intend_promotion(SECONDARY, cause, SECONDARY.term + 1, NOW, standby_out=True)
    state = moves.complete_promotion(intended, "0-1-9")
    assert state.shared_position == shared
    assert moves.record_standby_back(state).shared_position == ""


def test_what_had_arrived_after_all_is_counted_too() -> None:
    assert arrived(OUT, "0-1-102") == 2
    assert arrived(OUT, "0-1-100") == 0
    assert arrived(PRIMARY, "0-1-102") == 0


@pytest.mark.parametrize(
    ("state", "heard", "stay"),
    [(OUT, False, True), (OUT, True, False), (PRIMARY, False, False), (STANDALONE, False, True)],
)
def test_probes_leave_no_trace_in_a_history_that_nobody_follows(state: NodeState, heard: bool, stay: bool) -> None:
    assert probes_stay_here(state, CONFIG, standby_heard=heard) is stay


def test_a_write_that_was_begun_before_commits_waited_proves_nothing() -> None:
    early = written(primary_sees(), "0-1-100", age_s=61.0)
    assert tick(PRIMARY, early, SINCE).memory.acknowledged_position == ""


def test_what_is_not_known_is_no_number() -> None:
    assert number(replace(OUT, shared_position=""), alone("0-1-107", "0-1-107"), SINCE) is None
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
