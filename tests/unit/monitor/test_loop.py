"""The monitor as a whole, stepped by hand: what it observes, what it does then, what it publishes."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import Fence, FenceReason, NodeState, Operation
from app.ports import ReplicationSource
from tests.unit.monitor.world import World, report


def secondary() -> World:
    """Alpha is the caught-up secondary of the living primary beta."""
    world = World(Role.SECONDARY)
    world.other.lift()
    world.other.ensure_accounts("secret")
    world.other.probe_write(1, 1.0)
    world.database.start_replication(ReplicationSource("10.0.0.2", 3306, "replication", "secret"))
    world.other.set_semi_sync(enabled=True)
    world.report = report(role="primary", writable=True, semi_sync_active=True, eligible=False)
    world.run(5)
    return world


def primary() -> World:
    """Alpha is the open primary, beta its caught-up secondary."""
    world = World(Role.PRIMARY)
    world.database.ensure_accounts("secret")
    world.other.start_replication(ReplicationSource("10.0.0.1", 3306, "replication", "secret"))
    world.run(5)
    return world


def test_a_standalone_server_is_opened_at_once() -> None:
    world = World()
    world.run(1)
    assert not world.database.read_only
    assert world.snapshot()["node"]["writable"]


def test_a_rebooted_primary_stays_closed_until_the_peer_was_asked() -> None:
    world = World(Role.PRIMARY)
    world.peer.reachable = False
    world.run(20)
    assert world.database.read_only
    assert world.state.fence is not None
    assert world.state.fence.reason is FenceReason.PEER_UNKNOWN
    world.peer.reachable = True
    world.run(3)
    assert not world.database.read_only
    assert world.state.fence is None


def test_the_secondary_takes_over_with_the_last_failed_ping_of_the_window() -> None:
    world = secondary()
    assert world.snapshot()["node"]["eligible"]
    world.lose_peer()
    lost_s = world.clock.monotonic()
    while world.state.role is Role.SECONDARY and world.clock.monotonic() - lost_s < 10:
        world.run(0.25)
    assert 2.5 <= world.clock.monotonic() - lost_s <= 4.0
    world.run(1)
    assert world.state.term == 2
    assert not world.database.read_only
    assert world.event_kinds()[0] == "Failover"
    assert world.store.events()[-1].parameters == ("Failover", "alpha", "beta")
    assert world.snapshot()["node"]["writable"]
    assert any(entry.action == "monitor:Promote" for entry in world.store.activity())


def test_a_secondary_without_network_does_not_take_over() -> None:
    world = secondary()
    world.lose_peer()
    world.pinger.answering.clear()
    world.run(20)
    assert world.state.role is Role.SECONDARY
    assert world.snapshot()["verdict"]["name"] == "blocked"
    assert world.snapshot()["verdict"]["reason"] == "own-network"


def test_a_primary_that_only_stops_answering_pings_is_left_alone() -> None:
    world = secondary()
    del world.pinger.answering["10.0.0.2"]
    world.run(30)
    assert world.state.role is Role.SECONDARY
    assert "ping-filtered" in {alarm.code for alarm in world.store.alarms()}


def test_an_isolated_primary_fences_itself_before_the_window_ends() -> None:
    world = primary()
    assert not world.database.read_only
    world.lose_peer()
    world.pinger.answering.clear()
    world.run(2.75)
    assert world.database.read_only
    assert world.state.fence is not None
    assert world.state.fence.reason is FenceReason.ISOLATED


def test_a_primary_that_loses_its_standby_goes_on_and_says_so() -> None:
    world = primary()
    world.lose_peer()
    world.run(30)
    assert not world.database.read_only
    assert world.state.standby_out
    assert world.state.shared_position
    assert not world.database.semi_sync
    assert world.event_kinds() == ["StandbyOffline"]
    assert world.store.events()[0].parameters == ("StandbyOffline", "beta", "alpha")


def test_acts_are_not_told_again_before_their_effect_was_looked_at() -> None:
    world = World()
    world.run(3)
    assert world.rules() == ["Lift:standalone"]


def test_an_act_that_fails_is_tried_again_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    tries: list[float] = []

    def refuse() -> None:
        tries.append(world.clock.monotonic())
        raise LocalFailure("database-refused", "No")

    monkeypatch.setattr(world.database, "lift", refuse)
    world.run(60)
    gaps = [after - before for before, after in itertools.pairwise(tries)]
    assert gaps[0] < 2
    assert gaps[-1] >= 10
    assert all(later >= earlier - 0.5 for earlier, later in itertools.pairwise(gaps))
    assert world.snapshot()["acts"][0]["outcome"] == "failed"
    assert "No" in world.snapshot()["acts"][0]["error"]
    failures = [entry for entry in world.store.activity() if entry.outcome == "failed"]
    assert len(failures) == 1, "the activity log tells of a failure once, not at each try"


def test_an_event_that_could_not_be_stored_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = primary()
    genuine = world.store.add_event
    failures = iter(range(2))

    def add(*arguments: object, **options: object) -> object:
        if next(failures, None) is not None:
            raise LocalFailure("store-busy", "Busy")
        return genuine(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "add_event", add)
    world.lose_peer()
    world.run(30)
    assert world.event_kinds() == ["StandbyOffline"]


def test_a_fence_that_a_job_sets_in_the_same_moment_is_not_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(Role.PRIMARY, fence=None)
    genuine = world.database.lift

    def lift_while_a_job_fences() -> None:
        genuine()
        fence = Fence(FenceReason.OPERATION, world.clock.now())
        world.store.change_state(lambda state: replace(state, fence=fence))

    monkeypatch.setattr(world.database, "lift", lift_while_a_job_fences)
    world.run(3)
    assert world.database.read_only
    assert world.state.fence is not None


def test_a_lift_that_was_decided_on_another_state_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(Role.PRIMARY)
    genuine = world.store.change_state
    job = Operation("job-1", "swap", world.clock.now().replace(year=2030))

    def change_after_a_job_began(change: object) -> NodeState:
        genuine(lambda state: replace(state, operation=job))
        return genuine(change)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "change_state", change_after_a_job_began)
    world.run(3)
    assert world.database.read_only
    assert "lift" not in world.database.calls


def test_the_monitor_keeps_its_hands_off_while_a_job_runs() -> None:
    world = secondary()
    operation = Operation("job-1", "swap", world.clock.now().replace(year=2030))
    world.store.change_state(lambda state: replace(state, operation=operation))
    world.lose_peer()
    world.run(20)
    assert world.state.role is Role.SECONDARY


def test_the_snapshot_tells_the_same_as_the_parts() -> None:
    world = primary()
    document = world.snapshot()
    assert document["report"]["role"] == "primary"
    assert document["report"]["semi_sync_active"] is True
    assert document["report"]["monitor_age_s"] == 0
    assert document["peer"]["report"]["eligible"] is True
    assert document["peer"]["heartbeat_age_s"] < 1
    assert document["pings"]["peer"] == {"address": "10.0.0.2", "missed": 0, "round_trip_ms": 0.4}
    assert document["pings"]["gateway"] == {"address": "10.0.0.254", "answers": True}
    assert document["pings"]["near_miss"] is None
    assert document["database"]["facts"]["read_only"] is False
    assert document["database"]["write_age_s"] < 2.5


def test_a_store_that_cannot_be_read_does_not_end_with_a_wrong_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    world = primary()
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "state", _broken_store)
        with pytest.raises(LocalFailure):
            world.loop.tick()
    world.run(2)
    assert not world.database.read_only


def _broken_store() -> NodeState:
    raise LocalFailure("store-failed", "The Node Store Failed")


def test_an_alarm_that_cannot_be_stored_does_not_hold_up_what_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = primary()
    world.database.write_failure = LocalFailure("database-timeout", "The Disk Is Full")
    monkeypatch.setattr(world.store, "raise_alarm", _full)
    world.run(5)
    assert world.machine.commands[:2] == [("kill", "mariadb"), ("start", "mariadb")]


def test_an_isolated_primary_is_closed_even_if_the_fence_cannot_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = primary()
    monkeypatch.setattr(world.store, "change_state", _full)
    world.lose_peer()
    world.pinger.answering.clear()
    world.run(3)
    assert world.state.fence is None
    assert world.database.read_only


def _full(*_arguments: object) -> None:
    raise LocalFailure("store-failed", "The Node Store Failed", detail="database or disk is full")


def test_after_a_job_has_changed_the_role_the_database_is_looked_at_before_anything_is_decided() -> None:
    world = primary()
    world.decisions.clear()
    world.database.fence(1.0)
    world.store.change_state(lambda state: replace(state, role=Role.SECONDARY, term=2))
    world.report = report(role="primary", term=2, writable=True)
    world.database.start_replication(ReplicationSource("10.0.0.2", 3306, "replication", "secret"))
    world.run(3)
    assert "EnforceReadOnly:secondary-is-read-only" not in world.rules()


def test_waiting_for_the_standby_is_not_reported_as_a_failing_database() -> None:
    world = primary()
    world.databases.cut("alpha", "beta")
    world.run(6)
    assert world.snapshot()["report"]["database_failing_s"] == 0


def test_a_database_that_takes_no_write_is_reported_as_failing() -> None:
    world = primary()
    world.database.write_failure = LocalFailure("database-timeout", "The Disk Is Full")
    world.run(3)
    assert world.snapshot()["report"]["database_failing_s"] > 0
    assert world.snapshot()["report"]["database_ok"] is False
