"""What two servers say of themselves, compared: each check's pass, warning and failure."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from app.core.checks import (
    ROOM_TO_RUN_BYTES,
    Check,
    ServerFacts,
    compare,
    compare_addresses,
    failures,
    kept_aside,
    seed_space,
)

FACTS = ServerFacts(
    hostname="alpha", version="0.1.0", cpus=2, memory_bytes=4 << 30, disk_bytes=100 << 30, disk_free_bytes=50 << 30,
    engine="MariaDB", engine_version="10.11.19", data_bytes=1 << 30, files_bytes=1 << 20, time=1000.0,
)  # fmt: skip


def results(found: list[Check]) -> dict[str, str]:
    return {check.id: check.result for check in found}


def test_two_equal_servers_pass_every_check() -> None:
    assert set(results(compare(FACTS, FACTS, 0.0)).values()) == {"pass"}


@pytest.mark.parametrize(
    ("change", "check", "result"),
    [
        ({"version": "0.2.0"}, "version", "fail"),
        ({"cpus": 4}, "cpus", "warn"),
        ({"memory_bytes": 5 << 30}, "memory", "warn"),
        ({"memory_bytes": int(4.2 * (1 << 30))}, "memory", "pass"),
        ({"disk_bytes": 10 << 30}, "disk", "warn"),
        ({"disk_free_bytes": 1 << 20}, "seed-space", "fail"),
        ({"engine": "MySQL"}, "database", "fail"),
        ({"engine_version": "10.6.1"}, "database", "fail"),
        ({"engine_version": "10.11.3"}, "database", "warn"),
        ({"time": 1001.9}, "clocks", "pass"),
        ({"time": 1003.0}, "clocks", "fail"),
        ({"time": 997.0}, "clocks", "fail"),
    ],
)
def test_a_difference_is_judged(change: dict[str, object], check: str, result: str) -> None:
    found = results(compare(FACTS, replace(FACTS, **change), 0.0))  # type: ignore[arg-type]
    assert found.pop(check) == result
    assert set(found.values()) == {"pass"}


def test_the_time_of_the_question_is_not_taken_for_a_difference_of_clocks() -> None:
    assert results(compare(FACTS, replace(FACTS, time=1005.0), 4.0))["clocks"] == "pass"
    assert results(compare(FACTS, replace(FACTS, time=1007.0), 4.0))["clocks"] == "fail"


def test_addresses_must_mirror_each_other_and_roles_must_differ() -> None:
    primary = {"HAServerAddress": "10.0.0.1", "HAPeerAddress": "B.example", "HAServerRole": "primary"}
    secondary = {"HAServerAddress": "b.example", "HAPeerAddress": "10.0.0.1", "HAServerRole": "secondary"}
    assert results(compare_addresses(primary, secondary)) == {"addresses": "pass", "roles": "pass"}
    assert results(compare_addresses(primary, {**secondary, "HAPeerAddress": "10.0.0.9"}))["addresses"] == "fail"
    assert results(compare_addresses(primary, {**secondary, "HAServerRole": "primary"}))["roles"] == "fail"
    assert results(compare_addresses(primary, {})) == {"addresses": "fail", "roles": "fail"}


def test_the_secondary_needs_room_for_the_copy_beside_its_own_data_and_to_run() -> None:
    assert seed_space(100, 10, 130 + ROOM_TO_RUN_BYTES).result == "pass"
    assert seed_space(100, 10, 129 + ROOM_TO_RUN_BYTES).result == "fail"
    assert failures([seed_space(100, 10, 0)])


@pytest.mark.parametrize("broken", [{"cpus": None}, {"cpus": "many"}, {"time": {}}, {"memory_bytes": float("inf")}])
def test_facts_of_the_other_server_are_not_trusted(broken: dict[str, object]) -> None:
    document = {**asdict(FACTS), **broken}
    with pytest.raises(ValueError, match="not complete"):
        ServerFacts.from_json(document)
    with pytest.raises(ValueError, match="not complete"):
        ServerFacts.from_json({})
    assert ServerFacts.from_json(asdict(FACTS)) == FACTS


def test_what_is_kept_aside_is_told_with_its_size_and_warned_of_when_the_disk_is_short() -> None:
    assert kept_aside(0, 0, 1).result == "pass"
    small = kept_aside(2, 1 << 30, 5 << 30)
    assert small.result == "pass"
    assert "(2) take 1.07 GB" in small.detail
    large = kept_aside(2, 6 << 30, 5 << 30)
    assert large.result == "warn"
    assert "hapair rescues remove" in large.detail
    assert not failures([large])
