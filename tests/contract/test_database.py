"""What every database promises: the fake, and two real MariaDB servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.errors import LocalFailure, PeerUnreachable
from app.core.positions import contains, reached
from tests.contract.fake_servers import FakeServer
from tests.contract.mariadb_servers import RealServer
from tests.fakes.database import FakeNetwork, WriteState
from tests.waiting import wait_for

Server = FakeServer | RealServer
Servers = tuple[Server, Server]
CAUGHT_UP_S = 10.0


@pytest.fixture(params=["fake", "real"])
def servers(request: pytest.FixtureRequest) -> Servers:
    if request.param == "fake":
        network = FakeNetwork()
        return FakeServer("alpha", 1, network), FakeServer("beta", 2, network)
    alpha, beta = request.getfixturevalue("real_servers")
    for server in (alpha, beta):
        server.quiet()
    for server in (alpha, beta):
        server.reset()
    return alpha, beta


@pytest.fixture
def pair(servers: Servers) -> Servers:
    """The first is a writable primary, the second its caught-up replica."""
    primary, replica = servers
    primary.prepare()
    primary.database.lift()
    replica.database.start_replication(primary.source_for(replica))
    caught_up(primary, replica)
    return primary, replica


def caught_up(primary: Server, replica: Server) -> None:
    position = primary.database.facts().position
    assert replica.database.wait_for(position, CAUGHT_UP_S), replica.database.facts()


def written(server: Server, *values: int) -> None:
    """The values are acknowledged."""
    client = server.open_client()
    for value in values:
        assert client.write(value).state is WriteState.ACKNOWLEDGED
    client.close()


def refusal(server: Server) -> WriteState:
    """How a write on a fresh connection ends."""
    client = server.open_client()
    try:
        return client.write(999).state
    finally:
        client.close()


# --- looking, probing, accounts


def test_a_fresh_server_is_read_only_and_has_no_history(servers: Servers) -> None:
    facts = servers[0].database.facts()
    assert facts.read_only
    assert facts.position == facts.binlog_state == ""
    assert facts.replication is None
    assert facts.beat_age_s is None
    assert facts.uptime_s >= 0


def test_making_accounts_twice_writes_no_transaction(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    position = server.database.facts().position
    server.database.ensure_accounts()
    assert server.database.facts().position == position


def test_a_probe_leaves_a_beat_with_its_term(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    before = server.database.facts().position
    server.database.probe_write(7, 2.0)
    facts = server.database.facts()
    assert facts.beat_term == 7
    assert facts.beat_age_s is not None
    assert 0 <= facts.beat_age_s < 5
    assert facts.position != before
    server.database.probe_write(8, 2.0)
    assert server.database.facts().beat_term == 8


def test_the_standby_sees_the_primarys_beat(pair: Servers) -> None:
    primary, replica = pair
    primary.database.probe_write(3, 2.0)
    caught_up(primary, replica)
    assert replica.database.facts().beat_term == 3


def test_a_dead_server_is_down(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    server.kill()
    for call in (server.database.facts, server.database.lift, lambda: server.database.probe_write(1, 1.0)):
        with pytest.raises(LocalFailure) as caught:
            call()
        assert caught.value.code == "database-down"


def test_the_size_of_the_data_is_known(servers: Servers) -> None:
    servers[0].prepare()
    assert servers[0].database.data_bytes() > 0


# --- the fence


def test_clients_write_only_after_the_lift(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    assert refusal(server) is WriteState.REFUSED
    server.database.lift()
    server.database.lift()
    assert not server.database.facts().read_only
    written(server, 1)
    assert server.rows() == {1}


def test_a_fence_refuses_writes_and_closes_clients(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    server.database.lift()
    client = server.open_client()
    assert client.write(1).state is WriteState.ACKNOWLEDGED
    position = server.database.fence(2.0)
    assert not client.alive
    assert client.write(2).state is not WriteState.ACKNOWLEDGED
    assert refusal(server) is WriteState.REFUSED
    facts = server.database.facts()
    assert facts.read_only
    assert facts.position == position
    assert server.database.fence(2.0) == position
    assert server.rows() == {1}


def test_a_fence_ends_commits_that_wait_for_a_standby_unacknowledged(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    server.database.set_semi_sync(True)
    server.database.lift()
    writes = [server.open_client().write(value) for value in range(4)]
    assert {write.state for write in writes} == {WriteState.WAITING}
    server.database.fence(2.0)
    wait_for(lambda: all(write.state is WriteState.LOST for write in writes), 2.0, "the clients to lose contact")
    server.database.set_semi_sync(False)
    assert refusal(server) is WriteState.REFUSED
    assert {write.state for write in writes} == {WriteState.LOST}


def test_a_fence_holds_where_a_client_has_locked_tables(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    server.database.lift()
    holder = server.open_client()
    holder.lock_tables()
    server.database.fence(2.0)
    assert not holder.alive
    assert refusal(server) is WriteState.REFUSED


def test_closing_clients_leaves_replication_alone(pair: Servers) -> None:
    primary, replica = pair
    clients = [primary.open_client(), primary.open_client()]
    assert primary.database.close_clients() == 2
    assert not any(client.alive for client in clients)
    written(primary, 1)
    caught_up(primary, replica)
    assert replica.rows() == {1}


# --- semi-sync


def test_with_semi_sync_a_write_waits_for_a_standby_and_goes_on_without_it(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    server.database.lift()
    server.database.set_semi_sync(True)
    write = server.open_client().write(1)
    assert write.state is WriteState.WAITING
    facts = server.database.facts()
    assert facts.semi_sync_enabled
    assert facts.semi_sync_clients == 0
    server.database.set_semi_sync(False)
    wait_for(lambda: write.state is WriteState.ACKNOWLEDGED, 2.0, "the waiting write to go on")
    assert not server.database.facts().semi_sync_enabled


def test_an_acknowledged_write_has_been_received_by_the_standby(pair: Servers) -> None:
    primary, replica = pair
    primary.database.set_semi_sync(True)
    wait_for(lambda: primary.database.facts().semi_sync_clients == 1, 5.0, "the standby to acknowledge")
    written(primary, 1, 2, 3)
    facts = replica.database.facts()
    assert facts.replication is not None
    assert facts.replication.semi_sync
    assert reached(facts.replication.received_position, primary.database.facts().position)


def test_a_standby_is_counted_before_commits_wait_for_it(pair: Servers) -> None:
    primary, _ = pair
    assert not primary.database.facts().semi_sync_enabled
    wait_for(lambda: primary.database.facts().semi_sync_clients == 1, 5.0, "the standby to be counted")


def test_a_standby_that_connects_releases_waiting_writes(servers: Servers) -> None:
    primary, replica = servers
    primary.prepare()
    primary.database.lift()
    primary.database.set_semi_sync(True)
    write = primary.open_client().write(1)
    assert write.state is WriteState.WAITING
    replica.database.start_replication(primary.source_for(replica))
    wait_for(lambda: write.state is WriteState.ACKNOWLEDGED, CAUGHT_UP_S, "the write to be acknowledged")


def test_a_probe_that_only_waits_for_the_standby_says_so(servers: Servers) -> None:
    server = servers[0]
    server.prepare()
    server.database.set_semi_sync(True)
    with pytest.raises(LocalFailure) as caught:
        server.database.probe_write(4, 1.0)
    assert caught.value.code == "standby-silent"
    server.database.set_semi_sync(False)
    wait_for(lambda: server.database.facts().beat_term == 4, 2.0, "the probe's row, which was durable")


# --- replication


def test_rows_reach_the_replica_and_its_facts_tell(pair: Servers) -> None:
    primary, replica = pair
    written(primary, *range(20))
    caught_up(primary, replica)
    assert replica.rows() == set(range(20))
    facts = replica.database.facts()
    assert facts.read_only
    assert facts.position == primary.database.facts().position
    assert facts.replication is not None
    assert facts.replication.receiver_running
    assert facts.replication.applier_running
    assert facts.replication.receiver_error_number == facts.replication.applier_error_number == 0
    assert reached(facts.replication.received_position, facts.position)
    assert facts.replication.applied_position == facts.position
    assert refusal(replica) is WriteState.REFUSED


def test_a_replica_makes_no_transactions_of_its_own(pair: Servers) -> None:
    primary, replica = pair
    written(primary, 1)
    replica.database.ensure_accounts()
    caught_up(primary, replica)
    assert replica.database.facts().binlog_state == primary.database.facts().binlog_state


def test_a_source_that_is_not_the_pinned_one_is_refused(servers: Servers) -> None:
    primary, replica = servers
    primary.prepare()
    replica.database.start_replication(primary.source_for(replica, pinned=False))

    def error() -> str:
        facts = replica.database.facts().replication
        assert facts is not None
        assert not facts.receiver_running
        return facts.receiver_error

    wait_for(error, 5.0, "an error of the receiver")


def test_starting_replication_again_goes_on_where_it_was(pair: Servers) -> None:
    primary, replica = pair
    written(primary, 1)
    caught_up(primary, replica)
    replica.database.stop_receiver()
    written(primary, 2)
    replica.database.drain(5.0)
    replica.database.start_replication(primary.source_for(replica))
    caught_up(primary, replica)
    assert replica.rows() == {1, 2}


def test_waiting_for_a_position_that_does_not_come_ends_in_time(pair: Servers) -> None:
    primary, replica = pair
    replica.database.stop_receiver()
    written(primary, 1)
    assert not replica.database.wait_for(primary.database.facts().position, 0.3)


def test_a_replica_is_promoted_with_all_that_it_received(pair: Servers) -> None:
    primary, replica = pair
    written(primary, *range(50))
    caught_up(primary, replica)
    position = primary.database.fence(2.0)
    assert replica.database.wait_for(position, 5.0)
    for _ in range(2):
        replica.database.stop_receiver()
        assert replica.database.drain(5.0) == position
        replica.database.end_replication()
    replica.database.lift()
    written(replica, 50)
    assert replica.database.facts().replication is None
    primary.database.start_replication(replica.source_for(primary))
    caught_up(replica, primary)
    assert primary.rows() == set(range(51))


def test_a_stopped_applier_makes_a_drain_fail_and_says_why(pair: Servers) -> None:
    primary, replica = pair
    replica.break_applier()
    written(primary, 1)

    def stopped() -> bool:
        facts = replica.database.facts().replication
        return facts is not None and bool(facts.applier_error_number)

    wait_for(stopped, 5.0, "the applier to stop")
    replica.database.stop_receiver()
    with pytest.raises(LocalFailure) as caught:
        replica.database.drain(1.0)
    assert caught.value.code == "drain-timeout"
    assert "rows" in caught.value.detail


def test_a_server_with_transactions_of_its_own_is_not_contained_and_not_served(pair: Servers) -> None:
    primary, replica = pair
    written(primary, 1)
    caught_up(primary, replica)
    replica.database.stop_receiver()
    replica.database.drain(5.0)
    replica.database.end_replication()
    written(primary, 2, 3)
    ahead = primary.database.facts().position
    replica.database.lift()
    written(replica, *range(10, 20))
    assert not replica.database.contains(ahead)
    assert primary.database.contains(ahead)
    assert primary.database.contains("")
    assert not contains(replica.database.facts().binlog_state, ahead)
    primary.database.fence(2.0)
    primary.database.start_replication(replica.source_for(primary))

    def diverged() -> bool:
        facts = primary.database.facts().replication
        return facts is not None and facts.receiver_error_number == 1236

    wait_for(diverged, 5.0, "the replica to be refused")


# --- the second look at the primary


def test_the_standby_can_tell_whether_the_primarys_database_takes_writes(pair: Servers) -> None:
    primary, replica = pair
    source = primary.source_for(replica)
    replica.remember_source(source)
    assert replica.database.probe_remote(source.host, source.port, 2.0)
    primary.database.fence(2.0)
    assert not replica.database.probe_remote(source.host, source.port, 2.0)
    primary.database.lift()
    assert replica.database.probe_remote(source.host, source.port, 2.0)
    primary.kill()
    assert not replica.database.probe_remote(source.host, source.port, 2.0)


def test_a_primary_that_only_waits_for_the_standby_takes_writes(pair: Servers) -> None:
    primary, replica = pair
    source = primary.source_for(replica)
    replica.remember_source(source)
    replica.database.stop_receiver()
    primary.database.set_semi_sync(True)
    for _ in range(3):
        assert replica.database.probe_remote(source.host, source.port, 1.0)
    assert primary.database.close_clients() == 0


def test_without_a_stored_account_the_primary_cannot_be_asked(servers: Servers) -> None:
    with pytest.raises(LocalFailure):
        servers[0].database.probe_remote("127.0.0.1", 1, 1.0)


# --- seeding


def received(source: Server, target: Server) -> str:
    """The position of a copy of `source` that is staged at `target`."""
    chunks: list[bytes] = []
    source.database.send_seed(chunks.append)
    progress: list[int] = []
    position = target.database.receive_seed(
        iter(chunks), target.folder_named("staging"), lambda done, _: progress.append(done)
    )
    assert progress == sorted(progress)
    assert progress[-1] == sum(len(chunk) for chunk in chunks)
    return position


def seeded(source: Server, target: Server) -> None:
    """`target` serves the copy and replicates from `source`."""
    position = received(source, target)
    target.stop()
    target.database.switch_data(target.folder_named("staging"), target.folder_named("aside"))
    target.start()
    target.database.start_replication(source.source_for(target), position)
    caught_up(source, target)


@pytest.fixture
def other_data(servers: Servers) -> Iterator[Servers]:
    """A primary with the rows 1 and 2, and a standalone server with the row 77; the data folders are put back."""
    source, target = servers
    for server in servers:
        server.prepare()
        server.database.lift()
    written(source, 1, 2)
    written(target, 77)
    yield servers
    target.clean_up()


def test_a_seeded_server_has_the_data_and_follows(other_data: Servers) -> None:
    source, target = other_data
    seeded(source, target)
    assert target.rows() == {1, 2}
    written(source, 3)
    caught_up(source, target)
    assert target.rows() == {1, 2, 3}
    facts = target.database.facts()
    assert facts.read_only
    assert facts.position == source.database.facts().position
    assert target.database.contains(source.database.facts().position)
    assert refusal(target) is WriteState.REFUSED


def test_a_seeded_server_can_be_promoted_and_followed_at_once(other_data: Servers) -> None:
    source, target = other_data
    seeded(source, target)
    source.database.fence(2.0)
    target.database.stop_receiver()
    target.database.drain(5.0)
    target.database.end_replication()
    source.database.start_replication(target.source_for(source))
    target.database.lift()
    written(target, 3)
    caught_up(target, source)
    assert source.rows() == {1, 2, 3}


def test_switching_and_switching_back_may_be_repeated(other_data: Servers) -> None:
    source, target = other_data
    received(source, target)
    staging, aside = target.folder_named("staging"), target.folder_named("aside")
    target.stop()
    target.database.switch_data(staging, aside)
    target.database.switch_data(staging, aside)
    target.start()
    assert target.rows() == {1, 2}
    target.stop()
    target.database.switch_back(aside)
    target.database.switch_back(aside)
    target.start()
    assert target.rows() == {77}


def test_a_discarded_copy_can_not_be_switched_to(other_data: Servers) -> None:
    source, target = other_data
    received(source, target)
    staging, aside = target.folder_named("staging"), target.folder_named("aside")
    target.database.discard(staging)
    target.database.discard(staging)
    with pytest.raises(LocalFailure) as refused:
        target.database.discard("/elsewhere/data")
    assert refused.value.code == "not-discardable"
    target.stop()
    with pytest.raises(LocalFailure) as missing:
        target.database.switch_data(staging, aside)
    assert missing.value.code == "seed-missing"
    target.start()
    assert target.rows() == {77}


def test_data_is_never_switched_under_a_running_server(other_data: Servers) -> None:
    source, target = other_data
    received(source, target)
    for call in (
        lambda: target.database.switch_data(target.folder_named("staging"), target.folder_named("aside")),
        lambda: target.database.switch_back(target.folder_named("aside")),
    ):
        with pytest.raises(LocalFailure) as caught:
            call()
        assert caught.value.code == "database-running"
    assert target.rows() == {77}


def test_a_broken_stream_is_an_error_and_a_retry_works(other_data: Servers) -> None:
    source, target = other_data
    chunks: list[bytes] = []
    source.database.send_seed(chunks.append)
    whole = b"".join(chunks)
    staging, aside = target.folder_named("staging"), target.folder_named("aside")
    for broken in (whole[: len(whole) // 2], whole[: len(whole) // 3] + b"\0" * 5000, b""):
        with pytest.raises(LocalFailure) as caught:
            target.database.receive_seed(iter([broken]), staging, lambda done, total: None)
        assert caught.value.code == "seed-failed"
    target.stop()
    with pytest.raises(LocalFailure) as caught:
        target.database.switch_data(staging, aside)
    assert caught.value.code == "seed-missing"
    target.start()
    assert target.rows() == {77}
    seeded(source, target)
    assert target.rows() == {1, 2}


def test_a_stream_that_the_peer_breaks_off_raises_the_peers_error(other_data: Servers) -> None:
    source, target = other_data
    chunks: list[bytes] = []
    source.database.send_seed(chunks.append)

    def breaking() -> Iterator[bytes]:
        yield chunks[0]
        raise PeerUnreachable("peer-unreachable", "The Other Server Went Away")

    with pytest.raises(PeerUnreachable):
        target.database.receive_seed(breaking(), target.folder_named("staging"), lambda done, total: None)


# --- the return of a former primary


def split(pair: Servers, *values: int) -> str:
    """The replica is promoted while the primary goes on and writes `values` alone; the promotion point."""
    primary, replica = pair
    written(primary, 1, 2)
    caught_up(primary, replica)
    replica.database.stop_receiver()
    point = replica.database.drain(5.0)
    replica.database.end_replication()
    replica.database.lift()
    written(replica, 100)
    if values:
        written(primary, *values)
    return point


def test_a_former_primary_is_rescued_rewound_and_follows(pair: Servers) -> None:
    old, new = pair
    point = split(pair, 3, 4, 5)
    old.database.fence(2.0)
    report = old.database.rescue(point, old.folder_named("rescue"))
    assert report.transactions == 3
    assert report.rows_by_table["app.rows"] == 3
    assert len(report.spans) == 1
    assert report.rewindable, report.obstacle
    assert not report.obstacle
    old.database.rewind(point)
    assert old.rows() == {1, 2}
    assert old.database.facts().position == point
    old.database.start_replication(new.source_for(old))
    caught_up(new, old)
    assert old.rows() == new.rows() == {1, 2, 100}
    written(new, 101)
    caught_up(new, old)
    assert old.rows() == {1, 2, 100, 101}
    old.clean_up()


def test_a_former_primary_that_is_not_ahead_has_nothing_to_rescue_and_follows(pair: Servers) -> None:
    old, new = pair
    point = split(pair)
    old.database.fence(2.0)
    report = old.database.rescue(point, old.folder_named("rescue"))
    assert report.transactions == 0
    assert report.rewindable
    old.database.rewind(point)
    old.database.start_replication(new.source_for(old))
    caught_up(new, old)
    assert old.rows() == {1, 2, 100}
    old.clean_up()


def test_a_changed_structure_is_rescued_but_never_rewound(pair: Servers) -> None:
    old, _ = pair
    point = split(pair, 3)
    old.change_structure()
    old.database.fence(2.0)
    report = old.database.rescue(point, old.folder_named("rescue"))
    assert report.transactions == 2
    assert not report.rewindable
    assert "structure" in report.obstacle
    position = old.database.facts().position
    with pytest.raises(LocalFailure) as caught:
        old.database.rewind(point)
    assert caught.value.code == "rewind-refused"
    assert old.database.facts().position == position
    assert old.rows() == {1, 2, 3}
    old.clean_up()


def test_a_writable_server_is_not_rewound(pair: Servers) -> None:
    old, _ = pair
    point = split(pair, 3)
    with pytest.raises(LocalFailure) as caught:
        old.database.rewind(point)
    assert caught.value.code == "rewind-refused"
    assert old.rows() == {1, 2, 3}
