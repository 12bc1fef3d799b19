"""What the other server may ask for: each verb changes only what it says, whatever it is sent, and may be repeated."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.errors import HapairError, InvalidInput, NotAllowed
from app.core.roles import Role
from app.core.state import FenceReason, Operation, Phase
from app.ports import Json
from jobs.monitor.report import read_report
from jobs.peer import pairing
from jobs.peer.verbs import ANNOUNCEMENT_MAX, VERBS
from tests.unit.pair_world import Server, World

HOSTILE = (None, True, -1, 1.5, float("1e308"), "", "x" * 5000, "\u2028", [], {}, [[]], {"a": 1}, "2026-13-45")
NAMES = ("term", "job_id", "pair_id", "kind", "until", "reason", "position", "timeout_s", "facts", "fields", "shared")


@pytest.fixture
def world() -> World:
    made = World()
    made.pair()
    return made


def ask(server: Server, verb: str, body: Json) -> Json:
    return VERBS[verb](server.node, body)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_hostile_bodies_are_refused_or_change_nothing(world: World, verb: str) -> None:
    before = world.look()
    for name, value in itertools.product(NAMES, HOSTILE):
        for server in (world.alpha, world.beta):
            body = {"term": 0, "job_id": "job", "kind": "", "reason": "r", "position": "", "timeout_s": 0, name: value}
            with suppress(HapairError):
                assert isinstance(ask(server, verb, body), dict)
    assert world.look() == before


def test_a_heartbeat_is_understood_by_the_other_monitor(world: World) -> None:
    world.beta.machine.publish("monitor", {})
    for server in (world.alpha, world.beta):
        report = read_report(ask(server, "heartbeat", {"term": 1}))
        assert report.node_id == server.store.state().node_id
        assert report.role is server.store.state().role
        assert report.term == 1
        assert not report.eligible
        assert not report.database_ok


def test_a_heartbeat_tells_the_durable_state_of_this_moment_and_the_age_of_the_rest(world: World) -> None:
    world.beta.be_seen_as(eligible=True)
    world.clock.advance(7.0)
    world.alpha.store.change_state(lambda state: replace(state, term=9))
    assert ask(world.alpha, "heartbeat", {"term": 1})["term"] == 9
    assert ask(world.beta, "heartbeat", {"term": 1})["monitor_age_s"] == 7.0


def test_a_fence_of_a_lower_or_the_same_term_is_not_obeyed(world: World) -> None:
    for term in (0, 1):
        ask(world.alpha, "fence", {"term": term, "reason": "failover"})
        assert world.alpha.look()["writable"]
        assert world.alpha.look()["fence"] is None


def test_a_fence_of_a_higher_term_is_durable_and_tells_the_position(world: World) -> None:
    for _ in range(2):
        reply = ask(world.alpha, "fence", {"term": 2, "reason": "failover"})
        assert reply["position"] == world.alpha.database.facts().position
    state = world.alpha.store.state()
    assert state.fence is not None
    assert state.fence.reason is FenceReason.SUPERSEDED
    assert state.term == 1
    assert not world.alpha.look()["writable"]


def test_an_announcement_is_bounded_and_ended_only_by_its_own_job(world: World) -> None:
    until = (world.clock.now() + timedelta(days=9)).isoformat()
    ask(world.beta, "announce", {"kind": "maintenance", "job_id": "one", "until": until})
    operation = world.beta.store.state().operation
    assert operation == Operation("one", "maintenance", world.clock.now() + ANNOUNCEMENT_MAX)
    ask(world.beta, "announce", {"kind": "", "job_id": "other"})
    assert world.beta.store.state().operation == operation
    ask(world.beta, "announce", {"kind": "", "job_id": "one"})
    assert world.beta.store.state().operation is None


def test_an_announcement_does_not_replace_a_job_that_is_under_way(world: World) -> None:
    swap = Operation("job", "swap", world.clock.now() + timedelta(seconds=60))
    until = (world.clock.now() + timedelta(days=9)).isoformat()
    world.beta.store.change_state(lambda state: replace(state, operation=swap))
    ask(world.beta, "announce", {"kind": "stopping", "job_id": "one", "until": until})
    assert world.beta.store.state().operation == swap
    world.clock.advance(60)
    ask(world.beta, "announce", {"kind": "stopping", "job_id": "one", "until": until})
    assert world.beta.store.state().operation == Operation("one", "stopping", world.clock.now() + ANNOUNCEMENT_MAX)


@pytest.mark.parametrize("verb", ["join-begin", "join-done", "join-abort", "leave", "left"])
def test_another_pair_is_not_served(world: World, verb: str) -> None:
    before = world.look()
    for server in (world.alpha, world.beta):
        with pytest.raises((NotAllowed, InvalidInput)):
            ask(server, verb, {"pair_id": "of another pair", "facts": {}})
    assert world.look() == before


def test_a_primary_is_not_dismissed(world: World) -> None:
    with pytest.raises(NotAllowed) as refused:
        ask(world.alpha, "leave", {"pair_id": world.alpha.store.state().pair_id})
    assert refused.value.code == "not-secondary"


def test_keys_are_not_forgotten_while_the_pair_exists(world: World) -> None:
    for server in (world.alpha, world.beta):
        with pytest.raises(NotAllowed) as refused:
            ask(server, "forget", {})
        assert refused.value.code == "still-paired"
        assert server.keys.pinned is not None


def test_leaving_may_be_repeated(world: World) -> None:
    body = {"pair_id": world.beta.store.state().pair_id, "position": world.alpha.database.facts().position}
    assert ask(world.beta, "leave", body) == ask(world.beta, "leave", body) == {"left": True}
    assert world.beta.look()["writable"]


def test_a_swap_that_was_not_prepared_or_was_given_up_is_not_carried_out(world: World) -> None:
    promote = {"job_id": "job", "term": 2, "position": "", "timeout_s": 1}
    with pytest.raises(NotAllowed) as refused:
        ask(world.beta, "swap-promote", promote)
    assert refused.value.code == "swap-over"
    until = (world.clock.now() + timedelta(seconds=60)).isoformat()
    ask(world.beta, "swap-prepare", {"job_id": "job", "term": 1, "until": until})
    assert ask(world.beta, "swap-abort", {"job_id": "job", "term": 2}) == {"promoted": False}
    with pytest.raises(NotAllowed) as refused:
        ask(world.beta, "swap-promote", promote)
    assert refused.value.code == "swap-over"
    assert world.beta.store.state().role is Role.SECONDARY


def test_a_swap_that_was_given_up_is_not_prepared_again_by_a_request_that_comes_once_more(world: World) -> None:
    until = (world.clock.now() + timedelta(seconds=60)).isoformat()
    prepare = {"job_id": "job", "term": 1, "until": until}
    ask(world.beta, "swap-prepare", prepare)
    ask(world.beta, "swap-abort", {"job_id": "job", "term": 2})
    with pytest.raises(NotAllowed) as refused:
        ask(world.beta, "swap-prepare", prepare)
    assert refused.value.code == "swap-over"
    assert world.beta.store.state().operation is None
    ask(world.beta, "swap-prepare", {**prepare, "job_id": "another"})


def test_a_prepared_swap_that_comes_too_late_is_not_carried_out(world: World) -> None:
    until = (world.clock.now() + timedelta(seconds=60)).isoformat()
    ask(world.beta, "swap-prepare", {"job_id": "job", "term": 1, "until": until})
    world.clock.advance(61)
    with pytest.raises(NotAllowed) as refused:
        ask(world.beta, "swap-promote", {"job_id": "job", "term": 2, "position": "", "timeout_s": 1})
    assert refused.value.code == "swap-over"


def test_a_swap_is_prepared_only_for_the_term_that_both_know(world: World) -> None:
    until = (world.clock.now() + timedelta(seconds=60)).isoformat()
    for term in (0, 2):
        with pytest.raises(NotAllowed) as refused:
            ask(world.beta, "swap-prepare", {"job_id": "job", "term": term, "until": until})
        assert refused.value.code == "not-secondary"


def test_scripts_and_roles_are_never_taken_from_the_other_server(world: World) -> None:
    before = world.beta.store.config().applied
    fields = {
        "HAAdminAlertScript": "rm -rf /",
        "HAServerRole": "primary",
        "HAPingIterations": 7,
        "HAFileSyncInterval": 99,
    }
    ask(world.beta, "settings", {"fields": fields})
    after = world.beta.store.config().applied
    assert {name: value for name, value in after.items() if before.get(name) != value} == {"HAPingIterations": 7}


@pytest.mark.parametrize("body", [{}, {"pair_id": 1}, {"pair_id": "0" * 32}, {"pair_id": "../../etc", "address": "x"}])
def test_a_pairing_request_that_is_not_whole_changes_nothing(body: Json) -> None:
    world = World()
    world.save_drafts()
    before = world.look()
    with pytest.raises(HapairError):
        pairing.answer(world.beta.node, "pair", body)
    assert world.look() == before


def test_a_server_that_does_not_wait_answers_no_pairing_request() -> None:
    world = World()
    for verb in ("facts", "pair"):
        with pytest.raises(NotAllowed) as refused:
            pairing.answer(world.beta.node, verb, {})
        assert refused.value.code == "pairing-refused"
    world.pair()
    with pytest.raises(NotAllowed):
        pairing.answer(world.beta.node, "facts", {})
    assert world.beta.store.state().phase is Phase.PAIRED
