"""What a server does because the other one asked for it stands in its own activity log, once, with who asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.core.errors import NotAllowed
from app.core.roles import Change, Role
from app.core.wire import parse_reply, request_line
from app.ports import Json, Node
from jobs.peer.noted import REFUSALS_NOTED_MAX, NotedActs
from jobs.peer.talk import Conversation
from jobs.peer.verbs import VERBS
from tests.unit.pair_world import ADDRESSES, ADMIN, Server, World, carry_out

SINCE_THE_BEGINNING = 0


@pytest.fixture
def world() -> World:
    made = World()
    made.pair()
    return made


def noted(server: Server, after: int = SINCE_THE_BEGINNING) -> list[Json]:
    """What the server's journal says of the other server's acts, oldest first."""
    return [
        {"act": entry.action, "by": entry.actor, "from": entry.address, "outcome": entry.outcome, **entry.detail}
        for entry in server.store.activity_after(after, 500)
        if entry.action.startswith("peer:")
    ]


def changed(entry: Json) -> dict[str, tuple[object, object]]:
    return {each["field"]: (each["from"], each["to"]) for each in entry["changes"]}


def ask(server: Server, verb: str, body: Json) -> Json:
    return carry_out(server.node, verb, VERBS[verb], body)


def test_a_set_up_stands_in_both_logs_under_the_name_of_who_started_it(world: World) -> None:
    (pairing,) = noted(world.beta)
    assert pairing["act"] == "peer:pair"
    assert (pairing["by"], pairing["from"], pairing["asked_on"]) == (ADMIN.name, ADDRESSES["alpha"], "alpha")
    assert changed(pairing) == {"peer": ("", "alpha")}
    begin, done = noted(world.alpha)
    assert [begin["act"], done["act"]] == ["peer:join-begin", "peer:join-done"]
    assert begin["by"] == done["by"] == ADMIN.name
    assert begin["asked_on"] == "beta"
    assert changed(begin) == {"phase": ("initialized", "synchronizing")}
    assert changed(done) == {"phase": ("synchronizing", "paired")}
    jobs = world.beta.store.jobs()
    assert {begin["asked_in"], done["asked_in"]} == {jobs[0].id}


def test_a_swap_and_changed_settings_say_from_what_to_what(world: World) -> None:
    before = world.beta.store.activity_head().entry
    assert world.alpha.apply(Change.SWAP).state == "succeeded"
    (promoted,) = noted(world.beta, before)
    assert (promoted["act"], promoted["by"], promoted["outcome"]) == ("peer:swap-promote", ADMIN.name, "done")
    assert changed(promoted)["role"] == ("secondary", "primary")
    assert changed(promoted)["term"] == (1, 2)
    assert changed(promoted)["HAServerRole"] == ("secondary", "primary")
    world.settle()
    before = world.alpha.store.activity_head().entry
    world.beta.draft(Role.PRIMARY, HAFileSyncInterval=9)
    assert world.beta.apply(Change.SETTINGS).state == "succeeded"
    (settings,) = noted(world.alpha, before)
    assert (settings["act"], settings["by"]) == ("peer:settings", ADMIN.name)
    assert changed(settings) == {"HAFileSyncInterval": (5, 9)}


def test_a_teardown_is_noted_with_the_peer_that_is_forgotten(world: World) -> None:
    before = world.beta.store.activity_head().entry
    world.alpha.draft(Role.STANDALONE)
    assert world.alpha.apply(Change.TEARDOWN).state == "succeeded"
    leave, *rest = noted(world.beta, before)
    assert (leave["act"], leave["by"], leave["asked_on"]) == ("peer:leave", ADMIN.name, "alpha")
    assert changed(leave)["role"] == ("secondary", "standalone")
    assert {each["act"] for each in rest} <= {"peer:forget"}


def test_a_fence_by_the_other_monitor_is_noted_once_however_often_it_is_repeated(world: World) -> None:
    before = world.alpha.store.activity_head().entry
    for _ in range(3):
        ask(world.alpha, "fence", {"term": 2, "reason": "failover"})
    (fence,) = noted(world.alpha, before)
    assert (fence["by"], fence["from"]) == ("peer beta", ADDRESSES["beta"])
    assert changed(fence) == {"fence": ("", "superseded")}


def test_a_refused_act_is_noted_with_its_reason_and_looking_is_not(world: World) -> None:
    before = world.beta.store.activity_head().entry
    for verb in ("ping", "heartbeat", "status", "position", "facts", "promotion-state"):
        ask(world.beta, verb, {"asked_by": "mallory", "term": 1})
    with pytest.raises(NotAllowed):
        ask(world.beta, "join-done", {"pair_id": "another", "asked_by": "lee", "asked_in": "job-7"})
    (refused,) = noted(world.beta, before)
    assert refused == {
        "act": "peer:join-done", "by": "lee", "from": ADDRESSES["alpha"], "outcome": "refused", "asked_on": "alpha",
        "code": "other-pair", "asked_in": "job-7",
    }  # fmt: skip


@pytest.mark.parametrize("name", [None, 7, "", "  ", [], {"a": 1}])
def test_a_name_that_is_none_is_the_peers(world: World, name: object) -> None:
    with pytest.raises(NotAllowed):
        ask(world.beta, "left", {"pair_id": "another", "asked_by": name, "asked_in": name})
    assert noted(world.beta)[-1]["by"] == "peer alpha"


def test_a_long_name_is_cut_and_an_endless_repetition_is_bounded(world: World) -> None:
    acts = NotedActs(world.beta.node)
    before = world.beta.store.activity_head().entry
    for _ in range(REFUSALS_NOTED_MAX + 5):
        with pytest.raises(NotAllowed):
            acts.carry_out("left", VERBS["left"], {"asked_by": "x" * 5000, "asked_in": "y" * 5000})
    found = noted(world.beta, before)
    assert len(found) == REFUSALS_NOTED_MAX
    assert (len(found[0]["by"]), len(found[0]["asked_in"])) == (128, 64)


def test_an_act_that_others_wait_for_is_answered_first_and_noted_although_nobody_is_there(
    world: World, tmp_path: Path
) -> None:
    pin = tmp_path / "pin"
    pin.touch()
    known: list[int] = []

    def fence(node: Node, body: Json) -> Json:
        reply = VERBS["fence"](node, body)
        known.append(node.store.activity_head().entry)
        return reply

    (source, theirs), (answers, target) = os.pipe(), os.pipe()
    os.write(theirs, request_line(1, "fence", {"term": 2, "reason": "failover"}))
    os.close(theirs)
    before = world.alpha.store.activity_head().entry
    Conversation(world.alpha.node, {"fence": fence}, pin, source, target).run()
    assert parse_reply(os.read(answers, 65536), 1)["position"] == world.alpha.database.facts().position
    assert known == [before]
    assert [each["act"] for each in noted(world.alpha, before)] == ["peer:fence"]
    for descriptor in (source, answers, target):
        os.close(descriptor)
