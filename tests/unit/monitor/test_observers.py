"""Pings, heartbeats and looks at the database: what each leaves on the board."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core import moves
from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import FenceReason
from app.ports import Actor, ReplicationSource
from jobs.monitor.duty import Grid
from jobs.monitor.nearmiss import NearMisses
from jobs.monitor.report import read_report
from tests.unit.monitor.world import GATEWAY, PEER, World, report


def test_failed_pings_are_counted_until_one_answers() -> None:
    world = World(Role.SECONDARY)
    del world.pinger.answering["10.0.0.2"]
    for expected in (1, 2, 3):
        world.pings.step()
        assert world.board.read().network.peer_missed == expected
        world.clock.advance(1)
    world.pinger.answering["10.0.0.2"] = 0.3
    world.pings.step()
    assert world.board.read().network.peer_missed == 0
    assert world.board.read().near_miss is not None
    assert world.board.read().near_miss["missed"] == 3  # type: ignore[index]


def missed_when_the_third_answer_takes(world: World, round_trip_ms: float) -> list[int]:
    """Failed pings in a row after each round: one answered, two not at all, one answered late."""
    missed = []
    for answering in (0.3, None, None, round_trip_ms):
        world.pinger.answering.pop("10.0.0.2", None)
        if answering is not None:
            world.pinger.answering["10.0.0.2"] = answering
        world.pings.step()
        missed.append(world.board.read().network.peer_missed)
        world.clock.advance(1)
    return missed


def test_the_ping_that_ends_the_window_waits_no_longer_than_answers_usually_take() -> None:
    assert missed_when_the_third_answer_takes(World(Role.SECONDARY), 150.0) == [0, 1, 2, 0]
    assert missed_when_the_third_answer_takes(World(Role.SECONDARY), 300.0) == [0, 1, 2, 3]


def test_where_the_gateway_is_slow_the_ping_that_ends_the_window_waits_longer() -> None:
    world = World(Role.SECONDARY)
    world.pinger.answering[GATEWAY] = 40.0
    assert missed_when_the_third_answer_takes(world, 300.0) == [0, 1, 2, 0]


def test_a_ping_is_sent_only_at_its_point_of_the_grid() -> None:
    world = World(Role.SECONDARY)
    world.pings.step()
    world.clock.advance(0.4)
    assert world.pings.step() == pytest.approx(0.6)
    assert world.pinger.rounds == 1


def test_the_others_are_asked_beside_the_grid_without_counting_for_the_peer() -> None:
    world = World(Role.PRIMARY)
    del world.pinger.answering["10.0.0.2"]
    world.pings.step()
    world.clock.advance(0.4)
    world.pings.ask_others()
    world.pings.step()
    network = world.board.read().network
    assert (network.peer_missed, network.gateway_answers, network.sequence) == (1, True, 1)
    assert network.others_answered_s == world.clock.monotonic()


def test_another_peer_begins_with_a_clean_count() -> None:
    world = World(Role.SECONDARY)
    del world.pinger.answering["10.0.0.2"]
    world.pings.step()
    world.store.change_state(lambda state: replace(state, peer=replace(PEER, address="10.0.0.9")))
    world.pinger.answering["10.0.0.9"] = 0.5
    world.loop.tick()
    world.pings.step()
    assert world.board.read().network.peer_missed == 0


@pytest.mark.parametrize("length_s", [0.0, 0.3, 0.99])
def test_the_grid_does_not_drift_with_the_length_of_the_steps(length_s: float) -> None:
    grid = Grid()
    now_s = 100.0
    for point in range(50):
        now_s += grid.wait_s(now_s, 1.0)
        assert now_s == pytest.approx(100.0 + point)
        now_s += length_s
        grid.served(now_s)


def test_the_grid_leaves_out_points_that_were_missed() -> None:
    grid = Grid()
    assert grid.wait_s(100.0, 1.0) == 0
    grid.served(104.5)
    assert grid.wait_s(104.5, 1.0) == pytest.approx(0.5)


def test_near_misses_are_durable_and_forgotten_after_a_day() -> None:
    world = World()
    now = world.clock.now()
    misses = NearMisses(world.node)
    misses.note(2, now)
    misses.note(0, now)
    again = NearMisses(world.node)
    assert again.note(1, now + timedelta(hours=1)) == {"missed": 2, "at": now.isoformat()}
    assert again.note(0, now + timedelta(hours=26)) is None


def test_a_heartbeat_of_another_node_counts_for_nothing() -> None:
    world = World(Role.SECONDARY)
    world.report = report(node_id="stranger")
    world.heartbeat.step()
    finding = world.board.read().peer
    assert finding.report is None
    assert "stranger" in finding.error


def test_the_peer_is_told_once_that_this_server_is_back() -> None:
    world = World(Role.SECONDARY)
    for _ in range(5):
        world.heartbeat.step()
        world.clock.advance(1)
    assert [verb for verb, _ in world.peer.requests].count("announce") == 1


def test_the_last_report_stays_when_the_peer_falls_silent() -> None:
    world = World(Role.SECONDARY)
    world.heartbeat.step()
    world.peer.reachable = False
    world.clock.advance(7)
    world.heartbeat.step()
    finding = world.board.read().peer
    assert finding.report is not None
    assert finding.age_s(world.clock.monotonic()) == 7
    assert finding.error != ""


@pytest.mark.parametrize(
    "broken",
    [
        {"role": "king"},
        {"term": -1},
        {"term": True},
        {"term": "1"},
        {"fence": "because"},
        {"writable": "yes"},
        {"position": ["0-1-1"]},
        {"position": "x" * 5000},
        {"database_failing_s": -1},
        {"monitor_age_s": float("inf")},
        {"promotion_term": "2"},
        {"hostname": None},
    ],
)
def test_a_malformed_report_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="heartbeat"):
        read_report(report(**broken))


def test_a_report_is_read_back_as_it_was_written() -> None:
    found = read_report(report(fence="handover", term=7, promotion_point="0-1-2", promotion_term=7, stopping=True))
    assert found.fence is FenceReason.HANDOVER
    assert (found.term, found.promotion_point, found.stopping) == (7, "0-1-2", True)


def test_failed_looks_at_the_database_keep_the_last_facts_and_say_since_when() -> None:
    world = World()
    world.looks.step()
    world.database.stop()
    world.clock.advance(3)
    world.looks.step()
    world.clock.advance(3)
    world.looks.step()
    found = world.board.read().database
    assert found.facts is not None
    assert found.error_code == "database-down"
    assert found.report(world.clock.monotonic()).facts_age_s == 6


def test_write_probes_run_on_the_open_primary_only() -> None:
    world = World(Role.PRIMARY)
    world.looks.step()
    world.writes.step()
    assert world.board.read().database.write_started_s is None
    world.database.lift()
    world.clock.advance(1)
    world.looks.step()
    world.writes.step()
    assert world.board.read().database.write_started_s == world.clock.monotonic()


def test_a_primary_that_goes_on_alone_is_probed_without_a_trace_in_its_history() -> None:
    world = World(Role.PRIMARY)
    world.database.lift()
    world.looks.step()
    world.store.change_state(lambda state: moves.record_standby_out(state, world.clock.now()))
    world.board.put(situation=replace(world.board.read().situation, state=world.state))
    world.database.ensure_accounts()
    before = world.database.facts().position
    world.writes.step()
    assert world.board.read().database.write_started_s == world.clock.monotonic()
    assert world.database.facts().position == before


def test_failing_writes_are_counted_from_the_first_and_forgotten_after_the_first_good_one() -> None:
    world = World(Role.PRIMARY)
    world.database.lift()
    world.looks.step()
    world.database.write_failure = LocalFailure("database-timeout", "The Disk Is Full")
    for _ in range(3):
        world.writes.step()
        world.clock.advance(1)
    assert world.board.read().database.report(world.clock.monotonic()).write_failing_s == 3
    world.database.write_failure = None
    world.writes.step()
    assert world.board.read().database.report(world.clock.monotonic()).write_failing_s == 0


def test_a_write_that_waits_for_the_standby_only_is_no_fault_of_the_database() -> None:
    world = World(Role.PRIMARY)
    world.database.lift()
    world.database.set_semi_sync(enabled=True)
    world.looks.step()
    world.writes.step()
    found = world.board.read().database
    assert found.write_failing_since_s is None
    assert found.write_started_s is None
    assert "Standby" in found.write_error


def test_the_stream_was_alive_when_the_relay_log_was_written_last() -> None:
    world = secondary_of_a_writable_primary()
    world.looks.step()
    world.clock.advance(0.2)
    world.other.commit("app.rows", "1", "1")
    written_s = world.clock.monotonic()
    world.clock.advance(0.8)
    world.looks.step()
    assert world.board.read().database.stream_alive_s == pytest.approx(written_s)


def test_a_stream_of_heartbeats_alone_was_alive_somewhere_between_two_looks() -> None:
    world = secondary_of_a_writable_primary()
    world.other.commit("app.rows", "1", "1")
    world.looks.step()
    world.clock.advance(1)
    world.looks.step()
    world.clock.advance(1)
    world.database.heartbeats += 1
    world.looks.step()
    assert world.board.read().database.stream_alive_s == pytest.approx(world.clock.monotonic() - 0.5)


def secondary_of_a_writable_primary() -> World:
    world = World(Role.SECONDARY)
    world.report = report(role="primary", writable=True)
    world.other.lift()
    world.other.ensure_accounts("secret")
    world.database.start_replication(ReplicationSource("10.0.0.2", 3306, "replication", "secret"))
    world.heartbeat.step()
    world.peer_probe.step()
    return world


def test_the_primarys_database_is_probed_rarely_while_all_is_well() -> None:
    world = secondary_of_a_writable_primary()
    first_s = world.board.read().peer_probe.ended_s
    for _ in range(20):
        world.clock.advance(1)
        world.heartbeat.step()
        world.peer_probe.step()
    assert world.board.read().peer_probe.ok is True
    assert world.board.read().peer_probe.ended_s == first_s


@pytest.mark.parametrize("doubt", ["ping", "heartbeat", "report"])
def test_any_doubt_about_the_primary_is_followed_by_a_probe_at_once(doubt: str) -> None:
    world = secondary_of_a_writable_primary()
    world.clock.advance(2)
    if doubt == "ping":
        del world.pinger.answering["10.0.0.2"]
    elif doubt == "heartbeat":
        world.peer.reachable = False
    else:
        world.report = report(role="primary", database_ok=False, database_failing_s=1.0)
    world.databases.cut("alpha", "beta")
    world.heartbeat.step()
    world.pings.step()
    world.peer_probe.step()
    probe = world.board.read().peer_probe
    assert (probe.ok, probe.ended_s) == (False, world.clock.monotonic())


def test_a_job_that_never_ends_does_not_stop_the_write_probes() -> None:
    world = World(Role.PRIMARY)
    world.database.lift()
    world.store.create_job("settings", {}, [], Actor("admin"))
    world.clock.advance(1)
    world.loop.tick()
    world.looks.step()
    world.writes.step()
    assert world.board.read().database.write_started_s == world.clock.monotonic()
