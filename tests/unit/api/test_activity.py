"""GET /activity: the common log of both servers, or this server's own journal where that can't be read."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from app.core.access import Scope
from app.core.activity import Entry
from app.core.activity_chain import link
from app.core.activity_export import COLUMNS
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


def at(world: World, seconds: float) -> str:
    return quote((world.clock.now() + timedelta(seconds=seconds)).isoformat())


def test_the_log_is_filtered_by_outcome_subject_and_time_and_searched(world: World, call: Caller) -> None:
    both(world)
    world.common_log.add([entry(world, "gamma", 1, 40, outcome="refused", detail={"name": "kim", "why": "Not Today"})])
    last = [("gamma", 1)]
    for query in ("outcome=refused", "subject=kim", f"since={at(world, 31)}", "search=today+KIM", "search=gamma"):
        assert named(call("GET", f"/activity?{query}").get_json()) == last, query
    assert named(call("GET", f"/activity?until={at(world, 11)}").get_json()) == [("alpha", 1)]
    assert call("GET", "/activity?outcome=refused").get_json()["items"][0]["subject"] == "kim"


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "since=2026-01-01T00:00:00", "until=0001-01-01T00:00:00%2B23:59", "search=" + "x" * 201, "x=1"],
)
def test_a_filter_that_can_not_be_is_refused_by_its_name(call: Caller, query: str) -> None:
    answer = call("GET", f"/activity?{query}")
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [query.split("=")[0]]


def test_the_export_has_every_entry_once_as_csv_and_as_json_lines(world: World, call: Caller) -> None:
    world.common_log.add([entry(world, "alpha", number, number) for number in range(1, 2501)])
    answer = call("GET", "/activity/export")
    assert answer.headers["X-Hapair-Source"] == "pair"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="activity-alpha.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode(), newline="")))
    assert [int(row["node_entry"]) for row in rows] == list(range(2500, 0, -1))
    assert tuple(rows[0]) == COLUMNS
    lines = call("GET", "/activity/export?format=jsonl&actor=dana").get_data().decode().splitlines()
    assert [json.loads(line)["node_entry"] for line in lines] == list(range(2500, 0, -1))
    exports = [each for each in world.store.activity() if each.action == "activity-exported"]
    assert exports[0].detail == {"format": "jsonl", "filter": {"actor": "dana"}, "source": "pair"}


@pytest.mark.parametrize(
    "typed", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\uff1d1", "|cmd", "%0A=1"]
)
def test_no_cell_of_the_csv_is_a_formula(world: World, call: Caller, typed: str) -> None:
    world.common_log.add([entry(world, "alpha", 1, 1, actor=typed, detail={"name": typed})])
    text = call("GET", "/activity/export").get_data().decode()
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert (row["actor"], row["subject"]) == ("'" + typed, "'" + typed)
    line = call("GET", "/activity/export?format=jsonl").get_data().decode()
    assert json.loads(line.splitlines()[0])["actor"] == typed


def chained(world: World, count: int) -> None:
    """This server's journal, and all of it in the common log."""
    for number in range(count):
        world.store.add_activity(Actor("dana"), f"act-{number}", "done", {"n": number})
    world.common_log.add(world.store.activity_after(0, count))


def verified(call: Caller) -> list[tuple[str, int, Any]]:
    """(source, entries checked, break) of each journal that is here."""
    found = []
    for chain in call("GET", "/activity/chains").get_json()["items"]:
        after, checked, broken = 0, 0, chain["broken"]
        while after is not None:
            part = call("GET", f"/activity/chains/{chain['source']}/{chain['node_id']}?after={after}").get_json()
            after, checked, broken = part["next"], checked + part["checked"], part["broken"] or broken
        found.append((chain["source"], checked, broken))
    return found


def test_journals_as_they_were_written_hold_however_long_they_are(world: World, call: Caller) -> None:
    chained(world, 4500)
    assert verified(call) == [("node", 4500, None), ("pair", 4500, None)]


def test_the_first_changed_entry_is_named_in_either_place(world: World, call: Caller) -> None:
    chained(world, 10)
    world.store._activity[3] = dataclasses.replace(world.store._activity[3], actor="lee")
    world.common_log.stored[5] = dataclasses.replace(world.common_log.stored[5], outcome="refused")
    assert [broken["entry"] for _, _, broken in verified(call)] == [4, 6]


def test_a_journal_that_was_cut_off_is_found_by_the_common_log(world: World, call: Caller) -> None:
    chained(world, 10)
    del world.store._activity[7:]
    journal, common = verified(call)
    assert journal[2] == {"entry": 8, "reason": "The last 3 entries are missing: entry 10 was there once."}
    assert common == ("pair", 10, None)


def test_a_journal_that_was_written_anew_is_found_by_the_common_log(world: World, call: Caller) -> None:
    chained(world, 5)
    before = ""
    for place, known in enumerate(world.store._activity):
        forged = dataclasses.replace(known, actor="lee")
        world.store._activity[place] = dataclasses.replace(forged, chain=link(before, forged))
        before = world.store._activity[place].chain
    assert [broken["entry"] for _, _, broken in verified(call)] == [5, 5]


def test_without_the_database_the_own_journal_is_checked(world: World, call: Caller) -> None:
    chained(world, 3)
    world.common_log.down = True
    assert verified(call) == [("node", 3, None)]


def test_a_journal_that_is_not_here_can_not_be_checked(world: World, call: Caller) -> None:
    chained(world, 3)
    own = world.state().node_id
    for path in ("node/other", "elsewhere/x", f"node/{own}?after=99", "pair/other?after=1"):
        assert call("GET", f"/activity/chains/{path}").get_json()["code"] == "no-such-chain"


def accepted(call: Caller, entry: Any, reason: Any = "put back from a copy of the disk") -> Any:
    return call("POST", "/activity/accept", {"entry": entry, "reason": reason})


def brought_in(world: World, after: int) -> None:
    """The monitor has brought the journal's entries after that one into the common log."""
    world.common_log.add(world.store.activity_after(after, 100))


def test_a_journal_that_was_put_back_from_a_copy_is_accepted_once_and_stays_visible(world: World, call: Caller) -> None:
    chained(world, 10)
    del world.store._activity[7:]
    entry = accepted(call, 8).get_json()
    assert (entry["node_entry"], entry["action"], entry["outcome"]) == (11, "activity-accepted", "done")
    assert entry["detail"]["wrong"] == "The last 3 entries are missing: entry 10 was there once."
    assert entry["detail"]["reason"] == "put back from a copy of the disk"
    brought_in(world, 10)
    assert verified(call) == [("node", 8, None), ("pair", 11, None)]
    own = world.state().node_id
    found = {
        source: call("GET", f"/activity/chains/{source}/{own}").get_json()["accepted"] for source in ("node", "pair")
    }
    assert found == {
        "node": [{"entry": 8, "reason": "Entries up to 10 are missing."}],
        "pair": [{"entry": 11, "reason": "Entry 11 is not what was written, or what stands before it was replaced."}],
    }
    assert accepted(call, 8).get_json()["code"] == "nothing-to-accept"


def test_a_change_in_the_middle_is_accepted_and_a_later_one_is_not(world: World, call: Caller) -> None:
    chained(world, 6)
    world.store._activity[2] = dataclasses.replace(world.store._activity[2], actor="lee")
    assert accepted(call, 3).status_code == 200
    brought_in(world, 6)
    chained_before = world.store.activity_head().entry
    world.store.add_activity(Actor("dana"), "later", "done", {})
    brought_in(world, chained_before)
    assert [broken for _, _, broken in verified(call)] == [None, None]
    last = len(world.store._activity) - 1
    world.store._activity[last] = dataclasses.replace(world.store._activity[last], actor="lee")
    assert [broken["entry"] for _, _, broken in verified(call) if broken] == [chained_before + 1]


def test_what_is_as_it_was_written_can_not_be_accepted(world: World, call: Caller) -> None:
    chained(world, 5)
    for number in (1, 3, 5, 6, 99, 2**62):
        assert accepted(call, number).get_json()["code"] == "nothing-to-accept"
    assert not [each for each in world.store.activity(limit=50) if each.action == "activity-accepted"]
    for number, reason in ((0, "why"), ("1", "why"), (1, ""), (1, "  "), (1, "x" * 501), (1, "two\nlines")):
        assert accepted(call, number, reason).status_code == 422
    assert accepted(world.caller(Scope.OPERATE), 3).status_code == 403
