"""The duty that brings this node's journal into the common log: each entry once, and none lost."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from app.core.errors import PeerUnreachable
from app.core.roles import Role
from app.core.state import Fence, FenceReason
from app.ports import Actor, Json
from jobs.monitor.activity import VERIFY_S, ActivityDuty
from jobs.monitor.situation import SituationReader
from jobs.peer.verbs import VERBS
from tests.fakes.activity import FakeCommonLog
from tests.unit.monitor.world import PEER, World

DANA = Actor("dana", "192.0.2.7")
STEPS_MAX = 20


def act(world: World, *actions: str) -> None:
    for action in actions:
        world.store.add_activity(DANA, action, "done", {})


def settle(duty: ActivityDuty) -> None:
    """The duty has nothing more to do at once."""
    for _ in range(STEPS_MAX):
        if duty.step() > 0:
            return
    raise AssertionError("the duty never rests")


def numbers(log: FakeCommonLog, node_id: str = "node-a") -> list[int]:
    return [each.node_entry for each in log.stored if each.node_id == node_id]


@pytest.fixture
def standalone() -> World:
    return World()


def duty_of(world: World) -> ActivityDuty:
    return ActivityDuty(world.node, world.board)


def joined(role: Role = Role.SECONDARY) -> tuple[World, World]:
    """A secondary whose requests reach the real verbs of its primary."""
    secondary, primary = World(role), World(Role.PRIMARY)
    primary.store.change_state(
        lambda state: replace(state, node_id="node-b", peer=replace(PEER, node_id="node-a", hostname="alpha"))
    )
    secondary.peer.verbs["activity"] = partial(VERBS["activity"], primary.node)
    return secondary, primary


def test_a_standalone_server_brings_its_entries_in_once_and_in_order(standalone: World) -> None:
    act(standalone, "save", "apply")
    duty = duty_of(standalone)
    settle(duty)
    act(standalone, "swap")
    settle(duty)
    settle(duty_of(standalone))
    assert numbers(standalone.common_log) == [1, 2, 3]
    found = standalone.common_log.stored[0]
    assert (found.node_id, found.node, found.actor, found.action) == ("node-a", "alpha", "dana", "save")


def test_many_entries_go_in_batch_by_batch(standalone: World) -> None:
    act(standalone, *(f"act-{number}" for number in range(250)))
    settle(duty_of(standalone))
    assert numbers(standalone.common_log) == list(range(1, 251))


def test_with_nothing_new_the_database_is_asked_only_now_and_then(standalone: World) -> None:
    duty = duty_of(standalone)
    settle(duty)
    asked = standalone.common_log.calls
    for _ in range(10):
        duty.step()
    assert standalone.common_log.calls == asked
    standalone.clock.advance(VERIFY_S)
    duty.step()
    assert standalone.common_log.calls == asked + 1


def test_entries_wait_for_a_database_that_is_down_or_read_only(standalone: World) -> None:
    act(standalone, "save")
    duty = duty_of(standalone)
    standalone.common_log.down = True
    assert [duty.step() for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    standalone.common_log.down, standalone.common_log.read_only = False, True
    settle(duty)
    assert numbers(standalone.common_log) == []
    standalone.common_log.read_only = False
    settle(duty)
    assert numbers(standalone.common_log) == [1]


def test_nothing_is_written_while_fenced_or_while_a_job_runs() -> None:
    world = World(Role.PRIMARY, fence=Fence(FenceReason.ISOLATED, World().clock.now()))
    act(world, "save")
    duty = duty_of(world)
    settle(duty)
    assert world.common_log.calls == 0
    world.store.change_state(lambda state: replace(state, fence=None))
    job = world.store.create_job("settings", {}, (), DANA)
    world.board.put(situation=SituationReader(world.node).read(world.clock.monotonic()))
    settle(duty)
    assert world.common_log.calls == 0
    world.store.update_job(job.id, state="succeeded")
    world.board.put(situation=SituationReader(world.node).read(world.clock.monotonic() + 1))
    settle(duty)
    assert numbers(world.common_log) == [1]


def test_a_database_that_was_replaced_gets_all_entries_again(standalone: World) -> None:
    act(standalone, "save", "apply")
    duty = duty_of(standalone)
    settle(duty)
    standalone.common_log.stored.clear()
    standalone.clock.advance(VERIFY_S)
    settle(duty)
    assert numbers(standalone.common_log) == [1, 2]


def test_a_secondary_sends_its_entries_to_the_primary_alone() -> None:
    secondary, primary = joined()
    act(secondary, "swap")
    act(primary, "save")
    settle(duty_of(secondary))
    settle(duty_of(primary))
    assert numbers(secondary.common_log) == []
    assert numbers(primary.common_log, "node-a") == [1]
    assert numbers(primary.common_log, "node-b") == [1]
    assert primary.common_log.stored[0].at == secondary.store.activity()[0].at


def test_a_reply_that_got_lost_doubles_nothing() -> None:
    secondary, primary = joined()
    act(secondary, "swap", "save")
    answer = secondary.peer.verbs["activity"]

    def lost(body: Json) -> Json:
        answer(body)
        raise PeerUnreachable("peer-timeout", "The Other Server Did Not Answer In Time")

    duty = duty_of(secondary)
    secondary.peer.verbs["activity"] = lost
    settle(duty)
    secondary.peer.verbs["activity"] = answer
    settle(duty)
    assert numbers(primary.common_log) == [1, 2]


def test_what_a_failover_lost_is_brought_in_by_the_promoted_node_itself() -> None:
    secondary, _primary = joined()
    act(secondary, "swap", "save")
    duty = duty_of(secondary)
    settle(duty)
    secondary.store.change_state(lambda state: replace(state, role=Role.PRIMARY, term=2))
    settle(duty)
    assert numbers(secondary.common_log) == [1, 2]


def test_a_primary_that_lacks_earlier_entries_gets_them_first() -> None:
    secondary, primary = joined()
    act(secondary, "one", "two", "three")
    duty = duty_of(secondary)
    settle(duty)
    primary.common_log.stored[1:] = []
    act(secondary, "four")
    settle(duty)
    settle(duty)
    assert numbers(primary.common_log) == [1, 2, 3, 4]


def test_a_wrong_answer_of_the_primary_is_no_progress() -> None:
    secondary, _primary = joined()
    act(secondary, "one")
    secondary.peer.verbs["activity"] = lambda _body: {"highest": "all"}
    assert duty_of(secondary).step() > 0
