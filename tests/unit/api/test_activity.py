"""GET /activity: the common log of both servers, or this server's own journal where that can't be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.core.activity import Entry
from app.ports import Actor
from tests.unit.api.world import Caller, World


def entry(world: World, node: str, number: int, seconds: float, **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "actor": "dana", "address": "192.0.2.7", "action": "apply", "outcome": "done", "detail": {}, **changes,
    }  # fmt: skip
    return Entry(f"id-{node}", number, world.clock.now() + timedelta(seconds=seconds), node, **values)


def both(world: World) -> None:
    """Three acts on alpha, and two on beta that came into the log later than they were done."""
    for number in range(1, 4):
        world.common_log.add([entry(world, "alpha", number, 10 * number)])
    world.common_log.add([entry(world, "beta", 1, 15, actor="lee"), entry(world, "beta", 2, 25, action="swap")])


def named(page: dict[str, Any]) -> list[tuple[str, int]]:
    return [(item["node"], item["node_entry"]) for item in page["items"]]


def test_the_log_of_both_servers_is_shown_newest_first(world: World, call: Caller) -> None:
    both(world)
    page = call("GET", "/activity").get_json()
    assert page["source"] == "pair"
    assert named(page) == [("alpha", 3), ("beta", 2), ("alpha", 2), ("beta", 1), ("alpha", 1)]
    assert page["items"][1]["node_id"] == "id-beta"


def test_pages_follow_one_another_without_gap_or_repetition(world: World, call: Caller) -> None:
    both(world)
    seen, path = [], "/activity?limit=2"
    while path:
        page = call("GET", path).get_json()
        seen += named(page)
        path = "" if page["next"] is None else f"/activity?limit=2&before={page['next']}"
    assert seen == [("alpha", 3), ("beta", 2), ("alpha", 2), ("beta", 1), ("alpha", 1)]


def test_the_log_is_filtered_by_person_act_and_server(world: World, call: Caller) -> None:
    both(world)
    assert named(call("GET", "/activity?actor=lee").get_json()) == [("beta", 1)]
    assert named(call("GET", "/activity?action=swap").get_json()) == [("beta", 2)]
    assert named(call("GET", "/activity?node=beta&actor=dana").get_json()) == [("beta", 2)]


def test_without_the_database_the_servers_own_journal_is_shown(world: World, call: Caller) -> None:
    both(world)
    own = world.store.add_activity(Actor("lee", "192.0.2.8"), "swap", "refused", {"code": "not-primary"})
    world.common_log.down = True
    page = call("GET", "/activity?node=alpha").get_json()
    assert page["source"] == "node"
    (item,) = page["items"]
    assert (item["id"], item["node"], item["node_id"]) == (own.id, "alpha", world.state().node_id)
    assert (item["actor"], item["address"], item["outcome"]) == ("lee", "192.0.2.8", "refused")
    assert item["detail"] == {"code": "not-primary"}
    assert call("GET", "/activity?node=beta").get_json()["items"] == []


def test_a_page_after_an_entry_that_is_not_there_is_refused(world: World, call: Caller) -> None:
    both(world)
    answer = call("GET", "/activity?before=99")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "no-such-entry")
