"""The primary's side: losing the standby, being cut off or superseded, its own database, taking the standby back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core import moves
from app.core.acts import (
    EmitEvent,
    FenceSelf,
    Lift,
    Promote,
    RaiseAlarm,
    RecordStandbyOut,
    Rejoin,
    SetSemiSync,
)
from app.core.pairconfig import PairConfig, ProtectionMode
from app.core.primary import JOINER_IDLE_S
from app.core.roles import Role
from app.core.state import FenceReason, NodeState, Operation, Phase, Promotion
from tests.unit.situations import (
    CONFIG,
    MEMORY,
    NOW,
    NOW_S,
    PRIMARY,
    alarm,
    database,
    fence_remembered,
    fenced,
    kinds,
    network,
    peer,
    primary_sees,
    silent_peer,
    the,
    tick,
)

WELL = primary_sees()
LOST = silent_peer(WELL, 12.0)
"""The standby has been silent for longer than the bounded wait of ten seconds; the gateway answers."""
CUT_OFF = network(silent_peer(WELL, 2.0), gateway_answers=False, others_answer_age_s=2.1)
PERFORMANCE = replace(CONFIG, protection_mode=ProtectionMode.PERFORMANCE)
PROTECTION = replace(CONFIG, protection_mode=ProtectionMode.PROTECTION)
OUT = replace(PRIMARY, standby_out=True, standby_out_since=NOW - timedelta(minutes=5))


def test_a_healthy_primary_does_nothing() -> None:
    assert tick(PRIMARY, WELL).acts == ()


def test_a_lost_standby_is_recorded_as_out_before_commits_stop_waiting() -> None:
    names = kinds(tick(PRIMARY, LOST))
    assert names.index("RecordStandbyOut") < names.index("SetSemiSync")
    assert the(tick(PRIMARY, LOST), SetSemiSync).enabled is False
    assert the(tick(PRIMARY, LOST), RaiseAlarm).code == "standby-offline"


def test_the_standby_is_given_the_bounded_wait() -> None:
    assert "RecordStandbyOut" not in kinds(tick(PRIMARY, silent_peer(WELL, 9.9)))


def test_an_answer_from_before_the_cut_is_no_second_opinion() -> None:
    seen = network(LOST, others_answer_age_s=9.5)
    decision = tick(PRIMARY, seen)
    assert "RecordStandbyOut" not in kinds(decision)
    assert "AskOthers" in kinds(decision)


def test_others_are_asked_at_most_once_a_second() -> None:
    seen = network(silent_peer(WELL, 1.6), others_answer_age_s=1.0)
    assert "AskOthers" in kinds(tick(PRIMARY, seen))
    assert "AskOthers" not in kinds(tick(PRIMARY, seen, replace(MEMORY, others_asked_s=NOW_S - 0.5)))


def test_without_waiting_commits_the_lost_standby_is_recorded_too() -> None:
    seen = database(LOST, semi_sync_enabled=False)
    assert "RecordStandbyOut" in kinds(tick(PRIMARY, seen, config=PERFORMANCE))
    assert "SetSemiSync" not in kinds(tick(PRIMARY, seen, config=PERFORMANCE))


def test_in_protection_the_standby_is_never_let_go_by_itself() -> None:
    decision = tick(PRIMARY, LOST, config=PROTECTION)
    assert "RecordStandbyOut" not in kinds(decision)
    assert "SetSemiSync" not in kinds(decision)
    assert "Writes wait" in the(decision, RaiseAlarm).text


def test_in_protection_the_administrator_lets_the_standby_go() -> None:
    decision = tick(OUT, alarm(LOST, "standby-offline"), config=PROTECTION)
    assert the(decision, SetSemiSync).enabled is False


def test_a_standby_that_announced_its_stop_is_let_go_at_once() -> None:
    seen = peer(silent_peer(WELL, 2.0), stopping=True)
    assert "RecordStandbyOut" in kinds(tick(PRIMARY, seen))
    announced = replace(PRIMARY, operation=Operation("j", "stopping", NOW + timedelta(minutes=5)))
    assert "RecordStandbyOut" in kinds(tick(announced, silent_peer(WELL, 2.0)))


def test_standby_offline_is_told_once_for_each_time_it_is_lost() -> None:
    first = tick(PRIMARY, LOST)
    assert "EmitEvent" not in kinds(first)
    up = alarm(LOST, "standby-offline")
    second = tick(OUT, up)
    event = the(second, EmitEvent).event
    assert event.parameters == ("StandbyOffline", "beta", "alpha")
    third = tick(OUT, up, second.memory)
    assert "EmitEvent" not in kinds(third)
    after_restart = the(tick(OUT, up, MEMORY), EmitEvent).event
    assert after_restart.key == event.key


def test_a_standby_that_is_heard_but_does_not_acknowledge_is_dropped() -> None:
    seen = database(WELL, semi_sync_clients=0)
    early = tick(PRIMARY, seen, replace(MEMORY, standby_failing_since_s=NOW_S - 9.0))
    assert "RecordStandbyOut" not in kinds(early)
    late = tick(PRIMARY, seen, replace(MEMORY, standby_failing_since_s=NOW_S - 10.0))
    assert kinds(late)[:2] == ["RecordStandbyOut", "SetSemiSync"]
    assert the(late, RaiseAlarm).code == "standby-out"


def test_a_standby_that_is_well_but_never_acknowledges_is_dropped() -> None:
    waiting = replace(MEMORY, acknowledging_since_s=NOW_S - 500.0)
    mute = replace(WELL, database=replace(WELL.database, write_age_s=10.0))
    late = tick(PRIMARY, mute, waiting)
    assert kinds(late)[:2] == ["RecordStandbyOut", "SetSemiSync"]
    assert late.memory.acknowledge_failed_s == NOW_S
    early = replace(WELL, database=replace(WELL.database, write_age_s=9.9))
    assert tick(PRIMARY, early, waiting).acts == ()
    not_heard = network(silent_peer(mute, 9.9), others_answer_age_s=None)
    assert "RecordStandbyOut" not in kinds(tick(PRIMARY, not_heard, waiting))


def test_the_standby_is_not_blamed_for_writes_before_it_was_waited_for() -> None:
    just_connected = replace(MEMORY, acknowledging_since_s=NOW_S - 9.0)
    seen = replace(WELL, database=replace(WELL.database, write_age_s=300.0))
    assert tick(PRIMARY, seen, just_connected).acts == ()


def test_a_standby_that_is_heard_again_after_a_cut_has_its_time_to_acknowledge() -> None:
    """Found in the fault matrix: a standby that had just come back was dropped for a minute, because no write had
    succeeded during the cut."""
    silent = network(silent_peer(WELL, 9.0), others_answer_age_s=None)
    cut = tick(PRIMARY, silent, replace(MEMORY, acknowledging_since_s=NOW_S - 500.0))
    heard = replace(WELL, now_s=NOW_S + 2.0, database=replace(WELL.database, write_age_s=11.0))
    assert tick(PRIMARY, heard, cut.memory).acts == ()
    still_mute = replace(WELL, now_s=NOW_S + 12.0, database=replace(WELL.database, write_age_s=21.0))
    assert "RecordStandbyOut" in kinds(tick(PRIMARY, still_mute, tick(PRIMARY, heard, cut.memory).memory))


def test_a_full_disk_of_the_primary_is_not_the_standbys_fault() -> None:
    waiting = replace(MEMORY, acknowledging_since_s=NOW_S - 500.0)
    seen = database(WELL, failing_s=1.4)
    seen = replace(seen, database=replace(seen.database, write_age_s=60.0))
    assert tick(PRIMARY, seen, waiting).acts == ()


def test_a_standby_whose_replication_is_broken_is_dropped() -> None:
    seen = peer(WELL, eligible=False)
    late = tick(PRIMARY, seen, replace(MEMORY, standby_failing_since_s=NOW_S - 10.0))
    assert "RecordStandbyOut" in kinds(late)


def test_a_returning_standby_is_waited_for_before_it_is_recorded_as_back() -> None:
    back = database(WELL, semi_sync_enabled=False)
    first = tick(OUT, back)
    assert the(first, SetSemiSync).enabled is True
    waiting = database(WELL, semi_sync_enabled=True)
    second = tick(OUT, waiting, first.memory)
    assert "RecordStandbyBack" not in kinds(second)
    third = tick(OUT, waiting, replace(MEMORY, acknowledging_since_s=NOW_S - 5.0))
    assert kinds(third) == ["RecordStandbyBack"]


def test_a_write_probe_from_before_commits_waited_proves_nothing() -> None:
    seen = replace(WELL, database=replace(WELL.database, write_age_s=5.0))
    decision = tick(OUT, seen, replace(MEMORY, acknowledging_since_s=NOW_S - 5.0))
    assert "RecordStandbyBack" not in kinds(decision)


def test_a_look_from_before_commits_stopped_waiting_proves_nothing() -> None:
    dropped = replace(MEMORY, acknowledging_since_s=None, semi_sync_told_s=NOW_S - 0.1)
    decision = tick(OUT, database(WELL, semi_sync_enabled=True), dropped)
    assert "RecordStandbyBack" not in kinds(decision)
    assert decision.memory.acknowledging_since_s is None


def test_being_told_forgets_how_long_the_standby_acknowledged() -> None:
    mute = replace(WELL, database=replace(WELL.database, write_age_s=10.0))
    late = tick(PRIMARY, mute, replace(MEMORY, acknowledging_since_s=NOW_S - 500.0))
    assert late.memory.acknowledging_since_s is None


def test_a_standby_that_has_not_caught_up_stays_out() -> None:
    seen = peer(database(WELL, semi_sync_enabled=False), eligible=False)
    assert tick(OUT, seen).acts == ()


def test_commits_are_not_made_to_wait_for_a_standby_that_is_not_connected() -> None:
    seen = database(WELL, semi_sync_enabled=False, semi_sync_clients=0)
    assert "SetSemiSync" not in kinds(tick(OUT, seen))


def test_a_standby_that_failed_to_acknowledge_gets_a_rest_before_the_next_try() -> None:
    back = database(WELL, semi_sync_enabled=False)
    assert "SetSemiSync" not in kinds(tick(OUT, back, replace(MEMORY, acknowledge_failed_s=NOW_S - 59.0)))
    assert "SetSemiSync" in kinds(tick(OUT, back, replace(MEMORY, acknowledge_failed_s=NOW_S - 60.0)))


def test_a_returning_standby_with_a_long_backlog_does_not_hold_writes_without_end() -> None:
    """Found in the fault matrix: commits waited 32 s for a standby that came back behind sysbench."""
    mute = replace(WELL, database=replace(WELL.database, write_age_s=10.0))
    late = tick(OUT, mute, replace(MEMORY, acknowledging_since_s=NOW_S - 10.0))
    assert the(late, SetSemiSync).enabled is False
    assert late.memory.acknowledge_failed_s == NOW_S
    assert "RecordStandbyOut" not in kinds(late)


def test_without_waiting_commits_the_standby_is_back_when_it_has_caught_up() -> None:
    seen = database(WELL, semi_sync_enabled=False)
    assert kinds(tick(OUT, seen, config=PERFORMANCE)) == ["RecordStandbyBack"]


@pytest.mark.parametrize("wanted", [True, False])
def test_the_return_of_the_standby_is_told_only_if_asked_for(wanted: bool) -> None:
    config = replace(CONFIG, standby_online_event=wanted)
    decision = tick(PRIMARY, alarm(WELL, "standby-offline"), config=config)
    assert "ClearAlarm" in kinds(decision)
    events = [act.event.parameters for act in decision.acts if isinstance(act, EmitEvent)]
    assert (("StandbyOnline", "beta", "alpha") in events) is wanted


def test_semi_sync_follows_the_protection_mode() -> None:
    assert the(tick(PRIMARY, database(WELL, semi_sync_enabled=False)), SetSemiSync).enabled is True
    assert the(tick(PRIMARY, WELL, config=PERFORMANCE), SetSemiSync).enabled is False
    assert the(tick(OUT, silent_peer(WELL, 12.0)), SetSemiSync).enabled is False


# --- being cut off ------------------------------------------------------------------------------------------------


def test_an_isolated_primary_fences_itself_one_ping_before_the_window_ends() -> None:
    act = the(tick(PRIMARY, CUT_OFF), FenceSelf)
    assert act.reason is FenceReason.ISOLATED
    assert "FenceSelf" not in kinds(tick(PRIMARY, replace(CUT_OFF, peer_asked_age_s=1.9)))


@pytest.mark.parametrize(("interval", "iterations"), [(1.0, 2), (1.0, 3), (15.0, 12), (15.0, 2), (1.0, 20)])
def test_the_isolated_primary_is_always_fenced_before_the_standby_may_take_over(
    interval: float, iterations: int
) -> None:
    config = PairConfig(ping_interval_s=interval, ping_iterations=iterations)
    assert config.isolation_fence_s == config.detection_window_s - interval
    bound = config.isolation_fence_s
    seen = replace(CUT_OFF, heartbeat_age_s=bound, peer_asked_age_s=bound)
    assert "FenceSelf" in kinds(tick(PRIMARY, seen, config=config))


@pytest.mark.parametrize("answer", [{"gateway_answers": True}, {"targets": {"t1": False, "t2": True}}])
def test_one_answer_from_outside_keeps_the_primary_open(answer: dict[str, object]) -> None:
    assert "FenceSelf" not in kinds(tick(PRIMARY, network(CUT_OFF, **answer)))


def test_an_answered_ping_of_the_standby_keeps_the_primary_open() -> None:
    assert "FenceSelf" not in kinds(tick(PRIMARY, network(CUT_OFF, peer_missed=0)))


def test_a_primary_that_stood_still_fences_itself_before_anything_else() -> None:
    stood_still = replace(WELL, stalled_s=2.0, peer_asked_age_s=2.3)
    act = the(tick(PRIMARY, stood_still), FenceSelf)
    assert act.reason is FenceReason.MONITOR_SILENT
    assert "FenceSelf" not in kinds(tick(PRIMARY, replace(stood_still, stalled_s=1.9)))


def test_a_late_tick_is_no_reason_to_fence_when_the_standby_answered_in_the_meantime() -> None:
    assert tick(PRIMARY, replace(WELL, stalled_s=60.0, peer_asked_age_s=0.4)).acts == ()


def test_an_answer_to_a_question_from_before_a_pause_proves_nothing() -> None:
    seen = replace(WELL, stalled_s=60.0, heartbeat_age_s=0.1, peer_asked_age_s=60.0)
    assert the(tick(PRIMARY, seen), FenceSelf).reason is FenceReason.MONITOR_SILENT


def test_a_fence_that_the_database_does_not_show_is_put_up_again() -> None:
    state = fenced(PRIMARY, FenceReason.ISOLATED)
    decision = tick(state, CUT_OFF, fence_remembered(FenceReason.ISOLATED, 1.0))
    assert "EnforceReadOnly" in kinds(decision)


# --- the rightful primary ----------------------------------------------------------------------------------------


def test_a_higher_term_fences_this_primary_and_makes_it_rejoin() -> None:
    seen = peer(WELL, role=Role.PRIMARY, term=5)
    decision = tick(PRIMARY, seen)
    assert kinds(decision) == ["FenceSelf", "Rejoin"]
    assert the(decision, FenceSelf).reason is FenceReason.SUPERSEDED
    assert the(decision, Rejoin).term == 5


def test_a_higher_term_is_proof_even_when_it_was_heard_long_ago() -> None:
    seen = peer(LOST, role=Role.PRIMARY, term=5)
    assert kinds(tick(PRIMARY, seen)) == ["FenceSelf"]


def test_a_rejoin_is_asked_for_again_after_a_while_only() -> None:
    state = fenced(PRIMARY, FenceReason.SUPERSEDED)
    seen = peer(database(WELL, read_only=True), role=Role.PRIMARY, term=5)
    assert tick(state, seen, replace(MEMORY, rejoin_asked_s=NOW_S - 29.0)).acts == ()
    assert kinds(tick(state, seen, replace(MEMORY, rejoin_asked_s=NOW_S - 30.0))) == ["Rejoin"]


@pytest.mark.parametrize("change", [{"role": Role.SECONDARY}, {"fence": FenceReason.OPERATION}])
def test_rejoin_waits_until_the_peer_is_an_open_primary(change: dict[str, object]) -> None:
    seen = peer(WELL, **{"role": Role.PRIMARY, "term": 5, **change})
    assert kinds(tick(PRIMARY, seen)) == ["FenceSelf"]


def test_two_primaries_of_the_same_term_both_stop() -> None:
    seen = peer(WELL, role=Role.PRIMARY, term=4)
    decision = tick(PRIMARY, seen)
    assert the(decision, FenceSelf).reason is FenceReason.CONFLICT
    assert the(decision, RaiseAlarm).code == "conflict"
    stopped = fenced(PRIMARY, FenceReason.CONFLICT)
    again = tick(stopped, alarm(database(seen, read_only=True), "conflict"), fence_remembered(FenceReason.CONFLICT))
    assert again.acts == ()


def test_a_conflict_ends_when_the_other_side_was_chosen() -> None:
    state = fenced(PRIMARY, FenceReason.CONFLICT)
    seen = peer(database(WELL, read_only=True), role=Role.PRIMARY, term=5)
    assert kinds(tick(state, seen, fence_remembered(FenceReason.CONFLICT))) == ["FenceSelf", "Rejoin"]


def test_an_unfinished_promotion_is_finished() -> None:
    state = replace(
        fenced(PRIMARY, FenceReason.OPERATION), promotion=Promotion(4, NOW, "failover", None, "Nothing."),
    )  # fmt: skip
    act = the(tick(state, database(LOST, read_only=True)), Promote)
    assert act.resume
    assert act.term == 4
    assert act.lost_bound == "Nothing."


@pytest.mark.parametrize("mode", list(ProtectionMode))
def test_a_promotion_during_which_the_database_was_restarted_catches_up_first(mode: ProtectionMode) -> None:
    config = replace(CONFIG, protection_mode=mode)
    state = replace(
        fenced(PRIMARY, FenceReason.OPERATION), promotion=Promotion(4, NOW - timedelta(seconds=60), "failover"),
    )  # fmt: skip
    restarted = database(WELL, read_only=True, uptime_s=59.0)
    act = the(tick(state, restarted, config=config), Promote)
    assert act.catch_up
    alone = tick(state, silent_peer(restarted, 20.0), config=config)
    if mode is ProtectionMode.PROTECTION:
        assert kinds(alone) == ["RaiseAlarm"]
        assert kinds(tick(state, alarm(silent_peer(restarted, 20.0), "promotion-waits"), config=config)) == []
    else:
        assert the(alone, Promote).catch_up
    ran_through = database(WELL, read_only=True, uptime_s=61.0)
    assert not the(tick(state, ran_through, config=config), Promote).catch_up


def test_a_monitor_that_stood_still_looks_once_more_before_it_finishes_a_promotion() -> None:
    state = replace(fenced(PRIMARY, FenceReason.OPERATION), promotion=Promotion(4, NOW, "swap"))
    seen = database(WELL, read_only=True)
    assert "Promote" not in kinds(tick(state, replace(seen, stalled_s=6.0)))
    assert "Promote" in kinds(tick(state, seen))


def test_an_unfinished_promotion_gives_way_to_a_higher_term() -> None:
    state = replace(PRIMARY, promotion=Promotion(4, NOW, "failover"))
    decision = tick(state, peer(WELL, role=Role.PRIMARY, term=5))
    assert "Promote" not in kinds(decision)


# --- before the pair is whole, and while jobs run -----------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.INITIALIZED, Phase.SYNCHRONIZING])
def test_a_primary_without_a_secondary_yet_is_lifted_at_once(phase: Phase) -> None:
    seen = database(WELL, read_only=True, semi_sync_enabled=False)
    assert kinds(tick(replace(PRIMARY, phase=phase), seen)) == ["Lift"]
    assert tick(replace(PRIMARY, phase=phase), database(LOST, semi_sync_enabled=False)).acts == ()


def test_a_standalone_server_is_lifted_at_once_and_waits_for_nobody() -> None:
    decision = tick(NodeState("node-a"), database(WELL, read_only=True))
    assert kinds(decision) == ["SetSemiSync", "Lift"]
    assert the(decision, Lift).rule == "standalone"


def test_the_pilot_keeps_its_hands_off_while_a_job_of_this_node_runs() -> None:
    swapping = replace(PRIMARY, operation=Operation("j", "swap", NOW + timedelta(seconds=1)))
    assert tick(swapping, LOST).acts == ()
    over = replace(PRIMARY, operation=Operation("j", "swap", NOW))
    assert the(tick(over, LOST), RecordStandbyOut)


def test_alarms_of_the_other_role_are_cleared() -> None:
    seen = alarm(alarm(WELL, "ping-filtered"), "replication-duplicate-row")
    assert kinds(tick(PRIMARY, seen)) == ["ClearAlarm", "ClearAlarm"]


def test_a_standby_with_a_backlog_is_not_waited_for_yet() -> None:
    behind = replace(MEMORY, own_positions=((NOW_S - 3.0, "0-1-300"),))
    assert "SetSemiSync" not in kinds(tick(OUT, database(WELL, semi_sync_enabled=False), behind))


def test_a_standby_is_measured_against_the_past_from_which_it_reports() -> None:
    busy = replace(MEMORY, own_positions=((NOW_S - 3.0, "0-1-100"), (NOW_S - 0.2, "0-1-900")))
    assert "SetSemiSync" in kinds(tick(OUT, database(WELL, semi_sync_enabled=False), busy))


def test_a_standby_that_stays_behind_under_load_is_taken_back_after_a_while() -> None:
    behind = replace(MEMORY, own_positions=((NOW_S - 3.0, "0-1-300"),), able_since_s=NOW_S - 30.0)
    assert "SetSemiSync" in kinds(tick(OUT, database(WELL, semi_sync_enabled=False), behind))


def test_one_lost_round_of_pings_does_not_fence_a_primary_that_has_lost_its_standby() -> None:
    once = network(CUT_OFF, gateway_answers=False, others_answer_age_s=1.0)
    assert "FenceSelf" not in kinds(tick(PRIMARY, once))
    assert "FenceSelf" in kinds(tick(PRIMARY, CUT_OFF))


SYNCHRONIZING = replace(PRIMARY, phase=Phase.SYNCHRONIZING, standby_out=True)
IDLE = peer(WELL, role=Role.STANDALONE, phase=Phase.NONE, operation="")


def test_a_primary_whose_secondary_has_broken_its_set_up_off_waits_for_apply_there_again() -> None:
    first = tick(SYNCHRONIZING, IDLE)
    assert "AwaitSecondary" not in kinds(first)
    later = tick(SYNCHRONIZING, replace(IDLE, now_s=NOW_S + JOINER_IDLE_S), first.memory)
    assert "AwaitSecondary" in kinds(later)
    assert moves.await_secondary(SYNCHRONIZING).phase is Phase.INITIALIZED
    assert moves.await_secondary(PRIMARY) == PRIMARY


@pytest.mark.parametrize("changed", [{"operation": "setup-secondary"}, {"role": Role.SECONDARY}])
def test_a_secondary_whose_set_up_goes_on_is_waited_for(changed: dict[str, object]) -> None:
    memory = tick(SYNCHRONIZING, IDLE).memory
    busy = replace(peer(IDLE, **changed), now_s=NOW_S + JOINER_IDLE_S)
    seen = tick(SYNCHRONIZING, busy, memory)
    assert "AwaitSecondary" not in kinds(seen)
    assert seen.memory.joiner_idle_since_s is None
