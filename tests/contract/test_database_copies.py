"""What every database promises of copies of its data, and of the return of a former primary."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from app.core.errors import LocalFailure, PeerUnreachable
from tests.contract.databases import Server, Servers, caught_up, refusal, written
from tests.copies import copy_of
from tests.fakes.database import WriteState

CHUNK_BYTES = 1024

# --- seeding


def received(source: Server, target: Server) -> str:
    """The position of a copy of `source` that is staged at `target`."""
    whole = copy_of(source.database)
    chunks = [whole[start : start + CHUNK_BYTES] for start in range(0, len(whole), CHUNK_BYTES)]
    progress: list[int] = []
    position = target.database.receive_seed(
        iter(chunks), target.folder_named("staging"), lambda done, _: progress.append(done)
    )
    assert progress == sorted(progress)
    assert progress[-1] == len(whole)
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
def other_data(database_servers: Servers) -> Iterator[Servers]:
    """A primary with the rows 1 and 2, and a standalone server with the row 77; the data folders are put back."""
    source, target = database_servers
    for server in database_servers:
        server.prepare()
        server.database.lift()
    written(source, 1, 2)
    written(target, 77)
    yield database_servers
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
    whole = copy_of(source.database)
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


def test_a_receiver_that_has_gone_is_an_error(other_data: Servers) -> None:
    source, _ = other_data
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(LocalFailure) as caught:
        source.database.send_seed(writing)
    assert caught.value.code == "seed-failed"
    os.close(writing)  # raises where the database has closed what is not its own


def test_a_stream_that_the_peer_breaks_off_raises_the_peers_error(other_data: Servers) -> None:
    source, target = other_data
    whole = copy_of(source.database)

    def breaking() -> Iterator[bytes]:
        yield whole[: len(whole) // 2]
        raise PeerUnreachable("peer-unreachable", "The Other Server Went Away")

    with pytest.raises(PeerUnreachable):
        target.database.receive_seed(breaking(), target.folder_named("staging"), lambda done, total: None)


# --- the return of a former primary


def split(database_pair: Servers, *values: int) -> str:
    """The replica is promoted while the primary goes on and writes `values` alone; the promotion point."""
    primary, replica = database_pair
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


def test_a_former_primary_is_rescued_rewound_and_follows(database_pair: Servers) -> None:
    old, new = database_pair
    point = split(database_pair, 3, 4, 5)
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


def test_a_former_primary_that_is_not_ahead_has_nothing_to_rescue_and_follows(database_pair: Servers) -> None:
    old, new = database_pair
    point = split(database_pair)
    old.database.fence(2.0)
    report = old.database.rescue(point, old.folder_named("rescue"))
    assert report.transactions == 0
    assert report.rewindable
    old.database.rewind(point)
    old.database.start_replication(new.source_for(old))
    caught_up(new, old)
    assert old.rows() == {1, 2, 100}
    old.clean_up()


def test_a_changed_structure_is_rescued_but_never_rewound(database_pair: Servers) -> None:
    old, _ = database_pair
    point = split(database_pair, 3)
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


def test_a_writable_server_is_not_rewound(database_pair: Servers) -> None:
    old, _ = database_pair
    point = split(database_pair, 3)
    with pytest.raises(LocalFailure) as caught:
        old.database.rewind(point)
    assert caught.value.code == "rewind-refused"
    assert old.rows() == {1, 2, 3}
