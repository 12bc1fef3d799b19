"""What only a real MariaDB server can get wrong: hung, cut off, full, flooded."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
import pytest

from app.adapters.mariadb.connection import remote_session
from app.adapters.mariadb.dialect import LOGIN_REFUSED
from app.core.errors import LocalFailure
from tests.contract.databases import SOON_S, caught_up, written
from tests.contract.mariadb_servers import (
    REPLICATION_PASSWORD,
    RealClient,
    RealPair,
    RealServer,
)
from tests.fakes.database import WriteState
from tests.waiting import wait_for

STOP_RECEIVER_S = 0.2
"""What the port promises."""
NOISE_S = 1.5
"""Allowed on top of a time that a busy machine measures. Left to itself the server takes 2 s to stop a receiver whose
primary is dead, and all other calls of these tests never end."""
QUIET_S = 0.3
CLOCK_STEP_S = 0.02
"""The kernel stamps files by a clock that moves in steps of a few milliseconds."""


def received_age_s(replica: RealServer) -> float:
    facts = replica.database.facts().replication
    assert facts is not None
    assert facts.received_age_s is not None
    return facts.received_age_s


def test_the_age_of_the_stream_is_that_of_the_last_event(mariadb_pair: RealPair) -> None:
    primary, replica = mariadb_pair
    wait_for(lambda: received_age_s(replica) > QUIET_S, SOON_S, "a stream that brings nothing")
    began_s = time.monotonic()
    written(primary, 1)
    caught_up(primary, replica)
    assert received_age_s(replica) <= time.monotonic() - began_s + CLOCK_STEP_S


@contextmanager
def packets_vanish(server: RealServer) -> Iterator[None]:
    """As after a power cut of the server: nothing comes back, not even a refusal."""
    table = f"hapair_test_{server.port}"
    rules = (
        f"table inet {table} {{ chain input {{ type filter hook input priority 0;"
        f" tcp dport {server.port} drop; tcp sport {server.port} drop; }}; }}"
    )
    subprocess.run(["nft", rules], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["nft", f"delete table inet {table}"], check=True, capture_output=True)


# --- after a power cut


@pytest.mark.parametrize("emptied", [["master.info"], ["relay-log.info"], ["master.info", "relay-log.info"]])
def test_replication_starts_although_a_power_cut_has_emptied_the_files_of_an_earlier_start(
    mariadb_pair: RealPair, emptied: list[str]
) -> None:
    primary, replica = mariadb_pair
    replica.kill()
    for name in emptied:
        (replica.data / name).write_bytes(b"")
    replica.start()
    replica.database.start_replication(primary.source_for(replica))
    written(primary, 7)
    caught_up(primary, replica)
    assert replica.rows() == {7}


# --- a dead source


def test_the_receiver_stops_at_once_when_the_primary_has_vanished(mariadb_pair: RealPair) -> None:
    primary, replica = mariadb_pair
    written(primary, *range(5))
    caught_up(primary, replica)
    with packets_vanish(primary):
        started = time.monotonic()
        replica.database.stop_receiver()
        assert time.monotonic() - started < STOP_RECEIVER_S + NOISE_S
        replica.database.drain(2.0)
        replica.database.end_replication()
        replica.database.lift()
        assert time.monotonic() - started < 2 * STOP_RECEIVER_S + NOISE_S
    assert replica.rows() == set(range(5))


def test_the_receiver_stops_at_once_while_it_tries_to_reconnect(mariadb_pair: RealPair) -> None:
    primary, replica = mariadb_pair
    with packets_vanish(primary):
        replica.database.stop_receiver()
        replica.execute("START SLAVE IO_THREAD")
        started = time.monotonic()
        replica.database.stop_receiver()
        assert time.monotonic() - started < STOP_RECEIVER_S + NOISE_S


def test_the_receiver_stops_at_once_when_the_primary_is_frozen(mariadb_pair: RealPair) -> None:
    primary, replica = mariadb_pair
    primary.pause()
    try:
        started = time.monotonic()
        replica.database.stop_receiver()
        assert time.monotonic() - started < STOP_RECEIVER_S + NOISE_S
    finally:
        primary.resume()


def test_a_vanished_primary_fails_the_second_look_in_time(mariadb_pair: RealPair) -> None:
    primary, replica = mariadb_pair
    source = primary.source_for(replica)
    replica.remember_source(source)
    with packets_vanish(primary):
        started = time.monotonic()
        assert not replica.database.probe_remote(source.host, source.port, 0.5)
        assert time.monotonic() - started < 0.5 + NOISE_S


def test_a_frozen_primary_fails_the_second_look_in_time(mariadb_pair: RealPair) -> None:
    primary, replica = mariadb_pair
    source = primary.source_for(replica)
    replica.remember_source(source)
    primary.pause()
    try:
        started = time.monotonic()
        assert not replica.database.probe_remote(source.host, source.port, 0.5)
        assert time.monotonic() - started < 0.5 + NOISE_S
    finally:
        primary.resume()


def test_a_stranger_with_the_primarys_address_fails_the_second_look(mariadb_pair: RealPair) -> None:
    primary, replica = mariadb_pair
    source = primary.source_for(replica, pinned=False)
    replica.remember_source(source)
    assert not replica.database.probe_remote(source.host, source.port, 2.0)


# --- a server that hangs


def test_each_call_ends_in_time_on_a_frozen_server(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    server.pause()
    try:
        for call in (
            lambda: server.database.facts(0.4),
            lambda: server.database.probe_write(1, 0.4),
            lambda: server.database.fence(0.4),
        ):
            started = time.monotonic()
            with pytest.raises(LocalFailure) as caught:
                call()
            assert caught.value.code == "database-timeout"
            assert time.monotonic() - started < 0.4 + NOISE_S
    finally:
        server.resume()


def hung_probes(server: RealServer) -> int:
    return len(server.execute("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO hapair.%'"))


def test_hung_probes_do_not_pile_up(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    holder = pymysql.connect(unix_socket=str(server.socket), user="root", ssl_disabled=True)
    with holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLES hapair.beat WRITE")
        for _ in range(3):
            with pytest.raises(LocalFailure) as caught:
                server.database.probe_write(1, 0.5)
            assert caught.value.code == "database-timeout"
        assert hung_probes(server) == 1
    wait_for(lambda: not hung_probes(server), SOON_S, "the hung probe to end with its reason")
    server.database.probe_write(1, 1.0)


def test_a_hung_probe_never_lets_a_clients_commit_go_on(mariadb_pair: RealPair) -> None:
    primary, replica = mariadb_pair
    source = primary.source_for(replica)
    replica.remember_source(source)
    replica.database.stop_receiver()
    primary.database.set_semi_sync(True)
    for round_number in range(3):
        with pytest.raises(LocalFailure) as caught:
            primary.database.probe_write(1, 1.0)
        assert caught.value.code == "standby-silent"
        assert replica.database.probe_remote(source.host, source.port, 1.5)
        if round_number == 0:
            writes = [primary.open_client().write(value) for value in range(5)]
    assert hung_probes(primary) <= 2
    assert {write.state for write in writes} == {WriteState.WAITING}
    primary.database.fence(2.0)
    wait_for(lambda: all(write.state is WriteState.LOST for write in writes), SOON_S, "the clients to lose contact")


# --- the fence under load


class Writers:
    """Clients that write as fast as they can, each on a connection that is opened again whenever it is lost."""

    def __init__(self, server: RealServer, count: int) -> None:
        self._server = server
        self._stop = threading.Event()
        self.acknowledged: list[tuple[int, float]] = []
        self._threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def _write(self, number: int) -> None:
        value = number * 1_000_000
        while not self._stop.is_set():
            try:
                client = RealClient(self._server)
            except (pymysql.MySQLError, OSError):
                continue
            try:
                while not self._stop.is_set():
                    value += 1
                    client.execute("INSERT INTO app.`rows` VALUES (%s)", value)
                    self.acknowledged.append((value, time.monotonic()))
            except (pymysql.MySQLError, OSError):
                self._stop.wait(0.005)
            finally:
                client.close()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(5)


def test_a_fence_holds_against_clients_that_write_as_fast_as_they_can(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    writers = Writers(server, 4)
    try:
        wait_for(lambda: len(writers.acknowledged) > 200, SOON_S, "some load")
        position = server.database.fence(2.0)
        fenced = time.monotonic()
        wait_for(lambda: time.monotonic() - fenced > 0.3, SOON_S, "writers to have tried again")
    finally:
        writers.stop()
    assert all(at <= fenced for _, at in writers.acknowledged)
    assert {value for value, _ in writers.acknowledged} <= server.rows()
    assert server.database.facts().position == position


def test_a_fence_holds_while_all_connections_are_taken_and_commits_hang(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    server.database.set_semi_sync(True)
    server.execute("SET GLOBAL max_connections = 12")
    before = server.database.facts().position
    writers = Writers(server, 14)
    try:
        wait_for(lambda: server.database.facts().position != before, SOON_S, "a commit to hang")
        position = server.database.fence(3.0)
        assert server.database.facts().read_only
    finally:
        writers.stop()
        server.execute("SET GLOBAL max_connections = 151")
    server.database.set_semi_sync(False)
    assert not writers.acknowledged
    assert server.database.facts().position == position


def test_a_fence_acknowledges_none_of_the_commits_that_wait_together(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    server.database.set_semi_sync(True)
    for _ in range(3):
        server.database.lift()
        before = server.database.facts().position
        writers = Writers(server, 10)
        try:
            wait_for(lambda: server.database.facts().position != before, SOON_S, "commits to hang")  # noqa: B023
            server.database.fence(3.0)
        finally:
            writers.stop()
        assert not writers.acknowledged
        server.execute("DELETE FROM app.`rows`")


def test_a_fence_holds_where_the_managers_own_session_elsewhere_holds_a_lock(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    holder = pymysql.connect(unix_socket=str(server.socket), user="root", ssl_disabled=True)
    with holder, holder.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        server.database.fence(2.0)
    assert server.database.facts().read_only


# --- accounts


def test_the_accounts_may_do_what_they_need_and_nothing_else(mariadb_servers: RealPair) -> None:
    server = mariadb_servers[0]
    source = server.source_for(mariadb_servers[1])
    grants = " ".join(row[0] for row in server.execute("SHOW GRANTS FOR hapair_replication@'%'"))
    assert "REPLICATION SLAVE ON *.*" in grants
    assert "REQUIRE SSL" in grants
    assert "`hapair`.`probe`" in grants
    assert "`hapair`.*" not in grants
    with pytest.raises(pymysql.OperationalError):
        pymysql.connect(
            host=source.host,
            port=source.port,
            user=source.user,
            password=REPLICATION_PASSWORD.encode(),
            ssl_disabled=True,
        )
    appliance = " ".join(row[0] for row in server.execute("SHOW GRANTS FOR hapair@localhost"))
    assert "unix_socket" in appliance
    assert "GRANT ALL PRIVILEGES ON `hapair`.*" in appliance
    assert appliance.count(" ON ") == 2


def test_the_replication_password_is_in_no_log(mariadb_servers: RealPair) -> None:
    server, replica = mariadb_servers
    replica.database.start_replication(server.source_for(replica))
    secret = REPLICATION_PASSWORD.encode()
    for home in (server.folder, replica.folder):
        for path in [*home.glob("data/binlog.0*"), home / "error.log"]:
            assert secret not in path.read_bytes()


def test_a_new_password_replaces_the_old_one(mariadb_servers: RealPair) -> None:
    server, replica = mariadb_servers
    source = server.source_for(replica)
    with remote_session(source, 2.0) as session:
        assert session.row("SELECT 1 AS one") == {"one": 1}
    server.database.ensure_accounts("another password")
    with pytest.raises(LocalFailure) as refused, remote_session(source, 2.0):
        pass
    assert refused.value.code == LOGIN_REFUSED.code
