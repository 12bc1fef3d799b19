"""Status, logs, jobs, streams, system, health, metrics, documentation."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app.api.streams import STREAMS_MAX
from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import PeerIdentity, Phase
from app.ports import Actor, StepRecord
from tests.unit.api.world import PEER, Caller, World

BETA = PeerIdentity("node-b", "beta", PEER, "ssh-ed25519 A", "ssh-ed25519 B", "certificate")
STATUS_PARTS = {
    "node", "peer", "status", "reasons", "failover", "term", "fenced", "replication", "files", "pings", "job",
}  # fmt: skip


def snapshot(**node: Any) -> dict[str, Any]:
    """As much of the monitor's document as these tests need."""
    return {
        "node": {"writable": True, **node},
        "database": {"facts": {"beat_age_s": 0.2}, "facts_age_s": 0.1, "error": ""},
        "peer": {"address": PEER, "report": {"role": "secondary", "eligible": True}, "heartbeat_age_s": 0.1},
        "pings": {"peer": {"missed": 0, "round_trip_ms": 0.4}},
        "files": {"pending": 3},
        "alarms": [],
    }


def events_of(text: str) -> list[tuple[str, Any]]:
    return [(name, json.loads(data)) for name, data in re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)]


def test_the_status_has_every_part_of_the_contract(call: Caller) -> None:
    found = call("GET", "/ha/status").get_json()
    assert set(found) >= STATUS_PARTS
    assert found["status"] == "standalone"
    assert {"role", "writable", "hostname"} <= set(found["node"])
    assert {"ready", "reasons"} <= set(found["failover"])


def test_a_paired_primary_is_stable_and_names_its_peer(world: World, call: Caller) -> None:
    world.become(Role.PRIMARY, phase=Phase.PAIRED, peer=BETA, term=3)
    world.machine.publish("monitor", snapshot())
    found = call("GET", "/ha/status").get_json()
    assert (found["status"], found["term"], found["peer"]["hostname"]) == ("stable", 3, "beta")
    assert found["node"]["writable"]
    assert call("GET", "/health/primary").status_code == 200
    assert call("GET", "/health/ready").status_code == 200


def test_an_old_snapshot_is_never_good_news(world: World, call: Caller) -> None:
    world.become(Role.PRIMARY, phase=Phase.PAIRED, peer=BETA)
    world.machine.publish("monitor", snapshot())
    world.clock.advance(60)
    found = call("GET", "/ha/status").get_json()
    assert found["status"] == "degraded"
    assert not found["node"]["writable"]
    assert call("GET", "/health/primary").status_code == 503
    assert call("GET", "/health/ready").status_code == 503


def test_the_status_names_the_running_job(world: World, call: Caller) -> None:
    job = world.store.create_job("swap", {}, (), Actor("dana"))
    assert call("GET", "/ha/status").get_json()["job"] == {"id": job.id, "kind": "swap", "state": "queued"}


@pytest.mark.parametrize("role", [Role.STANDALONE, Role.SECONDARY])
def test_only_the_writable_primary_is_healthy_for_load_balancers(world: World, role: Role) -> None:
    world.become(role)
    world.machine.publish("monitor", snapshot())
    assert world.caller(None)("GET", "/health/primary").status_code == 503
    assert world.caller(None)("GET", "/health/live").status_code == 200


def test_health_says_that_the_node_store_is_broken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise LocalFailure("store-failed", "The Node Store Failed")

    monkeypatch.setattr(world.store, "state", broken)
    nobody = world.caller(None)
    assert nobody("GET", "/health/ready").status_code == 503
    assert nobody("GET", "/health/primary").status_code == 503
    assert nobody("GET", "/metrics").get_json()["code"] == "store-failed"


def test_metrics_show_figures_and_leave_out_what_is_not_known(world: World) -> None:
    nobody = world.caller(None)
    silent = nobody("GET", "/metrics").text
    assert 'hapair_role{role="standalone"} 1.0' in silent
    assert "hapair_replication_lag_seconds" not in silent
    world.machine.publish("monitor", snapshot())
    talking = nobody("GET", "/metrics").text
    assert "hapair_replication_lag_seconds 0.2" in talking
    assert "hapair_files_pending 3.0" in talking


def test_logs_are_paged_by_key_without_gap_or_repetition(world: World, call: Caller) -> None:
    world.common_log.down = True
    for number in range(7):
        world.store.add_event(f"event-{number}", "Failover", ("alpha", "beta"))
        world.store.add_activity(Actor("dana"), "apply", "done", {"number": number})
        job = world.store.create_job("settings", {}, (StepRecord("a", "A"),), Actor("dana"))
        world.store.update_job(job.id, state="succeeded")
    for path in ("/ha/events", "/activity?actor=dana", "/jobs"):
        seen: list[Any] = []
        joint = "&" if "?" in path else "?"
        page = call("GET", f"{path}{joint}limit=3").get_json()
        while True:
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            page = call("GET", f"{path}{joint}limit=3&before={page['next']}").get_json()
        assert len(seen) == 7
        assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "limit=-1", "before=x", "limit=1e3", "nope=1"])
def test_a_wrong_query_is_refused_by_field(call: Caller, query: str) -> None:
    answer = call("GET", f"/ha/events?{query}")
    assert answer.status_code == 422
    assert query.split("=", 1)[0] in answer.get_json()["errors"]


def test_a_job_shows_its_steps_with_progress(world: World, call: Caller) -> None:
    job = world.store.create_job("setup-secondary", {"secret": "x"}, (StepRecord("copy", "Copy"),), Actor("dana"))
    world.store.update_step(job.id, "copy", state="running", done=5, total=10, detail="5 of 10")
    found = call("GET", f"/jobs/{job.id}").get_json()
    assert found["steps"][0]["progress"] == {"done": 5, "total": 10}
    assert {"id", "kind", "state", "steps", "message"} <= set(found)
    assert "secret" not in found
    assert call("GET", "/jobs/none").get_json()["code"] == "no-such-job"
    assert call("GET", "/jobs/none/stream").status_code == 404


def test_a_jobs_stream_ends_with_the_job(world: World, call: Caller) -> None:
    job = world.store.create_job("swap", {}, (StepRecord("a", "A"),), Actor("dana"))
    states = iter(["running", "running", "succeeded"])
    world.clock.sleep = lambda _: world.store.update_job(job.id, state=next(states))  # type: ignore[method-assign]
    answer = call("GET", f"/jobs/{job.id}/stream")
    assert answer.content_type.startswith("text/event-stream")
    assert [(name, value["state"]) for name, value in events_of(answer.text)] == [
        ("job", "queued"), ("job", "running"), ("job", "succeeded"),
    ]  # fmt: skip


def test_the_status_stream_repeats_itself_so_that_silence_means_loss(world: World, call: Caller) -> None:
    events = events_of(call("GET", "/ha/status/stream").text)
    assert len(events) > 100
    assert all(name == "status" and value["status"] == "standalone" for name, value in events)


def test_a_stream_ends_with_its_session(world: World) -> None:
    browser = world.browser()
    answer = browser("GET", "/ha/status/stream")
    first = next(iter(answer.response))
    assert first
    browser("DELETE", "/session")
    assert len(list(answer.response)) <= 1
    answer.close()


def test_streams_are_bounded_and_given_back(world: World, call: Caller) -> None:
    opened = [call("GET", "/ha/status/stream") for _ in range(STREAMS_MAX)]
    refused = call("GET", "/ha/status/stream")
    assert (refused.status_code, refused.get_json()["code"]) == (503, "too-many-streams")
    for answer in opened:
        answer.close()
    again = call("GET", "/ha/status/stream")
    assert again.status_code == 200
    again.close()


def test_the_system_shows_what_ping_targets_are_checked_against(call: Caller) -> None:
    found = call("GET", "/system").get_json()
    assert (found["hostname"], found["gateway"], found["tunnel_network"]) == ("alpha", "10.0.0.254", "172.16.9.0/24")
    assert {"addresses", "version", "cpus", "memory_bytes", "disk_bytes"} <= set(found)


def test_the_documentation_is_a_page_without_scripts_that_asks_nobody_else(call: Caller) -> None:
    page = call("GET", "/docs").text
    for path in call("GET", "/openapi.json").get_json()["paths"]:
        assert path in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!/api/v1/)', page)
    assert call("GET", "/docs/style.css").content_type.startswith("text/css")


def test_every_described_answer_of_a_call_has_a_description(call: Caller) -> None:
    for operations in call("GET", "/openapi.json").get_json()["paths"].values():
        for method, operation in operations.items():
            if method != "parameters":
                assert operation["summary"]
                assert operation["responses"]
