"""Every row of the table of diagnoses: the facts that prove it, and the act that follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.acts import ClearAlarm, Promote, RaiseAlarm
from app.core.diagnosis import PRIMARY_ROWS, SECONDARY_ROWS
from app.core.facts import Observation
from tests.unit.situations import (
    CAUGHT_UP,
    NOW_S,
    PRIMARY,
    SECONDARY,
    alarm,
    kinds,
    network,
    peer,
    primary_sees,
    secondary_sees,
    silent_peer,
    the,
    tick,
)

WELL = secondary_sees()
SILENT = silent_peer(WELL, 60.0)
STREAM_GONE = replace(WELL, replication_alive_age_s=60.0)
HELD = replace(CAUGHT_UP, diagnosis_since_s=NOW_S - 60.0)


def probe(seen: Observation, ok: bool) -> Observation:
    return replace(seen, peer_write_probe_ok=ok, peer_probe_age_s=0.5)


ROWS: list[tuple[str, Observation]] = [
    ("healthy", WELL),
    ("primary-silent", SILENT),
    ("primary-silent", probe(SILENT, ok=False)),
    ("ping-filtered", network(WELL, peer_missed=3)),
    ("ping-filtered", replace(SILENT, heartbeat_age_s=0.3)),
    ("ping-filtered", replace(SILENT, replication_alive_age_s=0.3)),
    ("ping-filtered", probe(SILENT, ok=True)),
    ("monitor-dead", probe(replace(WELL, heartbeat_age_s=60.0), ok=True)),
    ("monitor-dead", replace(WELL, heartbeat_age_s=60.0)),
    ("monitor-dead", peer(WELL, monitor_age_s=None)),
    ("monitor-dead", peer(WELL, monitor_age_s=5.0)),
    ("database-dead", probe(STREAM_GONE, ok=False)),
    ("database-dead", peer(STREAM_GONE, database_ok=False)),
    ("primary-frozen", probe(network(SILENT, peer_missed=0), ok=False)),
    ("primary-frozen", probe(peer(STREAM_GONE, monitor_age_s=None), ok=False)),
    ("primary-unclear", network(SILENT, peer_missed=0)),
    ("primary-unclear", network(WELL, peer_missed=1)),
    ("own-network", network(SILENT, gateway_answers=False)),
    ("own-network", network(SILENT, gateway_answers=None, targets={"t1": False})),
    ("own-network", network(SILENT, gateway_answers=False, peer_missed=1)),
]


@pytest.mark.parametrize(("name", "seen"), ROWS)
def test_the_facts_prove_the_diagnosis(name: str, seen: Observation) -> None:
    assert tick(SECONDARY, seen).diagnosis.name == name


def test_every_diagnosis_of_a_secondary_is_proven_by_some_facts() -> None:
    assert {name for name, _ in ROWS} == {row.name for row in SECONDARY_ROWS} | {"healthy"}


@pytest.mark.parametrize("name", [row.name for row in SECONDARY_ROWS if row.name not in ("primary-silent",)])
def test_only_a_silent_or_frozen_primary_can_be_replaced(name: str) -> None:
    seen = next(each for known, each in ROWS if known == name)
    assert ("Promote" in kinds(tick(SECONDARY, seen, HELD))) is False


def test_a_write_probe_that_is_old_says_nothing() -> None:
    seen = replace(probe(SILENT, ok=True), peer_probe_age_s=10.0)
    assert tick(SECONDARY, seen).diagnosis.name == "primary-silent"


def test_a_dead_replication_thread_is_no_dead_primary() -> None:
    decision = tick(SECONDARY, STREAM_GONE)
    assert "Promote" not in kinds(decision)
    assert decision.diagnosis.name == "healthy"


@pytest.mark.parametrize("name", [row.name for row in SECONDARY_ROWS if row.alarm])
def test_a_diagnosis_that_holds_is_alarmed_once_and_cleared_once(name: str) -> None:
    seen = next(each for known, each in ROWS if known == name)
    held = replace(HELD, diagnosis=name)
    assert name not in _raised(tick(SECONDARY, seen, replace(held, diagnosis_since_s=NOW_S - 4.9)))
    assert name in _raised(tick(SECONDARY, seen, held))
    assert name not in _raised(tick(SECONDARY, alarm(seen, name), held))
    better = tick(SECONDARY, alarm(WELL, name), HELD)
    assert the(better, ClearAlarm).code == name


PRIMARY_WELL = primary_sees()


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("healthy", PRIMARY_WELL),
        ("standby-silent", silent_peer(PRIMARY_WELL, 20.0)),
        ("isolated", network(silent_peer(PRIMARY_WELL, 20.0), gateway_answers=False)),
        ("standby-not-replicating", peer(PRIMARY_WELL, eligible=False)),
    ],
)
def test_a_primary_names_what_it_sees(name: str, seen: Observation) -> None:
    assert tick(PRIMARY, seen).diagnosis.name == name
    assert name in {row.name for row in PRIMARY_ROWS} | {"healthy"}


def _raised(decision: Any) -> set[str]:
    assert not any(isinstance(act, Promote) for act in decision.acts)
    return {act.code for act in decision.acts if isinstance(act, RaiseAlarm)}
