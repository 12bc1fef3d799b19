"""The primary's own database: restarted once, then handed over; waiting for the standby is not failing."""

from __future__ import annotations

from dataclasses import replace

from app.core.state import NodeState
from tests.unit.situations import (
    MEMORY,
    NOW,
    NOW_S,
    PRIMARY,
    alarm,
    database,
    kinds,
    peer,
    primary_sees,
    silent_peer,
    tick,
)

WELL = primary_sees()
OUT: NodeState = replace(PRIMARY, standby_out=True, standby_out_since=NOW)


def test_a_failing_database_is_restarted_once() -> None:
    seen = database(WELL, failing_s=1.6)
    steady = replace(MEMORY, write_fair_since_s=NOW_S - 100.0)
    decision = tick(PRIMARY, seen, steady)
    assert kinds(decision) == ["RaiseAlarm", "RestartDatabase"]
    assert tick(PRIMARY, alarm(seen, "database-failing"), decision.memory).acts == ()


def test_a_database_that_does_not_answer_is_restarted() -> None:
    assert "RestartDatabase" in kinds(tick(PRIMARY, database(WELL, facts_age_s=6.0)))


def test_a_database_that_still_fails_after_the_window_is_handed_over() -> None:
    seen = alarm(database(WELL, failing_s=3.0), "database-failing")
    tried = replace(MEMORY, write_fair_since_s=NOW_S - 100.0, restarted_s=NOW_S - 2.0)
    assert kinds(tick(PRIMARY, seen, tried)) == ["Handover"]
    assert "Handover" not in kinds(tick(PRIMARY, peer(seen, eligible=False), tried))
    assert "Handover" not in kinds(tick(OUT, seen, tried))
    assert "Handover" not in kinds(tick(PRIMARY, silent_peer(seen, 4.0), tried))


def test_a_restart_counts_until_a_write_that_was_begun_afterwards_has_succeeded() -> None:
    tried = replace(MEMORY, restarted_s=NOW_S - 5.0)
    reopened = replace(WELL, database=replace(WELL.database, write_age_s=6.0))
    assert tick(PRIMARY, reopened, tried).memory.restarted_s is not None
    assert tick(PRIMARY, WELL, tried).memory.restarted_s is None


def test_a_write_that_waits_for_the_standby_is_no_failing_database() -> None:
    waiting = database(silent_peer(WELL, 8.0), failing_s=8.0)
    assert "RestartDatabase" not in kinds(tick(PRIMARY, waiting))
    unacknowledged = database(WELL, failing_s=8.0, semi_sync_clients=0)
    assert "RestartDatabase" not in kinds(tick(PRIMARY, unacknowledged))


def test_the_time_that_writes_waited_for_the_standby_does_not_count_against_the_database() -> None:
    seen = database(WELL, failing_s=300.0)
    assert "RestartDatabase" not in kinds(tick(PRIMARY, seen, MEMORY))
