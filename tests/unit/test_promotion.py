"""Becoming primary: the order of the steps, and how a promotion that was cut off is finished by another call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.core import moves
from app.core.acts import Cause
from app.core.errors import LocalFailure, PeerUnreachable
from app.core.roles import Role
from app.core.state import NodeState
from app.ports import Json
from jobs.steps import promotion
from jobs.steps.fencing import FENCE_PEER_WAIT_S
from tests.unit.pair_world import Killed, Server, World

HANGS_S = 30.0
DATABASE_STEPS = ("stop_receiver", "drain", "end_replication", "set_semi_sync", "probe_write", "lift")


@pytest.fixture
def world() -> World:
    made = World()
    made.pair()
    return made


def lose_primary(world: World) -> Server:
    """Alpha is gone with its database; beta is what is left."""
    world.alpha.database.stop()
    world.cut()
    return world.beta


def test_the_steps_come_in_the_order_that_loses_nothing(world: World) -> None:
    beta = lose_primary(world)
    beta.database.calls.clear()
    promoted = promotion.promote(beta.node, Cause.FAILOVER)
    assert beta.database.calls == ["stop_receiver", "end_replication", "set_semi_sync False", "lift"]
    assert promoted.state.term == 2
    assert promoted.point
    assert beta.look()["writable"]
    assert beta.store.config().applied["HAServerRole"] == "primary"
    assert [event.parameters for event in beta.store.events()] == [("Failover", "beta", "alpha")]


def test_the_term_is_durable_before_the_database_is_touched_and_the_point_before_it_opens(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    beta = lose_primary(world)
    seen: dict[str, NodeState] = {}
    for name in ("stop_receiver", "lift"):
        original = getattr(beta.database, name)

        def noted(name: str = name, original: Callable[[], Any] = original) -> Any:
            seen.setdefault(name, beta.store.state())
            return original()

        monkeypatch.setattr(beta.database, name, noted)
    promotion.promote(beta.node, Cause.FAILOVER)
    begun, opened = seen["stop_receiver"], seen["lift"]
    assert (begun.role, begun.term) == (Role.PRIMARY, 2)
    assert moves.promotion_unfinished(begun)
    assert begun.standby_out
    assert opened.promotion is not None
    assert opened.promotion.point is not None


@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("name", DATABASE_STEPS)
def test_a_promotion_that_was_cut_off_is_finished_by_another_call(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    beta = lose_primary(world)
    original = getattr(beta.database, name)

    def cut_off(*arguments: Any, **named: Any) -> Any:
        if after:
            original(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(beta.database, name, cut_off)
        with pytest.raises(Killed):
            promotion.promote(beta.node, Cause.FAILOVER)
    promotion.promote(beta.node, Cause.FAILOVER, term=2)
    promotion.settle(beta.node)
    state = beta.store.state()
    assert (state.term, state.fence) == (2, None)
    assert beta.look()["writable"]
    assert beta.database.rows() == {10}
    assert len(beta.store.events()) == 1


def test_a_drain_that_is_not_finished_leaves_the_intent_and_opens_nothing(world: World) -> None:
    world.beta.database.applier_paused = True
    world.alpha.database.open_client().write(11)
    beta = lose_primary(world)
    with pytest.raises(LocalFailure) as refused:
        promotion.promote(beta.node, Cause.FAILOVER)
    assert refused.value.code == "drain-timeout"
    assert moves.promotion_unfinished(beta.store.state())
    assert not beta.look()["writable"]
    beta.database.applier_paused = False
    promotion.promote(beta.node, Cause.FAILOVER)
    assert beta.database.rows() == {10, 11}
    assert beta.look()["writable"]


def test_a_peer_that_hangs_holds_the_promotion_up_for_a_moment_only(world: World) -> None:
    beta = lose_primary(world)
    beta.peer.reachable = True

    asked, release, given_up = threading.Event(), threading.Event(), threading.Event()

    def hang(_body: Json) -> Json:
        asked.set()
        release.wait(HANGS_S)
        given_up.set()
        raise PeerUnreachable("peer-timeout", "No Answer")

    beta.peer.verbs["fence"] = hang
    world.network.heal()
    promotion.promote(beta.node, Cause.FAILOVER)
    assert beta.look()["writable"]
    assert not given_up.is_set()
    assert asked.wait(HANGS_S)
    release.set()
    assert given_up.wait(HANGS_S)
    assert FENCE_PEER_WAIT_S < 0.2


def test_a_primary_that_lives_is_fenced_and_its_last_rows_are_fetched_by_a_takeover(world: World) -> None:
    world.beta.database.receiving = False
    world.alpha.database.set_semi_sync(enabled=False)
    world.alpha.database.open_client().write(11)
    world.beta.database.receiving = True
    promotion.promote(world.beta.node, Cause.TAKEOVER)
    assert world.beta.database.rows() == {10, 11}
    assert not world.alpha.look()["writable"]


def test_in_protection_commits_wait_from_the_first_moment(world: World) -> None:
    for server in (world.alpha, world.beta):
        server.store.save_applied({**server.store.config().applied, "HAProtectionMode": "protection"})
    beta = lose_primary(world)
    promotion.promote(beta.node, Cause.FAILOVER)
    assert beta.database.semi_sync
    assert not beta.store.state().standby_out


def test_a_guard_forbids_the_promotion_before_anything_is_written(world: World) -> None:
    before = world.look()

    def forbid(_state: NodeState) -> None:
        raise LocalFailure("forbidden", "Not Now")

    with pytest.raises(LocalFailure, match="Not Now"):
        promotion.promote(world.beta.node, Cause.SWAP, guard=forbid)
    assert world.look() == before


def test_the_event_is_recorded_by_whoever_starts_next_if_the_node_died_right_after_opening(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    beta = lose_primary(world)
    with monkeypatch.context() as patch:
        patch.setattr(promotion, "settle", _killed)
        with pytest.raises(Killed):
            promotion.promote(beta.node, Cause.FAILOVER)
    assert beta.store.events() == []
    for _ in range(2):
        promotion.settle(beta.node)
    assert len(beta.store.events()) == 1
    assert beta.store.config().applied["HAServerRole"] == "primary"


def _killed(_node: object) -> None:
    raise Killed
