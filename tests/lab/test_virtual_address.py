"""A client that knows only the virtual address: it follows the primary through a power cut and a swap."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import pymysql
import pytest

from tests.lab.acts import SETTLE_S, discard_drafts, other, primary_of, recover, wait_stable
from tests.lab.client import connected
from tests.lab.network import HOSTNAMES, HOSTS, ROUTER, inside
from tests.lab.servers import Servers
from tests.lab.writer import INSERT, SELECT
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
Json = dict[str, Any]
ADDRESS = "10.77.1.50"
WRITTEN = f"{ADDRESS}/24 dev eth0"
REJOIN_S = 90.0
ROWS = 20
RETRY_S = 0.05
PAUSE_S = 0.02
"""Between two rows: a server that comes back must be able to catch up with them on a busy machine."""
FIRST = 5_000_000_000_000_000_000
"""Beyond the numbers of all other writers."""


class Client:
    """An application in the network that writes to the address, and knows nothing else of the pair."""

    def __init__(self, servers: Servers) -> None:
        self._namespace = servers.lab.places.namespace(ROUTER)
        self._database = {**servers.database("a"), "host": ADDRESS, "port": 3306}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)
        self.acknowledged: list[int] = []
        self.hosts: list[str] = []
        """Who acknowledged each row, by its own name."""
        self.last_error = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait_for_progress()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the client does not stop"

    def wait_for_progress(self) -> None:
        wanted = len(self.acknowledged) + ROWS
        try:
            wait_for(lambda: len(self.acknowledged) >= wanted, SETTLE_S, f"{ROWS} more rows through {ADDRESS}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the client's last error: {self.last_error}") from error

    def wait_for_rows_of(self, host: str) -> None:
        """The host whose turn it is takes this client's rows."""
        wait_for(lambda: self.hosts[-1:] == [HOSTNAMES[host]], SETTLE_S, f"rows on {host} through {ADDRESS}")
        self.wait_for_progress()

    def _run(self) -> None:
        number = FIRST
        with inside(self._namespace):
            while not self._stop.is_set():
                try:
                    with connected(self._database, 1.0) as cursor:
                        cursor.execute("SELECT @@hostname")
                        host = str(cursor.fetchone()[0])
                        while not self._stop.is_set():
                            number += 1
                            cursor.execute(INSERT, (number, 0.0))
                            self.acknowledged.append(number)
                            self.hosts.append(host)
                            self._stop.wait(PAUSE_S)
                except (pymysql.Error, OSError) as error:
                    self.last_error = repr(error)
                    self._stop.wait(RETRY_S)


@contextmanager
def virtual_address(servers: Servers) -> Iterator[None]:
    """The pair has the address; afterwards it has none again."""
    set_address(servers, WRITTEN)
    try:
        yield
    finally:
        recover(servers)
        set_address(servers, "")
        wait_for(lambda: holders(servers) == [], SETTLE_S, "the end of the address")


def set_address(servers: Servers, value: str) -> None:
    api = servers.apis[primary_of(servers)]
    api.save_draft({"HAVirtualAddress": value})
    api.finish(api.apply())


def holders(servers: Servers) -> list[str]:
    """The hosts whose interfaces have the address right now."""
    running = [host for host, found in servers.lab.ask("info")["hosts"].items() if found["on"]]
    return [host for host in running if f"{ADDRESS}/24" in servers.lab.run(host, "ip", "address", "show").stdout]


def wait_held_by(servers: Servers, host: str) -> None:
    """The address is on that host alone, and both servers say so."""
    wait_for(lambda: holders(servers) == [host], SETTLE_S, f"the address on {host} alone")
    for each in HOSTS:
        wait_for(lambda each=each: shown(servers, each) == [HOSTNAMES[host]], SETTLE_S, f"{each} saying so")  # type: ignore[misc]


def shown(servers: Servers, host: str) -> list[str] | None:
    found: Json | None = servers.apis[host].status()["virtual_address"]
    return None if found is None else list(found["holders"])


def missing(servers: Servers, host: str, client: Client) -> list[int]:
    """The rows that the client was promised and this host does not have."""
    with connected(servers.database(host)) as cursor:
        cursor.execute(f"{SELECT} WHERE number >= %s", (FIRST,))
        held = {number for (number,) in cursor.fetchall()}
    return [number for number in client.acknowledged if number not in held]


@pytest.mark.parametrize("topology", ["same"], indirect=True)
def test_a_client_of_the_address_follows_the_primary_through_swap_and_power_cut(pair: Servers) -> None:
    old = primary_of(pair)
    new = other(old)
    with connected(pair.database(old)) as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS lab_writer")
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS lab_writer.acknowledged (number BIGINT PRIMARY KEY, written DOUBLE NOT NULL)"
        )
        cursor.execute("DELETE FROM lab_writer.acknowledged WHERE number >= %s", (FIRST,))
    with virtual_address(pair):
        wait_held_by(pair, old)
        with Client(pair) as client:
            pair.apis[old].finish(str(pair.apis[old].ask("POST", "/ha/swap", {})["job"]["id"]))
            client.wait_for_rows_of(new)
            wait_stable(pair, new)
            wait_held_by(pair, new)
            pair.lab.fault("power-cut", new)
            client.wait_for_rows_of(old)
            assert holders(pair) == [old]
            pair.lab.fault("boot", new)
            wait_stable(pair, old, REJOIN_S)
            wait_held_by(pair, old)
        assert missing(pair, old, client) == missing(pair, new, client) == []


@pytest.mark.parametrize("topology", ["same"], indirect=True)
def test_a_primary_that_is_cut_off_gives_the_address_up(pair: Servers) -> None:
    old = primary_of(pair)
    with virtual_address(pair):
        wait_held_by(pair, old)
        pair.lab.fault("isolate", old)
        wait_for(lambda: old not in holders(pair), SETTLE_S, "the end of the address on the host that is cut off")
        wait_held_by(pair, recover(pair))


@pytest.mark.parametrize("topology", ["routed"], indirect=True)
def test_servers_in_two_subnets_are_refused_a_virtual_address(pair: Servers) -> None:
    api = pair.apis[primary_of(pair)]
    own = api.ask("GET", "/ha/config")["applied"]["HAServerAddress"]
    tag = api.call("GET", "/ha/config").headers["ETag"]
    wanted = f"{own.rsplit('.', 1)[0]}.50/24 dev eth0"
    reply = api.call("PUT", "/ha/config/draft", {"HAVirtualAddress": wanted}, {"If-Match": tag})
    assert reply.status == 422
    assert "works in one subnet only" in " ".join(reply.body["errors"]["HAVirtualAddress"])
    discard_drafts(pair)
