"""What every database promises: the fake, and two real MariaDB servers."""

from __future__ import annotations

import pytest

from app.core.errors import LocalFailure
from app.core.positions import contains, reached
from tests.contract.databases import CAUGHT_UP_S, SOON_S, Servers, caught_up, ended, refusal, written
from tests.fakes.database import WriteState
from tests.waiting import wait_for

# --- looking, probing, accounts


def test_a_fresh_server_is_read_only_and_has_no_history(database_servers: Servers) -> None:
    facts = database_servers[0].database.facts()
    assert facts.read_only
    assert facts.position == facts.binlog_state == ""
    assert facts.replication is None
    assert facts.beat_age_s is None
    assert facts.uptime_s >= 0


def test_making_accounts_twice_writes_no_transaction(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    position = server.database.facts().position
    server.database.ensure_accounts()
    assert server.database.facts().position == position


def test_a_probe_leaves_a_beat_with_its_term(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    before = server.database.facts().position
    gtid = server.database.probe_write(7, 2.0)
    facts = server.database.facts()
    assert facts.position == gtid
    assert facts.beat_term == 7
    assert facts.beat_age_s is not None
    assert 0 <= facts.beat_age_s < SOON_S
    assert facts.position != before
    server.database.probe_write(8, 2.0)
    assert server.database.facts().beat_term == 8


def test_a_read_only_server_takes_only_the_first_row_of_a_new_term(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    server.database.lift()
    server.database.probe_write(3, 2.0)
    position = server.database.fence(2.0)
    assert server.database.probe_write(3, 2.0) == ""
    assert server.database.probe_write(2, 2.0) == ""
    assert server.database.facts().position == position
    server.database.probe_write(4, 2.0)
    facts = server.database.facts()
    assert facts.beat_term == 4
    assert facts.position != position
    server.database.probe_write(4, 2.0)
    assert server.database.facts().position == facts.position


def test_the_standby_sees_the_primarys_beat(database_pair: Servers) -> None:
    primary, replica = database_pair
    primary.database.probe_write(3, 2.0)
    caught_up(primary, replica)
    assert replica.database.facts().beat_term == 3


def test_a_dead_server_is_down(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    server.kill()
    for call in (server.database.facts, server.database.lift, lambda: server.database.probe_write(1, 1.0)):
        with pytest.raises(LocalFailure) as caught:
            call()
        assert caught.value.code == "database-down"


def test_another_life_of_a_server_has_another_process(database_servers: Servers) -> None:
    server = database_servers[0]
    process_id = server.database.facts().process_id
    assert process_id > 0
    assert server.database.facts().process_id == process_id
    server.kill()
    server.start()
    assert server.database.facts().process_id not in (0, process_id)


def test_the_size_of_the_data_is_known(database_servers: Servers) -> None:
    database_servers[0].prepare()
    assert database_servers[0].database.data_bytes() > 0


# --- the fence


def test_clients_write_only_after_the_lift(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    assert refusal(server) is WriteState.REFUSED
    server.database.lift()
    server.database.lift()
    assert not server.database.facts().read_only
    written(server, 1)
    assert server.rows() == {1}


def test_a_fence_refuses_writes_and_closes_clients(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    server.database.lift()
    client = server.open_client()
    assert ended(client.write(1)) is WriteState.ACKNOWLEDGED
    position = server.database.fence(2.0)
    assert not client.alive
    assert client.write(2).state is not WriteState.ACKNOWLEDGED
    assert refusal(server) is WriteState.REFUSED
    facts = server.database.facts()
    assert facts.read_only
    assert facts.position == position
    assert server.database.fence(2.0) == position
    assert server.rows() == {1}


def test_a_fence_ends_commits_that_wait_for_a_standby_unacknowledged(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    server.database.set_semi_sync(True)
    server.database.lift()
    writes = [server.open_client().write(value) for value in range(4)]
    assert {write.state for write in writes} == {WriteState.WAITING}
    server.database.fence(2.0)
    wait_for(lambda: all(write.state is WriteState.LOST for write in writes), SOON_S, "the clients to lose contact")
    server.database.set_semi_sync(False)
    assert refusal(server) is WriteState.REFUSED
    assert {write.state for write in writes} == {WriteState.LOST}


def test_a_fence_holds_where_a_client_has_locked_tables(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    server.database.lift()
    holder = server.open_client()
    holder.lock_tables()
    server.database.fence(2.0)
    assert not holder.alive
    assert refusal(server) is WriteState.REFUSED


def test_closing_clients_leaves_replication_alone(database_pair: Servers) -> None:
    primary, replica = database_pair
    clients = [primary.open_client(), primary.open_client()]
    assert primary.database.close_clients() == 2
    assert not any(client.alive for client in clients)
    written(primary, 1)
    caught_up(primary, replica)
    assert replica.rows() == {1}


# --- semi-sync


def test_with_semi_sync_a_write_waits_for_a_standby_and_goes_on_without_it(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    server.database.lift()
    server.database.set_semi_sync(True)
    write = server.open_client().write(1)
    assert write.state is WriteState.WAITING
    facts = server.database.facts()
    assert facts.semi_sync_enabled
    assert facts.semi_sync_clients == 0
    server.database.set_semi_sync(False)
    wait_for(lambda: write.state is WriteState.ACKNOWLEDGED, SOON_S, "the waiting write to go on")
    assert not server.database.facts().semi_sync_enabled


def test_an_acknowledged_write_has_been_received_by_the_standby(database_pair: Servers) -> None:
    primary, replica = database_pair
    primary.database.set_semi_sync(True)
    wait_for(lambda: primary.database.facts().semi_sync_clients == 1, SOON_S, "the standby to acknowledge")
    written(primary, 1, 2, 3)
    facts = replica.database.facts()
    assert facts.replication is not None
    assert facts.replication.semi_sync
    assert reached(facts.replication.received_position, primary.database.facts().position)


def test_what_still_waits_for_the_standby_is_beyond_what_it_has_acknowledged(database_pair: Servers) -> None:
    primary, replica = database_pair
    primary.database.set_semi_sync(True)
    wait_for(lambda: primary.database.facts().semi_sync_clients == 1, SOON_S, "the standby to acknowledge")
    written(primary, 1, 2, 3)
    acknowledged = primary.database.facts().position
    assert primary.database.acknowledged_position() == acknowledged
    replica.database.stop_receiver()
    write = primary.open_client().write(4)
    wait_for(lambda: primary.database.facts().position != acknowledged, SOON_S, "the write in the log")
    assert write.state is WriteState.WAITING
    assert primary.database.acknowledged_position() == acknowledged


def test_a_standby_is_counted_before_commits_wait_for_it(database_pair: Servers) -> None:
    primary, _ = database_pair
    assert not primary.database.facts().semi_sync_enabled
    wait_for(lambda: primary.database.facts().semi_sync_clients == 1, SOON_S, "the standby to be counted")


def test_a_standby_that_connects_releases_waiting_writes(database_servers: Servers) -> None:
    primary, replica = database_servers
    primary.prepare()
    primary.database.lift()
    primary.database.set_semi_sync(True)
    write = primary.open_client().write(1)
    assert write.state is WriteState.WAITING
    replica.database.start_replication(primary.source_for(replica))
    wait_for(lambda: write.state is WriteState.ACKNOWLEDGED, CAUGHT_UP_S, "the write to be acknowledged")


def test_a_probe_that_only_waits_for_the_standby_says_so(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    server.database.set_semi_sync(True)
    with pytest.raises(LocalFailure) as caught:
        server.database.probe_write(4, 1.0)
    assert caught.value.code == "standby-silent"
    server.database.set_semi_sync(False)
    wait_for(lambda: server.database.facts().beat_term == 4, SOON_S, "the probe's row, which was durable")


# --- replication


def test_rows_reach_the_replica_and_its_facts_tell(database_pair: Servers) -> None:
    primary, replica = database_pair
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
    assert facts.replication.received_age_s is not None
    assert 0 <= facts.replication.received_age_s < SOON_S
    assert refusal(replica) is WriteState.REFUSED


def test_a_replica_makes_no_transactions_of_its_own(database_pair: Servers) -> None:
    primary, replica = database_pair
    written(primary, 1)
    replica.database.ensure_accounts()
    caught_up(primary, replica)
    assert replica.database.facts().binlog_state == primary.database.facts().binlog_state


def test_a_probe_without_a_standby_leaves_the_history_as_it_is(database_servers: Servers) -> None:
    server = database_servers[0]
    server.prepare()
    server.database.probe_write(3, 2.0)
    before = server.database.facts()
    server.database.probe_write(4, 2.0, replicated=False)
    after = server.database.facts()
    assert (before.beat_term, after.beat_term) == (3, 4)
    assert (before.binlog_state, before.position) == (after.binlog_state, after.position)


def test_without_its_account_nobody_replicates_any_more(database_pair: Servers) -> None:
    primary, replica = database_pair
    written(primary, 1)
    caught_up(primary, replica)
    before = primary.database.facts().binlog_state
    for _ in range(2):
        primary.database.drop_replication_account()
    assert primary.database.facts().binlog_state == before
    written(primary, 2)

    def refused() -> bool:
        facts = replica.database.facts().replication
        return facts is not None and not facts.receiver_running

    wait_for(refused, SOON_S, "the end of the receiver")
    assert replica.rows() == {1}


def test_a_source_that_is_not_the_pinned_one_is_refused(database_servers: Servers) -> None:
    primary, replica = database_servers
    primary.prepare()
    replica.database.start_replication(primary.source_for(replica, pinned=False))

    def error() -> str:
        facts = replica.database.facts().replication
        assert facts is not None
        assert not facts.receiver_running
        return facts.receiver_error

    wait_for(error, SOON_S, "an error of the receiver")


def test_starting_replication_again_goes_on_where_it_was(database_pair: Servers) -> None:
    primary, replica = database_pair
    written(primary, 1)
    caught_up(primary, replica)
    replica.database.stop_receiver()
    written(primary, 2)
    replica.database.drain(5.0)
    replica.database.start_replication(primary.source_for(replica))
    caught_up(primary, replica)
    assert replica.rows() == {1, 2}


def test_waiting_for_a_position_that_does_not_come_ends_in_time(database_pair: Servers) -> None:
    primary, replica = database_pair
    replica.database.stop_receiver()
    written(primary, 1)
    assert not replica.database.wait_for(primary.database.facts().position, 0.3)


def test_a_replica_is_promoted_with_all_that_it_received(database_pair: Servers) -> None:
    primary, replica = database_pair
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


def test_a_stopped_applier_makes_a_drain_fail_and_says_why(database_pair: Servers) -> None:
    primary, replica = database_pair
    replica.break_applier()
    written(primary, 1)

    def stopped() -> bool:
        facts = replica.database.facts().replication
        return facts is not None and bool(facts.applier_error_number)

    wait_for(stopped, SOON_S, "the applier to stop")
    replica.database.stop_receiver()
    with pytest.raises(LocalFailure) as caught:
        replica.database.drain(1.0)
    assert caught.value.code == "drain-timeout"
    assert "rows" in caught.value.detail


def test_a_server_with_transactions_of_its_own_is_not_contained_and_not_served(database_pair: Servers) -> None:
    primary, replica = database_pair
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

    wait_for(diverged, SOON_S, "the replica to be refused")


# --- the second look at the primary


def test_the_standby_can_tell_whether_the_primarys_database_takes_writes(database_pair: Servers) -> None:
    primary, replica = database_pair
    source = primary.source_for(replica)
    replica.remember_source(source)
    assert replica.database.probe_remote(source.host, source.port, 2.0)
    primary.database.fence(2.0)
    assert not replica.database.probe_remote(source.host, source.port, 2.0)
    primary.database.lift()
    assert replica.database.probe_remote(source.host, source.port, 2.0)
    primary.kill()
    assert not replica.database.probe_remote(source.host, source.port, 2.0)


def test_a_primary_that_has_ended_the_pair_counts_as_alive(database_pair: Servers) -> None:
    primary, replica = database_pair
    source = primary.source_for(replica)
    replica.remember_source(source)
    primary.database.drop_replication_account()
    assert replica.database.probe_remote(source.host, source.port, 2.0)
    primary.kill()
    assert not replica.database.probe_remote(source.host, source.port, 2.0)


def test_a_primary_that_only_waits_for_the_standby_takes_writes(database_pair: Servers) -> None:
    primary, replica = database_pair
    source = primary.source_for(replica)
    replica.remember_source(source)
    replica.database.stop_receiver()
    primary.database.set_semi_sync(True)
    for _ in range(3):
        assert replica.database.probe_remote(source.host, source.port, 2.0)
    assert primary.database.close_clients() == 0


def test_without_a_stored_account_the_primary_cannot_be_asked(database_servers: Servers) -> None:
    with pytest.raises(LocalFailure):
        database_servers[0].database.probe_remote("127.0.0.1", 1, 1.0)
