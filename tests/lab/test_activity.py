"""The common activity log on a real pair: both servers show each act once, with its person and the right server."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.conftest import QUICK, MakeServers
from tests.lab.acts import other, primary_of, wait_stable
from tests.lab.client import rows
from tests.lab.network import HOSTNAMES, HOSTS
from tests.lab.servers import Servers
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
COPIED_S = 60.0
PAGE = 500


@pytest.fixture(scope="module")
def servers(make_servers: MakeServers) -> Servers:
    return make_servers(paired=False)


def act(servers: Servers, host: str, mark: str) -> None:
    """Somebody tries to get in on that host, which is refused and noted under that name."""
    login = {"username": mark, "password": "a wrong password"}
    assert servers.apis[host].call("POST", "/session", login).status == 401


def marked(servers: Servers, host: str) -> list[tuple[str, str]]:
    """Server and name of each act of `act` in the log that the host shows, oldest first."""
    found = servers.apis[host].ask("GET", f"/activity?limit={PAGE}")
    assert found["source"] == "pair"
    return [(item["node"], item["actor"]) for item in reversed(found["items"]) if item["actor"].startswith("mark-")]


def wait_for_both(servers: Servers, expected: list[tuple[str, str]]) -> None:
    for host in HOSTS:
        wait_for(lambda host=host: marked(servers, host) == expected, COPIED_S, f"each act once on {host}")  # type: ignore[misc]


def test_acts_on_both_servers_are_in_the_common_log_once_through_set_up_and_swap(servers: Servers) -> None:
    act(servers, "a", "mark-1")
    act(servers, "b", "mark-2")
    wait_for(lambda: marked(servers, "a") == [(HOSTNAMES["a"], "mark-1")], COPIED_S, "alpha's own log")
    wait_for(lambda: marked(servers, "b") == [(HOSTNAMES["b"], "mark-2")], COPIED_S, "beta's own log")
    servers.pair(QUICK)
    wait_stable(servers, "a")
    act(servers, "a", "mark-3")
    act(servers, "b", "mark-4")
    acts = [(HOSTNAMES[host], f"mark-{number}") for number, host in ((1, "a"), (2, "b"), (3, "a"), (4, "b"))]
    wait_for_both(servers, acts)
    old = primary_of(servers)
    servers.apis[old].finish(str(servers.apis[old].ask("POST", "/ha/swap", {})["job"]["id"]))
    wait_stable(servers, other(old))
    act(servers, "a", "mark-5")
    act(servers, "b", "mark-6")
    wait_for_both(servers, [*acts, (HOSTNAMES["a"], "mark-5"), (HOSTNAMES["b"], "mark-6")])
    counted = Counter(rows(servers.database("b"), "SELECT node, node_entry FROM hapair.activity"))
    assert set(counted.values()) == {1}
    shown = servers.lab.check("b", "hapair", "activity", "--limit", "5")
    assert all(HOSTNAMES[host] in shown for host in HOSTS)


@pytest.mark.parametrize("topology", ["same"], indirect=True)
def test_without_its_database_a_server_shows_its_own_journal_and_brings_it_in_later(pair: Servers) -> None:
    secondary = other(primary_of(pair))
    pair.lab.check(secondary, "sh", "-c", "kill -STOP $(pidof mariadbd)")
    try:
        act(pair, secondary, "mark-7")
        found = pair.apis[secondary].ask("GET", f"/activity?limit={PAGE}")
        assert found["source"] == "node"
        assert {item["node"] for item in found["items"]} == {HOSTNAMES[secondary]}
        assert "mark-7" in [item["actor"] for item in found["items"]]
    finally:
        # The monitor may have restarted the hung database meanwhile, and then nothing is stopped any more.
        pair.lab.check(secondary, "sh", "-c", "kill -CONT $(pidof mariadbd) || true")
    wait_stable(pair, other(secondary))
    last = (HOSTNAMES[secondary], "mark-7")
    wait_for(lambda: marked(pair, other(secondary))[-1] == last, COPIED_S, "the act on the primary")
