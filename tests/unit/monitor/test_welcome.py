"""The pairing listener exists exactly while a standalone server waits to become secondary."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.roles import Role
from app.ports import Actor
from jobs.monitor.services import ServiceDuty
from jobs.monitor.welcome import REFUSALS_NOTED_MAX, WelcomeDuty
from tests.unit.monitor.world import PEER, World

FINGERPRINT = "SHA256:" + "A" * 43
DRAFT = {"HAServerRole": "secondary", "HAPeerFingerprint": FINGERPRINT}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def duty(world: World) -> WelcomeDuty:
    return WelcomeDuty(world.node, world.board)


def listening(world: World) -> list[str]:
    return [listener.fingerprint for listener in world.listeners.listeners.values()]


def save(world: World, draft: dict[str, str] | None) -> None:
    world.store.save_draft(draft, None, Actor("admin"))


def test_the_listener_follows_the_draft(world: World, duty: WelcomeDuty) -> None:
    duty.step()
    assert listening(world) == []
    save(world, DRAFT)
    duty.step()
    assert listening(world) == [FINGERPRINT]
    other = "SHA256:" + "B" * 43
    save(world, {**DRAFT, "HAPeerFingerprint": other})
    duty.step()
    assert listening(world) == [other]
    save(world, None)
    duty.step()
    assert listening(world) == []


@pytest.mark.parametrize(
    "draft", [{"HAServerRole": "primary", "HAPeerFingerprint": FINGERPRINT}, {"HAServerRole": "secondary"}, {}]
)
def test_no_other_draft_opens_it(world: World, duty: WelcomeDuty, draft: dict[str, str]) -> None:
    save(world, draft)
    duty.step()
    assert listening(world) == []


def test_a_server_of_a_pair_never_listens() -> None:
    world = World(Role.SECONDARY)
    save(world, DRAFT)
    WelcomeDuty(world.node, world.board).step()
    assert listening(world) == []


def test_a_used_value_is_used_up_until_the_primary_takes_the_pairing_back(world: World, duty: WelcomeDuty) -> None:
    save(world, DRAFT)
    duty.step()
    (listener,) = world.listeners.listeners.values()
    listener._retired = True
    world.store.change_state(lambda state: replace(state, peer=PEER))
    duty.step()
    assert listening(world) == []
    WelcomeDuty(world.node, world.board).step()
    assert listening(world) == []
    world.store.change_state(lambda state: replace(state, peer=None))
    duty.step()
    assert listening(world) == [FINGERPRINT]


def test_strangers_are_noted_up_to_a_bound(world: World, duty: WelcomeDuty) -> None:
    save(world, DRAFT)
    duty.step()
    (listener,) = world.listeners.listeners.values()
    for _ in range(3 * REFUSALS_NOTED_MAX):
        listener.refused("192.0.2.7", "wrong key")
    noted = world.store.activity(limit=1000)
    assert len(noted) == REFUSALS_NOTED_MAX
    assert noted[0].address == "192.0.2.7"


def test_a_database_that_stays_down_is_started_but_not_at_once(world: World) -> None:
    duty = ServiceDuty(world.node, world.board)
    world.database.stop()
    world.looks.step()
    duty.step()
    assert world.machine.commands == []
    world.clock.advance(6)
    world.looks.step()
    for _ in range(5):
        duty.step()
    assert world.machine.commands == [("start", "mariadb")]


def test_a_database_that_a_job_has_stopped_is_left_alone(world: World) -> None:
    duty = ServiceDuty(world.node, world.board)
    world.store.create_job("settings", {}, [], Actor("admin"))
    world.database.stop()
    world.looks.step()
    world.clock.advance(60)
    world.looks.step()
    world.loop.tick()
    duty.step()
    assert world.machine.commands == []
