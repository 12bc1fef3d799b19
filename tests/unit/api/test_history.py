"""The history of the pair by the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core.history import COARSE_S, FINE_S, POINTS_MAX, HistoryPoint
from tests.unit.api.world import Caller, World


def test_the_last_hour_is_answered_point_by_point_with_its_events(world: World, call: Caller) -> None:
    now = world.clock.now()
    world.store.add_history(FINE_S, HistoryPoint(now - timedelta(hours=2), files=1))
    world.store.add_history(FINE_S, HistoryPoint(now - timedelta(minutes=1), 0.4, 1, 2, 0.5, 3, 3.3))
    world.store.add_event("one", "Failover", ("Failover", "beta", "alpha"))
    found = call("GET", "/ha/history").get_json()
    (point,) = found["points"]
    assert {name: value for name, value in point.items() if name != "at"} == {
        "round_trip_ms": 0.4, "failed_pings": 1, "missed": 2, "lag_s": 0.5, "files": 3, "outage_s": 3.3,
    }  # fmt: skip
    assert [event["kind"] for event in found["events"]] == ["Failover"]
    assert found["length_s"] == FINE_S


@pytest.mark.parametrize(("span", "length_s", "count"), [("day", FINE_S, 2_000), ("month", COARSE_S, 500)])
def test_longer_spans_are_folded(world: World, call: Caller, span: str, length_s: int, count: int) -> None:
    now = world.clock.now()
    for number in range(count):
        world.store.add_history(length_s, HistoryPoint(now - timedelta(seconds=number * length_s), failed_pings=1))
    found = call("GET", f"/ha/history?span={span}").get_json()
    assert 0 < len(found["points"]) <= POINTS_MAX + 1
    assert sum(point["failed_pings"] for point in found["points"]) == count


def test_another_span_is_refused(call: Caller) -> None:
    answer = call("GET", "/ha/history?span=year")
    assert answer.status_code == 422
    assert "span" in answer.get_json()["errors"]
