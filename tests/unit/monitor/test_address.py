"""The monitor holds the virtual address where it belongs, says so, and tells the network again and again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.pairconfig import pair_config
from app.core.roles import Role
from app.core.state import Fence, FenceReason
from app.core.status import View, status
from app.core.virtual_address import parse
from app.ports import Json
from jobs.monitor.address import ANNOUNCE_EVERY_S, FIRST_ANNOUNCEMENTS, AddressDuty
from tests.unit.monitor.test_loop import primary, secondary
from tests.unit.monitor.world import World, report

TEXT = "10.0.0.50/24 dev eth0"


def with_address(world: World, text: str = TEXT) -> World:
    world.store.save_applied({**world.store.config().applied, "HAVirtualAddress": text})
    return world


def shown(world: World) -> Json | None:
    """The address as the status page shows it."""
    published = world.machine.published("monitor")
    assert published is not None
    config = pair_config(world.store.config().applied)
    view = View(world.state, config, published[0], published[1], world.clock.now())
    found: Json | None = status(view, hostname="alpha")["virtual_address"]
    return found


def test_a_primary_takes_the_address_and_says_so() -> None:
    world = with_address(primary())
    world.run(2)
    assert world.addresses.held() == (TEXT,)
    assert shown(world) == {"address": "10.0.0.50/24", "interface": "eth0", "held": True, "holders": ["alpha"]}
    assert world.snapshot()["report"]["holds_address"] is True


def test_a_secondary_shows_who_holds_it() -> None:
    world = with_address(secondary())
    world.report = report(role="primary", writable=True, semi_sync_active=True, eligible=False, holds_address=True)
    world.run(2)
    found = shown(world)
    assert found is not None
    assert (found["held"], found["holders"]) == (False, ["beta"])


def test_a_secondary_that_takes_over_takes_the_address_too() -> None:
    world = with_address(secondary())
    world.lose_peer()
    world.run(8)
    assert world.state.role is Role.PRIMARY
    assert world.addresses.held() == (TEXT,)


def test_a_fenced_primary_does_not_hold_the_address_whoever_fenced_it() -> None:
    world = with_address(primary())
    world.run(2)
    fence = Fence(FenceReason.CONFLICT, world.clock.now())
    world.store.change_state(lambda state: replace(state, fence=fence))
    world.run(2)
    assert world.addresses.held() == ()


def test_an_address_that_is_no_longer_configured_is_given_up() -> None:
    world = with_address(primary())
    world.run(2)
    with_address(world, "")
    world.run(2)
    assert world.addresses.held() == ()
    assert shown(world) is None


def test_an_address_that_can_not_be_taken_is_an_alarm() -> None:
    world = with_address(primary(), "10.0.0.50/24 dev eth9")
    world.run(10)
    assert "virtual-address" in {each.code for each in world.store.alarms()}
    world.addresses.interfaces = ("eth9",)
    world.run(15)
    assert "virtual-address" not in {each.code for each in world.store.alarms()}


def test_a_server_without_a_virtual_address_never_asks_for_one() -> None:
    world = primary()
    world.addresses.failing = True
    world.run(3)
    assert world.snapshot()["address"] == {"wanted": None, "held": None}


def test_the_network_is_told_often_at_first_and_then_now_and_then() -> None:
    world = primary()
    duty = AddressDuty(world.node, world.board)
    assert duty.step() < ANNOUNCE_EVERY_S
    assert world.addresses.announced == []
    world.addresses.take(parse(TEXT))
    with_address(world)
    world.run(2)
    world.addresses.announced.clear()
    pauses = [duty.step() for _ in range(FIRST_ANNOUNCEMENTS)]
    assert pauses[:-1] == pytest.approx([pauses[0]] * (FIRST_ANNOUNCEMENTS - 1))
    assert pauses[0] < pauses[-1] == ANNOUNCE_EVERY_S
    assert world.addresses.announced == [TEXT] * FIRST_ANNOUNCEMENTS
