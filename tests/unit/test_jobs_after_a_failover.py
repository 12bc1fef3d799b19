"""The jobs that follow a failover, or do what none did: takeover, rejoin, resume."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.acts import Cause
from app.core.plans import REJOIN, RESUME
from app.core.roles import Change, Role
from app.core.state import FenceReason, Phase
from jobs.steps import fencing, promotion
from tests.unit.pair_world import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_takeover_by_hand_fences_the_old_primary(world: World) -> None:
    world.pair()
    world.beta.draft(Role.PRIMARY)
    job = world.beta.apply(Change.TAKEOVER)
    assert job.state == "succeeded", job
    assert world.beta.look()["writable"]
    assert world.beta.store.state().term == 2
    assert world.alpha.look()["fence"] == FenceReason.SUPERSEDED.value
    assert not world.alpha.look()["writable"]


def test_a_secondary_that_is_still_copying_can_not_take_over(world: World) -> None:

    world.pair()
    world.beta.store.change_state(lambda state: replace(state, phase=Phase.SYNCHRONIZING))
    world.beta.draft(Role.PRIMARY)
    job = world.beta.apply(Change.TAKEOVER)
    assert job.error is not None
    assert job.error["code"] == "not-synchronized"


def test_an_old_primary_that_is_not_ahead_rejoins_by_following(world: World) -> None:
    world.pair()
    world.beta.draft(Role.PRIMARY)
    world.beta.apply(Change.TAKEOVER)
    job = world.alpha.apply(REJOIN)
    assert job.state == "succeeded", job
    assert world.alpha.look()["role"] == "secondary"
    assert world.alpha.look()["replicates from"] == "10.0.0.2"
    assert world.alpha.store.config().applied["HAServerRole"] == "secondary"
    world.beta.database.open_client().write(13)
    world.network.settle()
    assert 13 in world.alpha.database.rows()


@pytest.mark.parametrize("ddl", [False, True], ids=["rows", "a new table"])
def test_what_only_the_old_primary_has_is_rescued_before_it_rejoins(world: World, ddl: bool) -> None:
    world.pair()
    world.cut()
    world.alpha.database.set_semi_sync(enabled=False)
    world.alpha.database.open_client().write(99)
    if ddl:
        world.alpha.database.commit("app.more", "", "", ddl=True)
    promotion.promote(world.beta.node, Cause.FAILOVER)
    world.heal()
    fencing.accept_fence(world.alpha.node, 2, "failover")
    job = world.alpha.apply(REJOIN)
    assert job.state == "succeeded", job
    assert job.memory["rescued"] >= 1
    assert job.memory["path"] == ("reseed" if ddl else "rewind")
    assert world.alpha.database.rows() == {10}
    assert world.alpha.look()["replicates from"] == "10.0.0.2"


@pytest.mark.parametrize("ahead", [False, True], ids=["the same rows", "more rows"])
def test_files_that_only_the_old_primary_has_are_kept_with_its_rescue(world: World, ahead: bool) -> None:
    world.pair()
    world.cut()
    world.alpha.mirror.write("only-here", b"alpha's")
    world.alpha.mirror.write("alpha.txt", b"changed by alpha alone")
    if ahead:
        world.alpha.database.set_semi_sync(enabled=False)
        world.alpha.database.open_client().write(99)
    promotion.promote(world.beta.node, Cause.FAILOVER)
    world.heal()
    fencing.accept_fence(world.alpha.node, 2, "failover")
    job = world.alpha.apply(REJOIN)
    assert job.state == "succeeded", job
    world.beta.mirror.peer = world.alpha.mirror
    world.beta.mirror.push(2, full=True)
    assert world.alpha.mirror.files == world.beta.mirror.files
    kept = world.alpha.mirror.replaced[job.memory["rescue"]]
    assert kept == {"only-here": b"alpha's", "alpha.txt": b"changed by alpha alone"}
    world.beta.mirror.write("alpha.txt", b"an ordinary change")
    world.beta.mirror.push(2, full=True)
    assert world.alpha.mirror.replaced == {job.memory["rescue"]: kept}


def test_a_fenced_primary_is_resumed_by_hand(world: World) -> None:
    world.pair()
    world.cut()
    fencing.fence_self(world.alpha.node, FenceReason.PEER_UNKNOWN)
    job = world.alpha.apply(RESUME)
    assert job.state == "succeeded", job
    assert world.alpha.look()["writable"]
    assert world.alpha.store.state().standby_out


def test_a_superseded_primary_is_not_resumed(world: World) -> None:
    world.pair()
    fencing.fence_self(world.alpha.node, FenceReason.SUPERSEDED)
    job = world.alpha.apply(RESUME)
    assert job.error is not None
    assert job.error["code"] == "not-resumable"
