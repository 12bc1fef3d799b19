"""Entries of the common log between two servers: what is sent can be kept, and what is not is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.activity import (
    BATCH_BYTES_MAX,
    DETAIL_BYTES_MAX,
    RECORDS_MAX,
    Entry,
    batch,
    read_records,
    record,
    storable,
)
from app.core.errors import InvalidInput, NotAllowed
from app.core.roles import Role
from jobs.peer.verbs import VERBS
from tests.unit.monitor.world import World

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
PLAIN = Entry("node-a", 7, AT, "alpha", "dana", "192.0.2.7", "apply", "done", {"changes": [{"from": 12, "to": 3}]})


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"in": found}
    return found


def test_an_entry_arrives_as_it_was_sent() -> None:
    sent = json.loads(json.dumps([record(PLAIN)]))
    assert read_records(sent, "node-a", 6) == [PLAIN]


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": "x" * 1000},
        {"node": "é" * 1000},
        {"actor": "half \ud800 character"},
        {"detail": {"text": "\udfff"}},
        {"detail": {"text": "x" * 10**6}},
        {"detail": nested(50)},
        {"detail": {"number": float("nan")}},
        {"detail": {"moment": AT}},
        {"action": "a'; DROP TABLE activity; --\x00\n"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_whatever_the_journal_has_becomes_an_entry_that_the_other_server_takes(changes: dict[str, Any]) -> None:
    entry = storable(replace(PLAIN, **changes))
    assert read_records(json.loads(json.dumps([record(entry)], allow_nan=False)), "node-a", 0) == [entry]
    assert storable(entry) == entry


@pytest.mark.parametrize(
    "changes",
    [
        {"entry": 0}, {"entry": -1}, {"entry": True}, {"entry": "7"}, {"entry": 2**63}, {"entry": None},
        {"at": "yesterday"}, {"at": "2026-01-02T03:04:05"}, {"at": 5}, {"at": "0001-01-01T00:00:00+23:59"},
        {"actor": "x" * 129}, {"actor": None}, {"actor": ["dana"]}, {"node": "x" * 256}, {"action": 1},
        {"detail": []}, {"detail": None}, {"detail": {"text": "x" * DETAIL_BYTES_MAX}}, {"detail": nested(20)},
        {"chain": None}, {"chain": "A" * 64}, {"chain": "a" * 63}, {"chain": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_record_of_a_wrong_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_records([record(PLAIN) | changes], "node-a", 0)


@pytest.mark.parametrize("sent", [None, {}, "records", [None], [[]], [record(PLAIN)] * 2, [{}] * (RECORDS_MAX + 1)])
def test_records_of_a_wrong_shape_are_refused(sent: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_records(sent, "node-a", 0)


def test_a_batch_is_bounded_in_number_and_size() -> None:
    many = [replace(PLAIN, node_entry=number) for number in range(1, 500)]
    assert batch(many) == many[:RECORDS_MAX]
    large = [replace(each, detail={"text": "x" * (DETAIL_BYTES_MAX - 100)}) for each in many]
    assert 1 < len(batch(large)) <= BATCH_BYTES_MAX // DETAIL_BYTES_MAX + 1
    assert batch([]) == []


def request(**changes: Any) -> dict[str, Any]:
    return {"pair_id": "p" * 32, "after": 0, "records": [record(PLAIN)], **changes}


def test_the_primary_writes_what_the_peer_sends_under_the_peers_own_name() -> None:
    world = World(Role.PRIMARY)
    body = request(records=[record(PLAIN) | {"node_id": "node-a"}])
    assert VERBS["activity"](world.node, body) == {"highest": 7}
    assert VERBS["activity"](world.node, body) == {"highest": 7}
    assert [(each.node_id, each.node_entry) for each in world.common_log.stored] == [("node-b", 7)]


@pytest.mark.parametrize("changes", [{"after": -1}, {"after": "0"}, {"records": "all"}, {"records": [{}]}], ids=str)
def test_the_primary_refuses_a_wrong_request_and_keeps_nothing_of_it(changes: dict[str, Any]) -> None:
    world = World(Role.PRIMARY)
    with pytest.raises(InvalidInput):
        VERBS["activity"](world.node, request(**changes))
    assert world.common_log.stored == []


def test_only_the_primary_of_the_same_pair_takes_entries() -> None:
    for world, changes in ((World(Role.SECONDARY), {}), (World(), {}), (World(Role.PRIMARY), {"pair_id": "q" * 32})):
        with pytest.raises(NotAllowed):
            VERBS["activity"](world.node, request(**changes))
        assert world.common_log.stored == []


def test_entries_after_a_gap_are_not_taken() -> None:
    world = World(Role.PRIMARY)
    assert VERBS["activity"](world.node, request(after=5)) == {"highest": 0}
    assert world.common_log.stored == []
