"""The worst days of a pair, each from a stable pair to a stable pair: `make worst-days`.

They take minutes, so the ordinary run leaves them out; test_rescue.py and test_failover.py have the short ones.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Self

import pytest

from tests.conftest import MakeServers
from tests.lab import histories
from tests.lab.acts import SETTLE_S, change_role, other, primary_of, recover, wait_parted, wait_stable
from tests.lab.client import is_writable, rows
from tests.lab.mortal_monitor import CALLS, MortalMonitor
from tests.lab.network import HOSTNAMES, HOSTS
from tests.lab.pairing import Timing
from tests.lab.places import LabError
from tests.lab.servers import Servers
from tests.lab.writer import Writer
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
PATIENT = Timing(ping_interval=1, ping_iterations=8)
"""A busy machine loses pings, and a primary that fences itself for that would be another day."""
REJOIN_S = 120.0
ROWS = 50
CUT_S = 20.0
"""Longer than the window of the failover and the wait for a lost standby together."""
FILES = 1000
KILL_EVERY_S = 0.05
FEW_ROWS = 3
FORCE = (
    "import sys; from app.core.acts import Cause; from app.wiring import build_node; from jobs.steps import promotion;"
    " promotion.promote(build_node(), Cause.RESUME, term=int(sys.argv[1]))"
)
"""What no command does: a primary takes a term that the other one has taken already, as from a restored node store."""


@pytest.fixture(scope="module")
def lab_pair(make_servers: MakeServers) -> Servers:
    """One pair for all these days, whose failovers may follow one another."""
    servers = make_servers(timing=PATIENT)
    histories.set_field(servers, HAAntiFlappingTime=0)
    return servers


@pytest.fixture
def servers(lab_pair: Servers) -> Iterator[Servers]:
    recover(lab_pair, REJOIN_S)
    yield lab_pair
    recover(lab_pair, REJOIN_S)
    histories.set_field(lab_pair, HAProtectionMode="availability")


@pytest.mark.parametrize("count", [1, 1000])
def test_an_old_primary_that_is_some_transactions_ahead_rescues_them_and_rejoins(servers: Servers, count: int) -> None:
    returned = histories.diverge(servers, histories.transactions(count))
    assert returned.rescue is not None
    assert returned.report["obstacle"] == ""
    assert returned.report["rows_by_table"][f"{histories.SCHEMA}.alone"] >= count
    assert returned.kept_its_promise


def test_an_old_primary_that_has_changed_a_table_is_copied_anew_and_the_change_is_rescued(servers: Servers) -> None:
    returned = histories.diverge(servers, histories.table_change)
    assert returned.rescue is not None
    assert returned.report["obstacle"] != ""
    assert b"ADD COLUMN" in returned.contents["transactions.sql"]
    assert returned.kept_its_promise
    columns = rows(servers.database(returned.old), f"SHOW COLUMNS FROM {histories.SCHEMA}.alone LIKE 'note'")
    assert columns == []


def test_an_old_primary_that_has_a_thousand_files_more_rescues_them_and_rejoins(servers: Servers) -> None:
    returned = histories.diverge(servers, histories.files(FILES))
    assert returned.rescue is not None

    def rescued() -> int:
        found = histories.rescues(servers, returned.old)
        return next(int(each["files"]) for each in found if each["id"] == returned.rescue["id"])  # type: ignore[index]

    wait_for(lambda: rescued() >= FILES, SETTLE_S, "all files in the rescue")


def test_in_protection_a_cut_between_the_servers_leaves_no_acknowledged_write_on_one_side_alone(
    servers: Servers,
) -> None:
    histories.set_field(servers, HAProtectionMode="protection")
    old = primary_of(servers)
    wait_stable(servers, old)
    with Writer([servers.database(old)]) as ours, Writer(servers.databases) as anybody:
        ours.wait_for_progress(ROWS)
        servers.lab.fault("cut-peer")
        cut_s = time.monotonic()
        wait_for(lambda: time.monotonic() - cut_s > CUT_S, 2 * CUT_S, "the cut to last")
        alone = [each for each in ours.acknowledged if each.at_s > cut_s + 1.0]
        both = [each for each in anybody.acknowledged if each.at_s > cut_s + 1.0]
        servers.lab.fault("heal")
        anybody.wait_for_progress(ROWS, REJOIN_S)
    assert (alone, both) == ([], []), "a write was acknowledged although the other server could not have it"
    primary = recover(servers, REJOIN_S)
    for writer in (ours, anybody):
        for host in HOSTS:
            assert writer.missing_in(servers.database(host)) == []
    assert primary in HOSTS


@pytest.mark.parametrize("first", ["primary", "secondary"])
def test_after_a_power_cut_of_both_whoever_returns_first_nothing_is_lost(servers: Servers, first: str) -> None:
    old = primary_of(servers)
    term = servers.apis[old].status()["term"]
    with Writer(servers.databases) as writer:
        writer.wait_for_progress(ROWS)
        servers.lab.fault("power-cut", old)
        servers.lab.fault("power-cut", other(old))
    early = old if first == "primary" else other(old)
    servers.lab.fault("boot", early)
    servers.apis[early].wait_status("fenced" if early == old else "degraded", SETTLE_S)
    alone = servers.apis[early].status()
    assert (alone["node"]["writable"], alone["term"]) == (False, term)
    servers.lab.fault("boot", other(early))
    wait_stable(servers, old, REJOIN_S)
    assert [servers.apis[host].status()["term"] for host in HOSTS] == [term, term]
    assert [writer.missing_in(database) for database in servers.databases] == [[], []]


@pytest.mark.parametrize("call", CALLS)
def test_a_monitor_that_is_killed_inside_a_takeover_ends_it_once_it_runs_again(servers: Servers, call: str) -> None:
    old = primary_of(servers)
    new = other(old)
    known = {event["key"] for event in servers.apis[new].events("Failover")}
    with MortalMonitor(servers, new, call) as monitor:
        wait_for(monitor.is_in_charge, SETTLE_S, "the monitor that will die")
        wait_stable(servers, old, REJOIN_S)
        servers.lab.fault("power-cut", old)
        wait_for(monitor.has_died, SETTLE_S, "the monitor to die in the takeover")
    servers.apis[new].wait_status("degraded", SETTLE_S, role="primary")

    def told() -> list[list[str]]:
        fresh = [event for event in servers.apis[new].events("Failover") if event["key"] not in known]
        return [event["parameters"] for event in fresh]

    wait_for(told, SETTLE_S, "the event")
    wait_for(lambda: is_writable(servers.database(new)), SETTLE_S, "writes on the new primary")
    servers.lab.fault("boot", old)
    wait_stable(servers, new, REJOIN_S)
    assert told() == [["Failover", HOSTNAMES[new], HOSTNAMES[old]]]


def test_of_two_primaries_of_one_term_both_stop_and_what_the_one_not_chosen_has_is_rescued(servers: Servers) -> None:
    chosen = primary_of(servers)
    dropped = other(chosen)
    known = {each["id"] for each in histories.rescues(servers, dropped)}
    histories.prepare(servers, chosen)
    histories.wait_acknowledged(servers, chosen)
    servers.lab.fault("cut-peer")
    servers.apis[dropped].wait_status("degraded", SETTLE_S, role="primary")
    term = servers.apis[dropped].status()["term"]
    servers.lab.check(chosen, sys.executable, "-c", FORCE, str(term))
    for host, rows_alone in ((chosen, FEW_ROWS + ROWS), (dropped, FEW_ROWS)):
        histories.transactions(rows_alone)(servers, host)
    servers.lab.fault("heal")
    for host in HOSTS:
        servers.apis[host].wait_status("conflict", SETTLE_S)
        wait_for(lambda host=host: not servers.apis[host].status()["node"]["writable"], SETTLE_S, "both to stop")
        assert servers.apis[host].status()["term"] == term
    answer = servers.apis[chosen].ask("POST", "/ha/resolve", {"keep": "this", "confirm": HOSTNAMES[chosen]})
    servers.apis[chosen].finish(str(answer["job"]["id"]))
    wait_stable(servers, chosen, REJOIN_S)
    fresh = [each for each in histories.rescues(servers, dropped) if each["id"] not in known]
    assert [each["rows_by_table"][f"{histories.SCHEMA}.alone"] for each in fresh] == [FEW_ROWS]


def test_a_secondary_that_was_cut_off_while_its_pair_was_ended_does_not_take_over_later(servers: Servers) -> None:
    primary = primary_of(servers)
    secondary = other(primary)
    servers.lab.fault("isolate", secondary)
    change_role(servers, primary, "standalone")
    servers.lab.fault("heal")
    healed_s = time.monotonic()
    wait_for(lambda: "monitor-dead" in histories.reasons(servers, secondary), SETTLE_S, "what it sees of its primary")
    wait_for(lambda: time.monotonic() - healed_s > CUT_S, 2 * CUT_S, "more than the window to pass")
    assert servers.apis[secondary].status()["node"]["role"] == "secondary"
    assert not is_writable(servers.database(secondary))
    change_role(servers, secondary, "standalone")
    wait_parted(servers)
    servers.pair(PATIENT)
    histories.set_field(servers, HAAntiFlappingTime=0)


def test_an_old_primary_rejoins_while_its_redis_is_down(servers: Servers) -> None:
    old = primary_of(servers)
    new = other(old)
    servers.lab.fault("power-cut", old)
    servers.apis[new].wait_status("degraded", SETTLE_S, role="primary")
    servers.lab.fault("boot", old)
    with RedisKeptDown(servers, old):
        wait_stable(servers, new, REJOIN_S)


class RedisKeptDown:
    """The host's Redis is killed again and again, faster than it can do anything."""

    def __init__(self, servers: Servers, host: str) -> None:
        self._servers, self._host = servers, host
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._kill, name="redis-killer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(SETTLE_S)
        assert not self._thread.is_alive()

    def _kill(self) -> None:
        while not self._stop.wait(KILL_EVERY_S):
            with contextlib.suppress(LabError, OSError):  # it may be down at this moment
                self._servers.lab.fault("kill", self._host, "redis")
