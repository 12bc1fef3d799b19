"""The status word, its reasons, and whether a failover would work."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core.pairconfig import ProtectionMode
from app.core.state import FenceReason, NodeState, Operation, Phase
from app.core.status import View, status
from tests.unit.situations import CONFIG, NOW, PRIMARY, SECONDARY, fenced

HEALTHY_PRIMARY: dict[str, Any] = {
    "node": {"writable": True, "eligible": False},
    "peer": {
        "address": "10.0.0.2", "hostname": "beta", "heartbeat_age_s": 0.4, "error": "",
        "report": {"hostname": "beta", "role": "secondary", "term": 4, "writable": False, "eligible": True,
                   "fence": None, "standby_out": False},
    },
    "database": {"facts": {"semi_sync_enabled": True, "semi_sync_clients": 1, "beat_age_s": 0.5}, "facts_age_s": 0.2,
                 "write_failing_s": 0.0, "error": ""},
    "replication": None,
    "files": {"pending": 0, "trouble": "", "last_error": "", "complete_at": None},
    "pings": {"interval_s": 1.0},
    "diagnosis": {"name": "healthy", "sentence": ""},
    "failover": {"obstacles": [], "lost_bound": ""},
    "alarms": [],
}  # fmt: skip
HEALTHY_SECONDARY: dict[str, Any] = {
    **HEALTHY_PRIMARY,
    "node": {"writable": False, "eligible": True},
    "peer": {
        "address": "10.0.0.1", "hostname": "alpha", "heartbeat_age_s": 0.4, "error": "",
        "report": {"hostname": "alpha", "role": "primary", "term": 4, "writable": True, "eligible": False,
                   "fence": None, "standby_out": False},
    },
    "replication": {"receiver_running": True, "applier_running": True, "alive_age_s": 0.2},
    "failover": {"obstacles": [], "lost_bound": "Nothing that was acknowledged."},
}  # fmt: skip


def seen(
    state: NodeState = PRIMARY,
    snapshot: dict[str, Any] | None = HEALTHY_PRIMARY,
    age_s: float | None = 0.3,
    **config: Any,
) -> dict[str, Any]:
    document = status(
        View(state, replace(CONFIG, **config), snapshot, age_s, NOW), hostname="alpha", address="10.0.0.1"
    )
    json.dumps(document)
    return document


def changed(snapshot: dict[str, Any], section: str, **changes: Any) -> dict[str, Any]:
    copy = deepcopy(snapshot)
    copy[section].update(changes)
    return copy


def report(snapshot: dict[str, Any], **changes: Any) -> dict[str, Any]:
    copy = deepcopy(snapshot)
    copy["peer"]["report"].update(changes)
    return copy


def codes(document: dict[str, Any]) -> list[str]:
    assert all(reason["text"] for reason in document["reasons"])
    return [reason["code"] for reason in document["reasons"]]


def test_a_healthy_pair_is_stable_on_both_servers() -> None:
    for document in (seen(), seen(SECONDARY, HEALTHY_SECONDARY)):
        assert document["status"] == "stable"
        assert document["reasons"] == []
        assert document["failover"] == {
            "ready": True, "reasons": [], "lost_bound": "Nothing that was acknowledged.", "lost_transactions": None,
            "window_s": 3.0,
        }  # fmt: skip
        assert document["protection"]["holds"] is True
        assert document["monitor"]["running"] is True


@pytest.mark.parametrize(("snapshot", "age_s"), [(None, None), (HEALTHY_PRIMARY, 5.0), (HEALTHY_PRIMARY, None)])
def test_a_stale_snapshot_is_never_shown_as_good_news(snapshot: dict[str, Any] | None, age_s: float | None) -> None:
    document = seen(PRIMARY, snapshot, age_s)
    assert document["status"] == "degraded"
    assert "monitor-silent" in codes(document)
    assert document["failover"]["ready"] is False
    assert document["node"]["writable"] is False
    assert document["protection"]["holds"] is False
    assert document["peer"]["heard"] is False
    assert document["peer"]["writable"] is None


def test_the_word_follows_role_phase_and_fence() -> None:
    alone = NodeState("node-a")
    assert seen(alone)["status"] == "standalone"
    assert seen(alone)["peer"] is None
    assert seen(replace(PRIMARY, phase=Phase.INITIALIZED))["status"] == "initialized"
    assert seen(replace(PRIMARY, phase=Phase.SYNCHRONIZING))["status"] == "synchronizing"
    assert seen(fenced(PRIMARY, FenceReason.CONFLICT))["status"] == "conflict"
    swapping = replace(PRIMARY, operation=Operation("j", "swap", NOW + timedelta(seconds=9)))
    assert seen(swapping)["status"] == "synchronizing"
    assert seen(replace(swapping, operation=Operation("j", "swap", NOW)))["status"] == "stable"


def test_a_pair_is_not_stable_for_a_secondary_whose_primary_announces_a_job() -> None:
    told = report(HEALTHY_SECONDARY, operation="settings")
    assert seen(SECONDARY, told)["status"] == "synchronizing"
    assert "settings" in seen(SECONDARY, told)["reasons"][0]["text"]
    assert seen(SECONDARY, report(HEALTHY_SECONDARY, operation="stopping"))["status"] == "stable"
    assert seen(PRIMARY, report(HEALTHY_PRIMARY, operation="settings"))["status"] == "stable"


def test_a_job_of_the_primary_hides_no_trouble_of_the_secondary() -> None:
    told = changed(report(HEALTHY_SECONDARY, operation="settings"), "database", facts=None)
    assert seen(SECONDARY, told)["status"] == "degraded"
    assert "database-down" in codes(seen(SECONDARY, told))


@pytest.mark.parametrize("reason", [reason for reason in FenceReason if reason is not FenceReason.CONFLICT])
def test_a_fence_is_named_with_its_exit(reason: FenceReason) -> None:
    document = seen(fenced(PRIMARY, reason, "detail"))
    assert document["status"] == "fenced"
    assert codes(document)[0] == reason.value
    assert document["fenced"]["reason"] == reason.value
    assert document["fenced"]["exit"]
    assert document["failover"]["ready"] is False


@pytest.mark.parametrize(
    ("snapshot", "code"),
    [
        (changed(HEALTHY_PRIMARY, "peer", heartbeat_age_s=3.5), "peer-silent"),
        (changed(HEALTHY_PRIMARY, "peer", heartbeat_age_s=None), "peer-silent"),
        (changed(HEALTHY_PRIMARY, "database", facts=None, error="refused"), "database-down"),
        (changed(HEALTHY_PRIMARY, "database", facts_age_s=6.0), "database-down"),
        (changed(HEALTHY_PRIMARY, "node", writable=False), "not-writable"),
        (changed(HEALTHY_PRIMARY, "files", last_error="no space left"), "files-behind"),
        (changed(HEALTHY_PRIMARY, "diagnosis", name="standby-silent", sentence="It is silent."), "standby-silent"),
        (report(HEALTHY_PRIMARY, eligible=False), "standby-not-caught-up"),
        (report(HEALTHY_PRIMARY, role="standalone"), "peer-role"),
        (report(HEALTHY_PRIMARY, stopping=True, monitor_age_s=0.4), "peer-stopping"),
        (report(HEALTHY_PRIMARY, monitor_age_s=6.0), "peer-monitor-silent"),
        (report(HEALTHY_PRIMARY, monitor_age_s=None), "peer-monitor-silent"),
        ({**HEALTHY_PRIMARY, "alarms": [{"code": "disk", "text": "It is full."}]}, "disk"),
    ],
)
def test_a_primary_with_a_trouble_is_degraded_and_says_which(snapshot: dict[str, Any], code: str) -> None:
    document = seen(PRIMARY, snapshot)
    assert document["status"] == "degraded"
    assert code in codes(document)


@pytest.mark.parametrize(
    ("snapshot", "code"),
    [
        (report(HEALTHY_SECONDARY, writable=False, fence="isolated"), "primary-not-writable"),
        (report(HEALTHY_SECONDARY, standby_out=True), "standby-out"),
        (report(HEALTHY_SECONDARY, role="secondary"), "peer-role"),
        (changed(HEALTHY_SECONDARY, "node", eligible=False), "not-caught-up"),
        (changed(HEALTHY_SECONDARY, "diagnosis", name="ping-filtered", sentence="It lives."), "ping-filtered"),
    ],
)
def test_a_secondary_with_a_trouble_is_degraded_and_says_which(snapshot: dict[str, Any], code: str) -> None:
    document = seen(SECONDARY, snapshot)
    assert document["status"] == "degraded"
    assert code in codes(document)


def test_a_standby_that_is_out_is_told_with_the_time_and_what_is_at_stake() -> None:
    document = seen(replace(PRIMARY, standby_out=True, standby_out_since=NOW))
    assert codes(document) == ["standby-out"]
    assert "2026-11-22 12:00:00 UTC" in document["failover"]["lost_bound"]
    assert [each["code"] for each in document["failover"]["reasons"]] == ["standby-out"]
    assert document["protection"]["holds"] is False


def test_the_secondary_shows_its_own_obstacles() -> None:
    obstacles = [{"reason": "own-network", "text": "No gateway."}]
    document = seen(SECONDARY, changed(HEALTHY_SECONDARY, "failover", obstacles=obstacles))
    assert document["failover"]["ready"] is False
    assert document["failover"]["reasons"] == [{"code": "own-network", "text": "No gateway."}]


def test_a_standby_whose_monitor_was_stopped_makes_the_pair_degraded_and_failover_not_ready() -> None:
    document = seen(snapshot=report(HEALTHY_PRIMARY, stopping=True, monitor_age_s=0.4))
    assert (document["status"], document["failover"]["ready"]) == ("degraded", False)
    assert [each["code"] for each in document["failover"]["reasons"]] == ["peer-stopping"]
    assert seen(snapshot=report(HEALTHY_PRIMARY, stopping=False, monitor_age_s=0.4))["status"] == "stable"


def test_maintenance_holds_failover_back_and_says_so() -> None:
    document = seen(replace(PRIMARY, maintenance_until=NOW + timedelta(hours=1)))
    assert document["status"] == "stable"
    assert [each["code"] for each in document["failover"]["reasons"]] == ["maintenance"]
    assert document["node"]["maintenance"] is True


def test_without_waiting_commits_the_lag_is_at_stake() -> None:
    snapshot = changed(HEALTHY_PRIMARY, "database", facts={"semi_sync_enabled": False, "semi_sync_clients": 1})
    document = seen(PRIMARY, snapshot, protection_mode=ProtectionMode.PERFORMANCE)
    assert "last moments" in document["failover"]["lost_bound"]
    assert document["protection"] == {
        "mode": "performance", "promise": document["protection"]["promise"], "holds": True,
    }  # fmt: skip


def test_one_trouble_is_told_once() -> None:
    snapshot = changed(HEALTHY_PRIMARY, "diagnosis", name="standby-silent", sentence="Silent.")
    snapshot["alarms"] = [{"code": "standby-silent", "text": "Silent."}]
    assert codes(seen(PRIMARY, snapshot)) == ["standby-silent"]


def test_the_lag_grows_with_the_age_of_the_snapshot() -> None:
    document = seen(SECONDARY, HEALTHY_SECONDARY, age_s=2.0)
    assert document["replication"]["lag_s"] == pytest.approx(2.5)
