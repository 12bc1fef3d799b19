"""Rules 1 to 5 of a failover, and the truth table of gateway and ping targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from unittest.mock import ANY

import pytest

from app.core.acts import Cause, Promote
from app.core.failover import Blocked, Healthy, Suspect
from app.core.pairconfig import PairConfig, ProtectionMode
from app.core.roles import Role
from app.core.state import FenceReason, Operation, Phase
from tests.unit.situations import (
    CAUGHT_UP,
    CONFIG,
    MEMORY,
    NOW,
    NOW_S,
    PRIMARY,
    SECONDARY,
    database,
    kinds,
    network,
    peer,
    secondary_sees,
    silent_peer,
    the,
    tick,
)

DEAD = silent_peer(secondary_sees(), 4.0)
"""The primary has been silent for longer than the window of three seconds."""
TARGETS = ("t1", "t2", "t3")


def test_a_healthy_primary_is_left_alone() -> None:
    decision = tick(SECONDARY, secondary_sees())
    assert decision.verdict == Healthy()
    assert decision.acts == ()
    assert decision.diagnosis.name == "healthy"


def test_a_silent_primary_is_replaced_after_the_window() -> None:
    decision = tick(SECONDARY, DEAD)
    act = the(decision, Promote)
    assert act.cause is Cause.FAILOVER
    assert act.term == SECONDARY.term + 1
    assert not act.resume
    assert decision.diagnosis.name == "primary-silent"


@pytest.mark.parametrize(
    ("gateway", "targets"),
    [
        (gateway, dict(zip(TARGETS, answers, strict=False)))
        for gateway in (True, False, None)
        for count in range(4)
        for answers in product((True, False), repeat=count)
    ],
)
def test_failover_needs_the_gateway_or_any_target(gateway: bool | None, targets: dict[str, bool]) -> None:
    seen = network(DEAD, gateway_answers=gateway, targets=targets)
    decision = tick(SECONDARY, seen)
    if gateway is True or any(targets.values()):
        assert "Promote" in kinds(decision)
    else:
        assert isinstance(decision.verdict, Blocked)
        assert decision.verdict.reason == "own-network"
        assert decision.diagnosis.name == "own-network"
        assert "Promote" not in kinds(decision)


def test_failover_waits_for_the_twelfth_missed_ping() -> None:
    config = PairConfig()
    almost = silent_peer(secondary_sees(), 200.0, missed=11)
    assert tick(SECONDARY, almost, config=config).verdict == Suspect(11, 12)
    assert "Promote" in kinds(tick(SECONDARY, silent_peer(secondary_sees(), 200.0, missed=12), config=config))


def test_failover_waits_until_the_last_life_sign_is_a_window_old() -> None:
    seen = silent_peer(secondary_sees(), 2.9, missed=5)
    assert "Promote" not in kinds(tick(SECONDARY, seen))
    assert tick(SECONDARY, silent_peer(secondary_sees(), 2.9, missed=2)).verdict == Suspect(2, 3)


@pytest.mark.parametrize("sign", ["heartbeat_age_s", "replication_alive_age_s", "peer_called_age_s"])
def test_any_life_sign_within_the_window_holds_failover_back(sign: str) -> None:
    decision = tick(SECONDARY, replace(DEAD, **{sign: 1.0}))
    assert "Promote" not in kinds(decision)


def test_a_working_write_probe_holds_failover_back() -> None:
    decision = tick(SECONDARY, replace(DEAD, peer_write_probe_ok=True, peer_probe_age_s=1.0))
    assert decision.diagnosis.name == "ping-filtered"
    assert "Promote" not in kinds(decision)


def test_the_time_for_which_this_node_stood_still_does_not_count_as_silence() -> None:
    resumed = replace(DEAD, stalled_s=1.1)
    first = tick(SECONDARY, resumed)
    assert "Promote" not in kinds(first)
    assert "Promote" in kinds(tick(SECONDARY, replace(DEAD, stalled_s=0.9)))
    later = replace(silent_peer(secondary_sees(), 4.2), now_s=NOW_S + 0.2)
    assert "Promote" in kinds(tick(SECONDARY, later, first.memory))
    heard = replace(secondary_sees(), now_s=NOW_S + 3.0)
    assert tick(SECONDARY, heard, first.memory).memory.deaf_s == 0.0


def test_a_life_sign_from_before_this_node_stood_still_does_not_make_up_for_that() -> None:
    frozen = {"peer_write_probe_ok": False, "peer_probe_age_s": 0.5}
    awake = tick(SECONDARY, replace(silent_peer(secondary_sees(), 1.2, missed=0), stalled_s=1.1, **frozen))
    assert awake.memory.deaf_s == 1.1
    known = replace(awake.memory, frozen_since_s=NOW_S + 0.5)
    seen = replace(silent_peer(secondary_sees(), 4.0, missed=0), now_s=NOW_S + 2.8, **frozen)
    assert "Promote" not in kinds(tick(SECONDARY, seen, known))
    later = replace(silent_peer(secondary_sees(), 4.3, missed=0), now_s=NOW_S + 3.1, **frozen)
    assert "Promote" in kinds(tick(SECONDARY, later, known))


def test_the_time_for_which_the_own_network_was_gone_does_not_count_as_silence() -> None:
    """Found in the fault matrix: a secondary whose cable came back took over, because its gateway answered a moment
    before its primary could."""
    cut_off = network(DEAD, gateway_answers=False, others_answer_age_s=4.1)
    away = tick(SECONDARY, cut_off)
    assert away.verdict == Blocked("own-network", ANY)
    back = replace(silent_peer(secondary_sees(), 6.0), now_s=NOW_S + 2.0)
    first = tick(SECONDARY, back, away.memory)
    assert first.verdict == Suspect(6, 3)
    still_silent = replace(silent_peer(secondary_sees(), 9.2), now_s=NOW_S + 5.2)
    assert "Promote" in kinds(tick(SECONDARY, still_silent, first.memory))
    heard = replace(secondary_sees(), now_s=NOW_S + 3.0)
    assert tick(SECONDARY, heard, first.memory).memory.deaf_s == 0.0


def test_nothing_is_concluded_from_not_having_looked_yet() -> None:
    seen = replace(DEAD, peer=None, heartbeat_age_s=None, replication_alive_age_s=None)
    just_started = replace(CAUGHT_UP, started_s=NOW_S - 1.0)
    assert "Promote" not in kinds(tick(SECONDARY, seen, just_started))


def test_a_frozen_primary_is_replaced_after_the_window() -> None:
    seen = replace(silent_peer(secondary_sees(), 30.0, missed=0), peer_write_probe_ok=False, peer_probe_age_s=0.5)
    early = tick(SECONDARY, seen, replace(CAUGHT_UP, frozen_since_s=NOW_S - 1.9))
    assert early.diagnosis.name == "primary-frozen"
    assert "Promote" not in kinds(early)
    confirmed = replace(CAUGHT_UP, frozen_since_s=NOW_S - 2.0)
    assert "Promote" in kinds(tick(SECONDARY, seen, confirmed))
    assert "Promote" not in kinds(tick(SECONDARY, replace(seen, heartbeat_age_s=2.9), confirmed))


def test_a_frozen_primary_stays_when_service_failover_is_off() -> None:
    seen = replace(silent_peer(secondary_sees(), 30.0, missed=0), peer_write_probe_ok=False, peer_probe_age_s=0.5)
    config = replace(CONFIG, service_failover=False)
    decision = tick(SECONDARY, seen, replace(CAUGHT_UP, frozen_since_s=NOW_S - 60.0), config)
    assert isinstance(decision.verdict, Blocked)
    assert decision.verdict.reason == "service-failover-off"


def test_a_node_that_has_not_caught_up_since_its_start_does_not_take_over() -> None:
    assert _blocked(tick(SECONDARY, DEAD, MEMORY)) == "would-lose-data"


def test_a_node_whose_own_database_does_not_answer_does_not_take_over() -> None:
    assert _blocked(tick(SECONDARY, database(DEAD, facts_age_s=2.0))) == "own-database"
    handed_over = peer(database(secondary_sees(), facts_age_s=None), fence=FenceReason.HANDOVER)
    assert _blocked(tick(SECONDARY, handed_over)) == "own-database"


def test_a_node_that_was_recorded_as_out_of_the_pair_does_not_take_over() -> None:
    assert _blocked(tick(SECONDARY, peer(DEAD, standby_out=True))) == "would-lose-data"


@pytest.mark.parametrize(("lag_s", "blocked"), [(30.0, False), (30.1, True), (None, True)])
def test_without_acknowledgement_the_lag_at_the_end_of_contact_counts(lag_s: float | None, blocked: bool) -> None:
    assert CAUGHT_UP.contact is not None
    memory = replace(CAUGHT_UP, contact=replace(CAUGHT_UP.contact, lag_s=lag_s, semi_sync=False))
    decision = tick(SECONDARY, DEAD, memory)
    assert isinstance(decision.verdict, Blocked) == blocked
    if lag_s == 30.1:
        assert "30 s behind" in decision.obstacles[0].text


def test_acknowledged_writes_are_here_however_far_behind_the_applier_is() -> None:
    assert CAUGHT_UP.contact is not None
    memory = replace(CAUGHT_UP, contact=replace(CAUGHT_UP.contact, lag_s=500.0, semi_sync=True))
    assert "Promote" in kinds(tick(SECONDARY, DEAD, memory))


@pytest.mark.parametrize("kind", ["maintenance", "stopping", "swap"])
def test_an_announced_operation_holds_failover_back_until_its_bound(kind: str) -> None:
    running = replace(SECONDARY, operation=Operation("j", kind, NOW + timedelta(seconds=1)))
    assert _blocked(tick(running, DEAD)) == "maintenance"
    over = replace(SECONDARY, operation=Operation("j", kind, NOW))
    assert "Promote" in kinds(tick(over, DEAD))


@pytest.mark.parametrize("flag", [{"maintenance": True}, {"stopping": True}, {"operation": "swap"}])
def test_an_announcement_in_the_last_heartbeat_counts_for_a_bounded_time(flag: dict[str, object]) -> None:
    assert _blocked(tick(SECONDARY, peer(DEAD, **flag))) == "maintenance"
    later = peer(silent_peer(secondary_sees(), 600.0), **flag)
    assert "Promote" in kinds(tick(SECONDARY, later))


@pytest.mark.parametrize("echo", ["maintenance", "stopping"])
def test_what_this_server_itself_has_announced_before_is_no_reason_when_the_primary_repeats_it(echo: str) -> None:
    assert "Promote" in kinds(tick(SECONDARY, peer(DEAD, operation=echo)))


def test_no_second_failover_within_the_anti_flapping_time() -> None:
    flapped = replace(SECONDARY, last_failover_at=NOW - timedelta(seconds=899), stable_since_failover=False)
    assert _blocked(tick(flapped, DEAD)) == "anti-flapping"
    older = replace(flapped, last_failover_at=NOW - timedelta(seconds=900))
    assert "Promote" in kinds(tick(older, DEAD))


def test_a_second_failover_is_allowed_once_the_pair_was_stable() -> None:
    stable = replace(SECONDARY, last_failover_at=NOW - timedelta(seconds=100), stable_since_failover=True)
    assert "Promote" in kinds(tick(stable, DEAD))


def test_stability_after_a_failover_is_recorded_once_it_has_lasted() -> None:
    flapped = replace(SECONDARY, last_failover_at=NOW - timedelta(seconds=100), stable_since_failover=False)
    soon = tick(flapped, secondary_sees(), replace(CAUGHT_UP, stable_since_s=NOW_S - 59.0))
    assert "RecordStable" not in kinds(soon)
    assert "RecordStable" in kinds(tick(flapped, secondary_sees(), replace(CAUGHT_UP, stable_since_s=NOW_S - 60.0)))


def test_the_gravest_obstacle_is_named_first() -> None:
    seen = network(DEAD, gateway_answers=False)
    decision = tick(replace(SECONDARY, maintenance_until=NOW + timedelta(hours=1)), seen, MEMORY)
    assert [each.reason for each in decision.obstacles] == ["own-network", "would-lose-data", "maintenance"]


def test_a_handover_is_taken_at_once() -> None:
    seen = peer(secondary_sees(), fence=FenceReason.HANDOVER, writable=False, database_ok=False)
    assert the(tick(SECONDARY, seen), Promote).cause is Cause.HANDOVER


@pytest.mark.parametrize("change", [{"term": 3}, {"role": Role.SECONDARY}, {"fence": FenceReason.ISOLATED}])
def test_only_the_own_primary_can_hand_over(change: dict[str, object]) -> None:
    seen = peer(secondary_sees(), **{"fence": FenceReason.HANDOVER, **change})
    assert "Promote" not in kinds(tick(SECONDARY, seen))


def test_a_handover_to_a_node_that_would_lose_data_is_refused() -> None:
    seen = peer(secondary_sees(), fence=FenceReason.HANDOVER)
    far_behind = peer(database(seen, beat_age_s=500.0), position="0-1-900")
    assert _blocked(tick(SECONDARY, far_behind, MEMORY)) == "would-lose-data"


def test_a_secondary_that_is_not_paired_yet_never_takes_over() -> None:
    assert tick(replace(SECONDARY, phase=Phase.SYNCHRONIZING), DEAD).acts == ()


def test_a_primary_has_no_verdict() -> None:
    assert tick(PRIMARY, DEAD).verdict == Healthy()


def test_what_could_be_lost_depends_on_the_protection_mode() -> None:
    protection = replace(CONFIG, protection_mode=ProtectionMode.PROTECTION)
    assert tick(SECONDARY, DEAD, config=protection).lost_bound == "Nothing that was acknowledged."
    assert "rescued" in tick(SECONDARY, DEAD).lost_bound
    assert CAUGHT_UP.contact is not None
    behind = replace(CAUGHT_UP, contact=replace(CAUGHT_UP.contact, lag_s=2.5, semi_sync=False))
    assert "2.5 s" in tick(SECONDARY, DEAD, behind).lost_bound


def _blocked(decision: object) -> str:
    verdict = decision.verdict  # type: ignore[attr-defined]
    assert isinstance(verdict, Blocked), verdict
    assert "Promote" not in kinds(decision)  # type: ignore[arg-type]
    return verdict.reason
