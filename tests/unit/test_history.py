"""The history's points, their folding, and what counts as a write outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.core.history import (
    COARSE_S,
    FINE_S,
    KEPT,
    POINTS_MAX,
    WINDOWS,
    HistoryPoint,
    Window,
    WriteSight,
    begin_of,
    folded,
    sight,
    slot_of,
)

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
BLIND_S = 1.5


def test_a_point_begins_on_the_grid_of_its_length() -> None:
    assert begin_of(NOON + timedelta(seconds=19.9), FINE_S) == NOON + timedelta(seconds=10)
    assert begin_of(NOON + timedelta(minutes=19), COARSE_S) == NOON + timedelta(minutes=10)


@pytest.mark.parametrize("length_s", KEPT)
def test_a_slot_is_used_again_only_after_the_whole_time_that_is_kept(length_s: int) -> None:
    slots = {
        slot_of(NOON + timedelta(seconds=number * length_s), length_s)
        for number in range(int(KEPT[length_s].total_seconds()) // length_s)
    }
    assert len(slots) == KEPT[length_s].total_seconds() / length_s
    assert slot_of(NOON + KEPT[length_s], length_s) == slot_of(NOON, length_s)


def test_folding_keeps_the_worst_and_adds_what_is_counted() -> None:
    one = HistoryPoint(NOON, round_trip_ms=0.2, failed_pings=1, missed=2, lag_s=None, files=3, outage_s=1.5)
    other = HistoryPoint(NOON + timedelta(seconds=10), 0.9, 2, 1, 0.4, None, 2.0)
    later = HistoryPoint(NOON + timedelta(seconds=COARSE_S))
    assert folded([one, other, later], COARSE_S) == [HistoryPoint(NOON, 0.9, 3, 2, 0.4, 3, 3.5), later]


@pytest.mark.parametrize("window", WINDOWS.values())
def test_an_answer_is_small_whatever_is_asked_for_and_reads_only_what_is_kept(window: Window) -> None:
    assert window.length.total_seconds() / window.shown_s <= POINTS_MAX
    assert window.shown_s % window.stored_s == 0
    assert window.length <= KEPT[window.stored_s]


def see(before: WriteSight, now_s: float, *, own: bool, peer_s: float | None = None) -> WriteSight:
    return sight(before, own=own, peer_s=peer_s, now_s=now_s, blind_s=BLIND_S)


def test_a_new_primary_tells_how_long_nobody_was_seen_to_accept_writes() -> None:
    heard = see(WriteSight(), 10.0, own=False, peer_s=9.8)
    silent = see(heard, 12.0, own=False, peer_s=9.8)
    taken_over = see(silent, 13.0, own=True, peer_s=9.8)
    assert taken_over.outage_s == pytest.approx(3.2)
    assert see(taken_over, 14.0, own=True).outage_s == 0


def test_a_secondary_that_only_did_not_hear_the_primary_tells_of_no_outage() -> None:
    heard = see(WriteSight(), 10.0, own=False, peer_s=9.8)
    assert see(heard, 60.0, own=False, peer_s=59.9).outage_s == 0


def test_a_primary_whose_looks_come_late_tells_of_no_outage() -> None:
    assert see(see(WriteSight(), 10.0, own=True), 20.0, own=True).outage_s == 0


def test_a_pause_as_short_as_a_heartbeat_may_be_late_is_not_told() -> None:
    assert see(see(WriteSight(), 10.0, own=False, peer_s=9.9), 11.0, own=True, peer_s=9.9).outage_s == 0


def test_a_first_sight_tells_of_no_outage() -> None:
    assert see(WriteSight(), 10.0, own=True).outage_s == 0
