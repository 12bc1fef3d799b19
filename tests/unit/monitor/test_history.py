"""The duty that keeps the history for the charts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core.history import COARSE_S, FINE_S, HistoryPoint
from app.core.roles import Role
from jobs.monitor.history import HistoryDuty
from jobs.monitor.report import read_report
from tests.fakes.clock import START
from tests.unit.monitor.world import World, report


def look_for(world: World, duty: HistoryDuty, seconds: int) -> None:
    """The world goes on for that long and is looked at each second."""
    for _ in range(seconds):
        world.tick()
        duty.step()
        world.clock.advance(1)


def fine(world: World) -> list[HistoryPoint]:
    return world.store.history(FINE_S, START)


def test_a_standalone_server_has_no_history() -> None:
    world = World()
    look_for(world, HistoryDuty(world.node, world.board), 2 * FINE_S)
    assert fine(world) == []


def test_each_point_says_what_was_seen_in_its_ten_seconds() -> None:
    world = World(Role.PRIMARY)
    world.report = report(lag_s=0.7)
    duty = HistoryDuty(world.node, world.board)
    look_for(world, duty, FINE_S)
    del world.pinger.answering["10.0.0.2"]
    look_for(world, duty, 3)
    world.pinger.answering["10.0.0.2"] = 0.9
    look_for(world, duty, FINE_S)
    first, second = fine(world)
    assert (first.at, first.round_trip_ms, first.failed_pings, first.lag_s, first.files) == (START, 0.4, 0, 0.7, 0)
    assert (second.at, second.round_trip_ms, second.failed_pings, second.missed) == (
        START + timedelta(seconds=FINE_S), 0.9, 3, 3,
    )  # fmt: skip


def test_a_secondary_does_not_claim_to_know_the_files_that_are_left() -> None:
    world = World(Role.SECONDARY)
    look_for(world, HistoryDuty(world.node, world.board), FINE_S + 1)
    assert [point.files for point in fine(world)] == [None]


def test_a_coarse_point_holds_what_a_restarted_monitor_had_stored_before() -> None:
    world = World(Role.PRIMARY)
    world.store.add_history(FINE_S, HistoryPoint(START, round_trip_ms=8.0, failed_pings=2, missed=2))
    world.clock.advance(COARSE_S - FINE_S)
    look_for(world, HistoryDuty(world.node, world.board), FINE_S + 1)
    (coarse,) = world.store.history(COARSE_S, START)
    assert (coarse.at, coarse.round_trip_ms, coarse.failed_pings) == (START, 8.0, 2)


def test_a_stopping_monitor_stores_the_point_under_way() -> None:
    world = World(Role.PRIMARY)
    duty = HistoryDuty(world.node, world.board)
    look_for(world, duty, 1)
    assert fine(world) == []
    duty.close()
    assert len(fine(world)) == 1


def test_the_lag_in_a_heartbeat_is_a_length_of_time_or_nothing() -> None:
    assert read_report(report(lag_s=1.5)).lag_s == 1.5
    assert read_report(report()).lag_s is None
    with pytest.raises(ValueError, match="lag_s"):
        read_report(report(lag_s="long"))
