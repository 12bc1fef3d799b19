"""What every common activity log does: the fake one, SQLite's, and MariaDB's with root's rights and with the API's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from app.adapters.activity import SqlCommonLog
from app.core.activity import Entry
from app.core.activity_filter import Filter
from app.core.errors import LocalFailure, NotAllowed, NotFound
from app.migrate import migrate_appliance
from app.ports.activity import CommonLog
from tests.contract.mariadb_servers import RealServer
from tests.contract.test_appliance import server, url
from tests.fakes.activity import FakeCommonLog

__all__ = ["server"]
START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def entry(number: int, node: str = "alpha", **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "at": START + timedelta(seconds=number), "actor": "dana", "address": "192.0.2.7", "action": "apply",
        "outcome": "done", "detail": {"changes": [{"field": "HAPingIterations", "from": 12, "to": 3}]}, **changes,
    }  # fmt: skip
    return Entry(node_id=f"id-{node}", node_entry=number, node=node, **values)


def on_mariadb(server: RealServer) -> SqlCommonLog:
    return SqlCommonLog(url(server, "root").render_as_string(hide_password=False))


@pytest.fixture(params=["fake", "sqlite", "mariadb"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CommonLog]:
    if request.param == "fake":
        yield FakeCommonLog()
    elif request.param == "sqlite":
        address = URL.create("sqlite", database=str(tmp_path / "appliance.db")).render_as_string()
        migrate_appliance(address)
        yield SqlCommonLog(address)
    else:
        server: RealServer = request.getfixturevalue("server")
        server.database.lift()
        yield on_mariadb(server)


def names(entries: Sequence[Entry]) -> list[tuple[str, int]]:
    return [(each.node, each.node_entry) for each in entries]


def test_an_entry_is_kept_as_it_was_and_once(log: CommonLog) -> None:
    strange = entry(2, actor="a'; DROP TABLE activity; -- %s \N{SNOWMAN}\N{PILE OF POO}", detail={})
    assert log.highest("id-alpha") == 0
    assert log.add([entry(1), strange]) == 2
    assert log.add([entry(1), strange, entry(3)]) == 3
    assert log.add([entry(2, actor="someone else")]) == 3
    found = {each.node_entry: each for each in log.entries()}
    assert sorted(found) == [1, 2, 3]
    for kept, given in ((found[1], entry(1)), (found[2], strange)):
        assert (kept.node_id, kept.node, kept.at, kept.actor) == (given.node_id, given.node, given.at, given.actor)
        assert (kept.address, kept.action, kept.outcome) == (given.address, given.action, given.outcome)
        assert kept.detail == given.detail


def test_entries_of_both_servers_stay_apart(log: CommonLog) -> None:
    log.add([entry(1), entry(2)])
    log.add([entry(1, "beta")])
    assert (log.highest("id-alpha"), log.highest("id-beta"), log.highest("id-gamma")) == (2, 1, 0)
    assert len(log.entries()) == 3


def test_pages_go_by_time_whenever_an_entry_came_in(log: CommonLog) -> None:
    log.add([entry(number) for number in (1, 3, 5)])
    log.add([entry(number, "beta") for number in (2, 3, 4)])
    seen: list[tuple[str, int]] = []
    page = log.entries(limit=2)
    while page.next is not None:
        seen += names(page)
        page = log.entries(limit=2, before=page.next)
    seen += names(page)
    assert [number for _, number in seen] == [5, 4, 3, 3, 2, 1]
    assert len(set(seen)) == 6
    with pytest.raises(NotFound):
        log.entries(before=999_999)


def test_entries_are_found_by_each_filter(log: CommonLog) -> None:
    log.add([entry(1), entry(2, actor="lee", outcome="refused"), entry(3, action="swap", detail={"name": "kim"})])
    log.add([entry(1, "beta", actor="lee")])
    assert names(log.entries(Filter(actor="lee"))) == [("alpha", 2), ("beta", 1)]
    assert names(log.entries(Filter(action="swap", actor="dana"))) == [("alpha", 3)]
    assert names(log.entries(Filter(node="beta"))) == [("beta", 1)]
    assert log.entries(Filter(node="id-beta")).items == ()
    assert names(log.entries(Filter(outcome="refused"))) == [("alpha", 2)]
    assert names(log.entries(Filter(subject="kim"))) == [("alpha", 3)]
    assert names(log.entries(Filter(subject="HAPingIterations", node="beta"))) == [("beta", 1)]
    second = START + timedelta(seconds=2)
    assert names(log.entries(Filter(since=second))) == [("alpha", 3), ("alpha", 2)]
    assert names(log.entries(Filter(until=second, node="alpha"))) == [("alpha", 1)]


def test_entries_are_searched_for_words_in_all_of_them(log: CommonLog) -> None:
    strange = {"why": "50 % of Größe_x", "note": 'says "no"'}
    log.add([entry(1), entry(2, actor="Lee", address="198.51.100.9"), entry(3, action="swap", detail=strange)])
    for search, expected in (
        ("LEE", [2]), ("198.51.100", [2]), ("hapingiterations", [2, 1]), ("swap 50", [3]), ("swap lee", []), ("%", [3]),
        ("Größe_x", [3]), ("Gr__e", []), ('"no"', [3]), ("alpha dana", [3, 1]), ("\\", []),
    ):  # fmt: skip
        assert [each.node_entry for each in log.entries(Filter(search=search))] == expected, search


def test_a_search_through_many_entries_goes_on_where_it_stopped(log: CommonLog) -> None:
    wanted = Filter(search="needle")
    log.add([entry(1, action="needle")])
    for start in range(2, 1002, 100):
        log.add([entry(number) for number in range(start, start + 100)])
    found, before = [], None
    for _ in range(1000):
        page = log.entries(wanted, before=before, limit=10)
        found += names(page)
        if page.next is None:
            break
        before = page.next
        assert len(page) == 10 or page.looked_back_to is not None
    assert found == [("alpha", 1)]


def test_a_journal_is_read_in_its_order_and_its_end_is_known(log: CommonLog) -> None:
    linked = entry(1, chain="a" * 64)
    log.add([linked, entry(2), entry(3)])
    log.add([entry(7, "beta")])
    assert log.after("id-alpha", 0, 1)[0].chain == linked.chain
    assert names(log.after("id-alpha", 1, 10)) == [("alpha", 2), ("alpha", 3)]
    assert log.after("id-gamma", 0, 10) == []
    assert names(log.heads()) == [("alpha", 3), ("beta", 7)]


def test_root_writes_nothing_behind_a_fence(server: RealServer) -> None:
    server.database.lift()
    log = on_mariadb(server)
    log.add([entry(1)])
    before = server.database.fence(5.0)
    with pytest.raises(NotAllowed) as refusal:
        log.add([entry(1), entry(2)])
    assert refusal.value.code == "database-read-only"
    assert server.database.facts().position == before
    assert log.highest("id-alpha") == 1
    server.database.lift()
    assert log.add([entry(2)]) == 2


def test_a_repeated_entry_makes_no_transaction(server: RealServer) -> None:
    server.database.lift()
    log = on_mariadb(server)
    log.add([entry(1), entry(2)])
    before = server.database.facts().position
    assert log.add([entry(1), entry(2)]) == 2
    assert server.database.facts().position == before


def test_a_log_that_can_not_be_reached_says_so(tmp_path: Path) -> None:
    for address in (f"sqlite:///{tmp_path}/nowhere/a.db", "mysql+pymysql://root@127.0.0.1:1/hapair"):
        log = SqlCommonLog(address)
        for use in (lambda log=log: log.highest("id-alpha"), log.entries, lambda log=log: log.add([entry(1)])):
            with pytest.raises(LocalFailure) as failure:
                use()
            assert failure.value.code == "database-down"
