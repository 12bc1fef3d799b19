"""Named replication errors: raised once, cleared once, with the manual's events."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.acts import ClearAlarm, EmitEvent, RaiseAlarm
from app.core.facts import Observation
from app.core.replication import BY_CODE, KINDS, MARIADB_ERRORS, same_position
from tests.unit.situations import (
    CAUGHT_UP,
    MEMORY,
    NOW_S,
    SECONDARY,
    alarm,
    database,
    kinds,
    peer,
    replication,
    secondary_sees,
    silent_peer,
    the,
    tick,
)

WELL = secondary_sees()


def applier(number: int, message: str = "message") -> Observation:
    return replication(WELL, applier_running=False, applier_error_number=number, applier_error=message)


def receiver(number: int, message: str = "message") -> Observation:
    return replication(WELL, receiver_running=False, receiver_error_number=number, receiver_error=message)


@pytest.mark.parametrize(("number", "code"), sorted(MARIADB_ERRORS.items()))
def test_each_error_number_of_mariadb_has_its_name(number: int, code: str) -> None:
    kind = BY_CODE[code]
    held = replace(CAUGHT_UP, condition_since_s=((code, NOW_S - kind.hold_s),))
    raised = the(tick(SECONDARY, receiver(number), held), RaiseAlarm)
    assert raised.code == f"replication-{code}"
    assert raised.text == f"{kind.title}: message"


@pytest.mark.parametrize(("seen", "code"), [(receiver(9999), "receiver-failed"), (applier(9999), "applier-failed")])
def test_an_unknown_number_is_an_error_too(seen: Observation, code: str) -> None:
    assert the(tick(SECONDARY, seen), RaiseAlarm).code == f"replication-{code}"


def test_every_condition_says_what_to_do() -> None:
    assert all(kind.advice and kind.title for kind in KINDS)
    assert set(MARIADB_ERRORS.values()) <= set(BY_CODE)


def test_a_replication_error_is_raised_once_with_the_manuals_event() -> None:
    first = tick(SECONDARY, applier(1062, "Duplicate entry"))
    assert kinds(first) == ["RaiseAlarm"]
    up = alarm(applier(1062, "Duplicate entry"), "replication-duplicate-row", the(first, RaiseAlarm).text)
    second = tick(SECONDARY, up, first.memory)
    assert kinds(second) == ["EmitEvent"]
    event = the(second, EmitEvent).event
    assert event.parameters == ("RaiseAlarm", "Row to be inserted exists already", "Duplicate entry")
    assert tick(SECONDARY, up, second.memory).acts == ()


def test_a_recovery_is_told_once_with_condition_and_message() -> None:
    up = alarm(WELL, "replication-duplicate-row", "Row to be inserted exists already: Duplicate entry")
    decision = tick(SECONDARY, up)
    events = [act.event for act in decision.acts if isinstance(act, EmitEvent)]
    assert events[-1].parameters == ("ClearAlarm", "Row to be inserted exists already: Duplicate entry")
    assert the(decision, ClearAlarm).code == "replication-duplicate-row"
    names = kinds(decision)
    assert names.index("ClearAlarm") == len(names) - 1


def test_nothing_is_cleared_before_replication_works() -> None:
    stopped = alarm(replication(WELL, receiver_running=False), "replication-duplicate-row")
    assert "ClearAlarm" not in kinds(tick(SECONDARY, stopped))


def test_the_same_error_at_another_time_is_another_event() -> None:
    once = the(tick(SECONDARY, alarm(applier(1062), "replication-duplicate-row")), EmitEvent).event
    up = alarm(applier(1062), "replication-duplicate-row")
    known = up.alarms["replication-duplicate-row"]
    later = replace(up, alarms={known.code: replace(known, raised_at=known.raised_at.replace(minute=30))})
    assert the(tick(SECONDARY, later), EmitEvent).event.key != once.key


def test_a_short_loss_of_the_connection_is_no_error() -> None:
    seen = receiver(2003)
    assert tick(SECONDARY, seen).acts == ()
    held = replace(CAUGHT_UP, condition_since_s=(("primary-unreachable", NOW_S - 10.0),))
    assert "RaiseAlarm" in kinds(tick(SECONDARY, seen, held))


def test_an_unreachable_database_of_a_silent_primary_is_left_to_the_failover_rules() -> None:
    held = replace(CAUGHT_UP, condition_since_s=(("primary-unreachable", NOW_S - 60.0),))
    decision = tick(SECONDARY, silent_peer(receiver(2003), 2.0), held)
    assert "RaiseAlarm" not in kinds(decision)
    assert decision.memory.condition_since_s == ()


def test_an_unreachable_database_that_its_primary_knows_about_does_not_cost_eligibility() -> None:
    held = replace(CAUGHT_UP, condition_since_s=(("primary-unreachable", NOW_S - 60.0),))
    assert tick(SECONDARY, peer(receiver(2003), database_ok=False), held).eligible
    assert not tick(SECONDARY, receiver(2003), held).eligible


@pytest.mark.parametrize("seen", [applier(1062), receiver(1236), receiver(1950)])
def test_a_broken_history_costs_eligibility_at_once(seen: Observation) -> None:
    decision = tick(SECONDARY, seen)
    assert not decision.eligible
    assert not decision.memory.caught_up


def test_stopped_threads_are_an_error_when_they_stay_stopped() -> None:
    for change in ({"applier_running": False}, {"receiver_running": False}):
        seen = replication(WELL, **change)
        held = replace(CAUGHT_UP, condition_since_s=(("stopped", NOW_S - 10.0),))
        assert the(tick(SECONDARY, seen, held), RaiseAlarm).code == "replication-stopped"


def test_old_data_is_an_error_though_all_threads_run() -> None:
    held = replace(CAUGHT_UP, condition_since_s=(("data-old", NOW_S - 10.0),))
    seen = database(WELL, beat_age_s=31.0)
    assert the(tick(SECONDARY, seen, held), RaiseAlarm).code == "replication-data-old"
    fenced_primary = peer(seen, writable=False)
    assert "RaiseAlarm" not in kinds(tick(SECONDARY, fenced_primary, held))


def test_a_standby_is_caught_up_when_positions_match_though_nobody_writes() -> None:
    seen = peer(database(WELL, beat_age_s=900.0), writable=False)
    assert tick(SECONDARY, seen, MEMORY).eligible
    assert not tick(SECONDARY, peer(seen, position="0-1-101"), MEMORY).eligible


def test_positions_are_compared_without_order() -> None:
    assert same_position("0-1-5,1-1-7", "1-1-7,0-1-5")
    assert not same_position("", "")
    assert not same_position("0-1-5", "0-1-6")
