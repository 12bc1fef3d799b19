"""The other server knows where a node's journal ends; a journal that is not what it knows raises an alarm."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from app.core.activity_chain import Head
from app.core.roles import Role
from app.ports import Actor
from jobs.activity import PEER_HEAD_NOTE, WITNESS_NOTE, accept
from jobs.monitor.journalend import ALARM, TOLD_AGAIN_S, JournalEndDuty
from jobs.peer.verbs import VERBS
from tests.unit.monitor.test_activity import act, joined
from tests.unit.monitor.world import World


def told(role: Role = Role.SECONDARY) -> tuple[World, World, JournalEndDuty]:
    """A node with a journal of three, whose end the other server knows."""
    world, other = joined(role)
    world.peer.verbs["activity-head"] = partial(VERBS["activity-head"], other.node)
    act(world, "one", "two", "three")
    duty = JournalEndDuty(world.node)
    duty.step()
    return world, other, duty


def again(world: World, duty: JournalEndDuty) -> list[str]:
    """The alarms after the next time that the end is told."""
    world.clock.advance(TOLD_AGAIN_S)
    duty.step()
    return [each.code for each in world.store.alarms()]


def test_the_other_server_knows_the_end_of_the_journal() -> None:
    world, other, duty = told()
    head = world.store.activity_head()
    assert other.store.note(PEER_HEAD_NOTE) == {"node_id": "node-a", "entry": 3, "chain": head.chain}
    act(world, "four")
    assert again(world, duty) == []
    assert (other.store.note(PEER_HEAD_NOTE) or {})["entry"] == 4
    assert (world.store.note(WITNESS_NOTE) or {})["entry"] == 4


def test_a_primary_tells_its_end_too() -> None:
    _world, other, _duty = told(Role.PRIMARY)
    assert (other.store.note(PEER_HEAD_NOTE) or {})["entry"] == 3


def test_a_journal_that_was_cut_off_raises_an_alarm_and_goes_on_with_new_numbers() -> None:
    world, other, duty = told()
    del world.store._activity[1:]
    assert again(world, duty) == [ALARM]
    act(world, "later")
    assert world.store.activity_head().entry == 4
    assert again(world, duty) == [ALARM]
    assert (other.store.note(PEER_HEAD_NOTE) or {})["entry"] == 3


def test_a_journal_that_was_written_anew_raises_an_alarm_until_it_is_the_old_one_again() -> None:
    world, other, duty = told()
    kept = list(world.store._activity)
    world.store._activity[2] = replace(kept[2], chain="0" * 64)
    act(world, "four")
    assert again(world, duty) == [ALARM]
    assert (other.store.note(PEER_HEAD_NOTE) or {})["entry"] == 3
    world.store._activity[2:] = kept[2:]
    assert again(world, duty) == []


def test_an_accepted_journal_is_no_alarm_any_more_and_the_other_server_follows_it_again() -> None:
    world, other, duty = told()
    del world.store._activity[1:]
    assert again(world, duty) == [ALARM]
    acceptance = accept(world.node, Actor("dana"), 2, "put back from a copy")
    assert acceptance.node_entry == 4
    assert again(world, duty) == []
    act(world, "later")
    assert again(world, duty) == []
    assert (other.store.note(PEER_HEAD_NOTE) or {})["entry"] == 5
    del world.store._activity[2:]
    assert again(world, duty) == [ALARM]


def test_a_journal_that_was_written_anew_can_be_accepted_too() -> None:
    world, other, duty = told()
    world.store._activity[2] = replace(world.store._activity[2], chain="0" * 64)
    assert again(world, duty) == [ALARM]
    accept(world.node, Actor("dana"), 3, "written by hand")
    assert again(world, duty) == []
    assert (other.store.note(PEER_HEAD_NOTE) or {})["entry"] == 4


def test_an_entry_that_is_added_during_the_comparison_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _other, duty = told()
    true_head = world.store.activity_head

    def head_before_one_more() -> Head:
        found = true_head()
        with monkeypatch.context() as once:
            once.setattr(world.store, "activity_head", true_head)
            act(world, "in between")
        return found

    monkeypatch.setattr(world.store, "activity_head", head_before_one_more)
    assert again(world, duty) == []


def test_a_peer_that_does_not_answer_or_answers_nonsense_changes_nothing() -> None:
    world, _other, duty = told()
    world.peer.reachable = False
    assert again(world, duty) == []
    world.peer.reachable = True
    world.peer.verbs["activity-head"] = lambda _body: {"entry": "all", "chain": 7}
    assert again(world, duty) == []
    assert (world.store.note(WITNESS_NOTE) or {})["entry"] == 3
