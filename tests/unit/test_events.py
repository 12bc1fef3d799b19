"""The manual's five events: their parameters, where they run, and that each is one event."""

from __future__ import annotations

from app.core import events
from app.core.events import EVENTS, EventKind, EventSpec
from app.core.roles import Role
from tests.unit.situations import NOW

SAMPLES: list[EventSpec] = [
    events.failover("alpha", "beta", 5),
    events.manual_switch("alpha", "beta", 5),
    events.standby_offline("beta", "alpha", NOW),
    events.standby_online("beta", "alpha", NOW),
    events.replication_error("Duplicate", "entry 7", "replication-duplicate-row", NOW),
    events.replication_recovery("Duplicate", "entry 7", "replication-duplicate-row", NOW),
]


def test_the_manuals_events_run_where_the_manual_says() -> None:
    manual = {row.kind: (row.runs_on, row.parameters[0], len(row.parameters)) for row in EVENTS if row.from_manual}
    assert manual == {
        EventKind.FAILOVER: (Role.SECONDARY, "Failover", 3),
        EventKind.STANDBY_OFFLINE: (Role.PRIMARY, "StandbyOffline", 3),
        EventKind.MANUAL_SWITCH: (Role.SECONDARY, "ManualSwitch", 3),
        EventKind.RAISE_ALARM: (Role.SECONDARY, "RaiseAlarm", 3),
        EventKind.CLEAR_ALARM: (Role.SECONDARY, "ClearAlarm", 2),
    }


def test_the_only_event_of_ours_is_the_return_of_the_standby() -> None:
    assert [row.kind for row in EVENTS if not row.from_manual] == [EventKind.STANDBY_ONLINE]


def test_each_event_has_the_parameters_of_its_row() -> None:
    rows = {row.kind: row for row in EVENTS}
    for event in SAMPLES:
        assert len(event.parameters) == len(rows[event.kind].parameters)
        assert event.parameters[0] == event.kind.value == rows[event.kind].parameters[0]


def test_the_parameters_are_in_the_manuals_order() -> None:
    assert [event.parameters for event in SAMPLES] == [
        ("Failover", "alpha", "beta"),
        ("ManualSwitch", "alpha", "beta"),
        ("StandbyOffline", "beta", "alpha"),
        ("StandbyOnline", "beta", "alpha"),
        ("RaiseAlarm", "Duplicate", "entry 7"),
        ("ClearAlarm", "Duplicate: entry 7"),
    ]


def test_different_happenings_have_different_keys_and_the_same_has_the_same() -> None:
    assert len({event.key for event in SAMPLES}) == len(SAMPLES)
    assert events.failover("alpha", "beta", 5).key == events.failover("alpha", "other", 5).key
    assert events.failover("alpha", "beta", 6).key != SAMPLES[0].key
