"""How a virtual address is written, where it may be, which node holds it, and how it moves with the role."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core import config as configuration
from app.core.acts import ClearAlarm, GiveUpAddress, RaiseAlarm, TakeAddress
from app.core.checks import interfaces_of, virtual_address
from app.core.config import Surroundings, check
from app.core.errors import InvalidInput
from app.core.holder import ALARM, LATE_S
from app.core.roles import Change, Role
from app.core.state import FenceReason, Promotion
from app.core.virtual_address import LENGTH_MAX, Interface, clean_virtual_address, parse, read
from jobs import watchdog
from jobs.peer.verbs import VERBS
from tests.unit.pair_world import World
from tests.unit.situations import (
    CONFIG,
    NOW,
    PRIMARY,
    SECONDARY,
    alarm,
    database,
    fenced,
    kinds,
    primary_sees,
    secondary_sees,
    the,
    tick,
)

TEXT = "10.0.0.50/24 dev eth0"
ADDRESS = parse(TEXT)
WITH_ADDRESS = replace(CONFIG, virtual_address=ADDRESS)
INTERFACES = (Interface("eth0", ("192.0.2.1/24", "2001:db8::1/64")), Interface("eth1", ("198.51.100.1/28",)))
HERE = Surroundings(
    hostname="alpha", addresses=("192.0.2.1", "2001:db8::1", "198.51.100.1"), gateway="192.0.2.254",
    tunnel_network="", applied={"HAServerRole": "primary", "HAServerAddress": "192.0.2.1", "HAPeerAddress": "192.0.2.2",
                                "HAPeerFingerprint": "SHA256:" + "P" * 42 + "A"},
    interfaces=INTERFACES,
)  # fmt: skip


def faults(address: str, **changes: Any) -> list[str]:
    """What is wrong with the address beside the rest of a pair's configuration."""
    surroundings = replace(HERE, applied={**HERE.applied, **changes})
    try:
        check({**surroundings.applied, "HAVirtualAddress": clean_virtual_address(address)}, surroundings)
    except InvalidInput as error:
        return [sentence for sentences in error.errors.values() for sentence in sentences]
    return []


# --- how it is written --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("10.0.0.50/24 dev eth0", TEXT),
        (" 10.0.0.50/24   eth0 ", TEXT),
        ("2001:DB8:0::50/64 dev enp0s31f6.100", "2001:db8::50/64 dev enp0s31f6.100"),
        ("10.0.0.50/32 dev br-lan", "10.0.0.50/32 dev br-lan"),
        ("", None),
        ("nonsense", None),
        (None, None),
        (17, None),
    ],
)
def test_it_has_one_normal_form(written: Any, normal: str | None) -> None:
    found = read(written)
    assert (None if found is None else str(found)) == normal
    assert normal is None or len(normal) <= LENGTH_MAX


@pytest.mark.parametrize(
    "written",
    [
        "10.0.0.50", "10.0.0.50/24", "10.0.0.50 dev eth0", "10.0.0.50/33 dev eth0", "10.0.0.50/0 dev eth0",
        "10.0.0.0/24 dev eth0", "10.0.0.255/24 dev eth0", "127.0.0.1/8 dev lo", "0.0.0.0/8 dev eth0",
        "224.0.0.5/24 dev eth0", "169.254.1.1/16 dev eth0", "fe80::1/64 dev eth0", "::1/128 dev lo",
        "240.0.0.1/4 dev eth0",
        "10.0.0.50/24 dev this-name-is-too-long", "10.0.0.50/24 dev eth0; reboot", "10.0.0.50/24 dev -x",
        "10.0.0.50/24 dev eth0\n", "10.0.0.50/24 dev eth0\u0000", "1\u0660.0.0.5/24 dev eth0",
        "10.0.0.50/24 dev eth0 eth1",
    ],
)  # fmt: skip
def test_anything_else_is_refused(written: str) -> None:
    if written.endswith("\n"):
        assert clean_virtual_address(written.strip()) == TEXT
    with pytest.raises(ValueError, match=r"^M"):
        parse(written)


# --- where it may be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["192.0.2.50/24 dev eth0", "2001:db8::50/64 dev eth0", "198.51.100.5/28 dev eth1"])
def test_an_unused_address_of_a_subnet_of_this_server_is_accepted(address: str) -> None:
    peer = "beta.example.com" if "eth1" in address else "192.0.2.2"
    assert faults(address, HAPeerAddress=peer) == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("192.0.2.50/24 dev eth7", "does not have: eth7 (it has eth0, eth1)"),
        ("192.0.3.50/24 dev eth0", "a subnet that this server has on eth0: 192.0.2.0/24"),
        ("192.0.2.50/16 dev eth0", "a subnet that this server has on eth0"),
        ("192.0.2.50/24 dev eth1", "a subnet that this server has on eth1"),
        ("192.0.2.1/24 dev eth0", "different from HAServerAddress"),
        ("192.0.2.2/24 dev eth0", "different from HAPeerAddress"),
        ("192.0.2.254/24 dev eth0", "different from Gateway"),
        ("192.0.2.77/24 dev eth0", "different from HAPingMonitor2"),
        ("2001:db8::1/64 dev eth0", "an address of this server already"),
    ],
)
def test_an_address_that_could_not_work_is_refused_with_the_reason(address: str, sentence: str) -> None:
    assert sentence in " ".join(faults(address, HAPingMonitor2="192.0.2.77"))


def test_two_servers_in_two_subnets_have_no_virtual_address() -> None:
    found = " ".join(faults("192.0.2.50/24 dev eth0", HAPeerAddress="198.51.100.2"))
    assert "HAPeerAddress 198.51.100.2 is not in 192.0.2.0/24, and an address works in one subnet only." in found


def test_the_address_may_be_saved_again_while_this_server_holds_it() -> None:
    address = "192.0.2.50/24 dev eth0"
    holding = replace(
        HERE,
        addresses=(*HERE.addresses, "192.0.2.50"),
        interfaces=(Interface("eth0", ("192.0.2.1/24", "192.0.2.50/24")),),
        applied={**HERE.applied, "HAVirtualAddress": address},
    )
    check(holding.applied, holding)


def test_it_is_judged_only_where_it_has_an_effect() -> None:
    check({"HAServerRole": "standalone", "HAVirtualAddress": "192.0.9.50/24 dev eth9"}, HERE)


def test_both_servers_must_be_able_to_hold_it() -> None:
    own = (Interface("eth0", ("10.0.0.1/24",)),)
    assert virtual_address(ADDRESS, own, (Interface("eth0", ("10.0.0.2/24",)),)).result == "pass"
    other = virtual_address(ADDRESS, own, (Interface("eth0", ("10.0.1.2/24",)),))
    assert other.result == "fail"
    assert "Must be in a subnet that the other server has on eth0: 10.0.1.0/24." in other.detail


@pytest.mark.parametrize(
    "document", [None, {}, "eth0", [1], [{"name": 1, "networks": []}], [{"name": "eth0", "networks": "x"}]]
)
def test_what_a_peer_says_of_its_interfaces_is_not_trusted(document: Any) -> None:
    assert interfaces_of(document) == ()


def test_networks_of_a_peer_that_are_none_are_left_out() -> None:
    found = interfaces_of([{"name": "eth0", "networks": ["10.0.0.2/24", "x", 3, None]}])
    assert found == (Interface("eth0", ("10.0.0.2/24",)),)


# --- who holds it -------------------------------------------------------------------------------------------------


def test_the_writable_primary_takes_it() -> None:
    decision = tick(PRIMARY, primary_sees(held_addresses=()), config=WITH_ADDRESS)
    assert the(decision, TakeAddress).address == ADDRESS


def test_who_holds_it_rightly_does_nothing() -> None:
    assert kinds(tick(PRIMARY, primary_sees(held_addresses=(TEXT,)), config=WITH_ADDRESS)) == []


def test_a_primary_does_not_take_it_before_its_database_is_open() -> None:
    closed = database(primary_sees(held_addresses=()), read_only=True)
    silent = database(primary_sees(held_addresses=()), facts_age_s=60.0)
    for seen in (closed, silent):
        assert "TakeAddress" not in kinds(tick(PRIMARY, seen, config=WITH_ADDRESS))


def test_a_database_that_is_being_restarted_is_no_reason_to_give_it_up() -> None:
    closed = database(primary_sees(held_addresses=(TEXT,)), read_only=True)
    assert "GiveUpAddress" not in kinds(tick(PRIMARY, closed, config=WITH_ADDRESS))


def test_everybody_else_gives_it_up() -> None:
    promoting = replace(PRIMARY, promotion=Promotion(4, NOW, "failover"))
    nodes = [
        (fenced(PRIMARY, FenceReason.ISOLATED), primary_sees(held_addresses=(TEXT,))),
        (fenced(PRIMARY, FenceReason.SUPERSEDED), primary_sees(held_addresses=(TEXT,))),
        (promoting, primary_sees(held_addresses=(TEXT,))),
        (SECONDARY, secondary_sees(held_addresses=(TEXT,))),
        (replace(PRIMARY, role=Role.STANDALONE, peer=None), primary_sees(held_addresses=(TEXT,))),
    ]
    for state, seen in nodes:
        decision = tick(state, seen, config=WITH_ADDRESS)
        the(decision, GiveUpAddress)
        assert "TakeAddress" not in kinds(decision)


def test_an_address_that_is_no_longer_wanted_goes_before_the_new_one_comes() -> None:
    old = primary_sees(held_addresses=("10.0.0.40/24 dev eth0",))
    assert kinds(tick(PRIMARY, old, config=WITH_ADDRESS)) == ["GiveUpAddress"]
    assert kinds(tick(PRIMARY, old, config=CONFIG)) == ["GiveUpAddress"]


def test_nothing_is_done_while_it_is_not_known_what_is_held() -> None:
    assert kinds(tick(PRIMARY, primary_sees(held_addresses=None), config=WITH_ADDRESS)) == []


def test_an_address_that_can_not_be_taken_is_an_alarm_until_it_can() -> None:
    seen = primary_sees(held_addresses=())
    first = tick(PRIMARY, seen, config=WITH_ADDRESS)
    assert "RaiseAlarm" not in kinds(first)
    later = replace(seen, now_s=seen.now_s + LATE_S)
    assert the(tick(PRIMARY, later, first.memory, WITH_ADDRESS), RaiseAlarm).code == ALARM
    up = alarm(replace(later, held_addresses=(TEXT,)), ALARM)
    assert the(tick(PRIMARY, up, first.memory, WITH_ADDRESS), ClearAlarm).code == ALARM


# --- how it moves -------------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    """A pair with a virtual address that its primary alpha holds."""
    made = World()
    made.pair()
    for server in (made.alpha, made.beta):
        interfaces = (Interface("eth0", (f"{server.address}/24",)),)
        server.machine.current = replace(server.machine.current, interfaces=interfaces)
        applied = configuration.complete(server.store.config().applied)
        server.store.save_applied({**applied, "HAVirtualAddress": TEXT})
    made.alpha.addresses.take(ADDRESS)
    return made


def holders(world: World) -> tuple[bool, bool]:
    return bool(world.alpha.addresses.held()), bool(world.beta.addresses.held())


def test_a_swap_moves_it_and_the_old_primary_has_given_it_up_before(world: World) -> None:
    before: list[tuple[bool, bool]] = []
    verbs = world.alpha.peer.verbs
    promote = verbs["swap-promote"]

    def watched(body: dict[str, Any]) -> Any:
        before.append(holders(world))
        return promote(body)

    world.alpha.peer.verbs = {**verbs, "swap-promote": watched}
    assert world.alpha.apply(Change.SWAP).state == "succeeded"
    assert before == [(False, False)]
    assert holders(world) == (False, True)


def test_a_swap_that_is_undone_leaves_it_with_the_old_primary(world: World) -> None:
    world.beta.database.applier_paused = True
    world.alpha.database.open_client().write(11)
    world.network.settle()
    assert world.alpha.apply(Change.SWAP).state == "reverted"
    assert holders(world) == (True, False)


def test_a_takeover_takes_it_and_fences_the_other_server_first(world: World) -> None:
    assert world.beta.apply(Change.TAKEOVER).state == "succeeded"
    assert holders(world) == (False, True)


def test_a_primary_that_its_peer_fences_gives_it_up(world: World) -> None:
    VERBS["fence"](world.alpha.node, {"term": 9, "reason": "test"})
    assert holders(world) == (False, False)


def test_the_watchdog_gives_it_up_for_a_monitor_that_stands_still(world: World) -> None:
    watchdog.act(world.alpha.node, 170.0)
    assert holders(world) == (False, False)


def test_a_fence_gives_it_up_also_when_the_database_is_down(world: World) -> None:
    world.alpha.database.stop()
    watchdog.act(world.alpha.node, 170.0)
    assert holders(world) == (False, False)


def test_a_fence_holds_also_when_it_can_not_be_given_up(world: World) -> None:
    world.alpha.addresses.failing = True
    watchdog.act(world.alpha.node, 170.0)
    assert world.alpha.node.database.facts().read_only


def test_a_teardown_ends_it(world: World) -> None:
    assert world.alpha.apply(Change.TEARDOWN).state == "succeeded"
    assert holders(world) == (False, False)


def test_a_changed_address_is_refused_by_a_peer_that_could_not_hold_it(world: World) -> None:
    world.beta.machine.current = replace(world.beta.machine.current, interfaces=(Interface("eth0", ("10.0.9.2/24",)),))
    world.alpha.draft(Role.PRIMARY, HAVirtualAddress="10.0.0.60/24 dev eth0")
    draft = world.alpha.store.config().draft
    assert draft is not None
    job = world.alpha.apply(Change.SETTINGS, {"config": draft})
    assert job.state == "reverted", job
    assert job.error is not None
    assert "10.0.9.0/24" in str(job.error)
    assert world.alpha.store.config().applied["HAVirtualAddress"] == TEXT
    assert holders(world) == (True, False)


def test_an_address_that_is_taken_out_of_the_configuration_is_given_up(world: World) -> None:
    world.alpha.draft(Role.PRIMARY, HAVirtualAddress="")
    draft = world.alpha.store.config().draft
    assert draft is not None
    assert world.alpha.apply(Change.SETTINGS, {"config": draft}).state == "succeeded"
    assert holders(world) == (False, False)
    assert world.beta.store.config().applied["HAVirtualAddress"] == ""
