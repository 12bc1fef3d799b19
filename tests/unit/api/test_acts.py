"""APPLY and the other acts: which job they start, and when they are refused."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from app.core.roles import Role
from app.core.state import Fence, FenceReason, Phase
from app.ports import Actor
from tests.fakes.clock import START
from tests.unit.api.world import Caller, World, primary_draft, secondary_draft
from tests.waiting import wait_for

CONFLICT = Fence(FenceReason.CONFLICT, START)
ISOLATED = Fence(FenceReason.ISOLATED, START)


def job_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.get_json()["job"]
    return job


def test_apply_without_a_draft_says_so_in_the_manuals_words(call: Caller) -> None:
    answer = call("POST", "/ha/apply")
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "no-changes"
    assert answer.get_json()["title"] == "No Configuration Changes To Apply"


@pytest.mark.parametrize("role", ["primary", "secondary"])
def test_apply_of_a_first_draft_starts_the_setup(world: World, call: Caller, role: str) -> None:
    draft = primary_draft(world) if role == "primary" else secondary_draft()
    call.save(draft)
    job = job_of(call("POST", "/ha/apply"))
    assert (job["kind"], job["state"]) == (f"setup-{role}", "queued")
    assert job["steps"]
    assert world.queue.sent == [job["id"]]
    stored = world.store.job(job["id"])
    assert stored is not None
    assert stored.arguments["config"]["HAServerRole"] == role


def test_apply_pressed_twice_starts_one_job(world: World, call: Caller) -> None:
    call.save(secondary_draft())
    assert call("POST", "/ha/apply").status_code == 202
    again = call("POST", "/ha/apply")
    assert (again.status_code, again.get_json()["code"]) == (409, "job-running")
    assert len(world.store.jobs()) == 1


def test_apply_judges_the_draft_again_by_what_the_server_is_now(world: World, call: Caller) -> None:
    generated = primary_draft(world)
    call.save(generated)
    world.store.retire_pairing_key(generated["HAPeerFingerprint"])
    answer = call("POST", "/ha/apply")
    assert answer.status_code == 422
    assert world.store.jobs() == []


@pytest.mark.parametrize(
    ("role", "draft", "kind"),
    [
        (Role.PRIMARY, {"HAServerRole": "secondary"}, "swap"),
        (Role.PRIMARY, {"HAServerRole": "standalone"}, "teardown"),
        (Role.SECONDARY, {"HAServerRole": "standalone"}, "teardown"),
        (Role.PRIMARY, {"HAPingIterations": 3}, "settings"),
        (Role.SECONDARY, {"HAPingIterations": 3}, "settings"),
    ],
)
def test_apply_in_a_pair_does_what_the_role_table_says(
    world: World, call: Caller, role: Role, draft: dict[str, Any], kind: str
) -> None:
    world.become(role)
    call.save(draft)
    assert job_of(call("POST", "/ha/apply"))["kind"] == kind


def test_a_takeover_by_apply_asks_for_the_servers_name(world: World, call: Caller) -> None:
    world.become(Role.SECONDARY)
    call.save({"HAServerRole": "primary"})
    answer = call("POST", "/ha/apply")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "confirmation-needed")
    assert "alpha" in answer.get_json()["hint"]
    assert job_of(call("POST", "/ha/apply", {"confirm": "alpha"}))["kind"] == "takeover"


def test_a_queue_that_is_down_is_a_clear_error_and_leaves_the_draft(world: World, call: Caller) -> None:
    call.save(secondary_draft())
    world.queue.down = True
    answer = call("POST", "/ha/apply")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "queue-down")
    assert world.store.active_job() is None
    assert world.store.config().draft is not None
    world.queue.down = False
    assert job_of(call("POST", "/ha/retry"))["kind"] == "setup-secondary"


def test_there_is_nothing_to_retry_after_no_failure(call: Caller) -> None:
    assert call("POST", "/ha/retry").get_json()["code"] == "nothing-to-retry"


def test_swap_starts_on_the_primary_only(world: World, call: Caller) -> None:
    assert call("POST", "/ha/swap").get_json()["code"] == "not-paired"
    world.become(Role.SECONDARY)
    assert call("POST", "/ha/swap").get_json()["code"] == "not-in-this-role"
    world.become(Role.PRIMARY)
    call.save({"HAPingIterations": 3})
    job = job_of(call("POST", "/ha/swap", {"confirm": "swap"}))
    stored = world.store.job(job["id"])
    assert stored is not None
    assert stored.arguments["config"]["HAServerRole"] == "secondary"
    assert stored.arguments["config"]["HAPingIterations"] == 12


def test_takeover_is_for_a_secondary_and_confirmed(world: World, call: Caller) -> None:
    assert call("POST", "/ha/takeover", {"confirm": "alpha"}).get_json()["code"] == "not-paired"
    world.become(Role.SECONDARY)
    assert call("POST", "/ha/takeover").get_json()["code"] == "confirmation-needed"
    assert call("POST", "/ha/takeover", {"confirm": "beta"}).get_json()["code"] == "confirmation-needed"
    assert job_of(call("POST", "/ha/takeover", {"confirm": "alpha"}))["kind"] == "takeover"


def test_resume_is_for_a_fenced_primary_and_confirmed(world: World, call: Caller) -> None:
    world.become(Role.PRIMARY)
    assert call("POST", "/ha/resume", {"confirm": "alpha"}).get_json()["code"] == "not-fenced"
    world.become(Role.PRIMARY, fence=ISOLATED)
    assert call("POST", "/ha/resume").get_json()["code"] == "confirmation-needed"
    assert job_of(call("POST", "/ha/resume", {"confirm": "alpha"}))["kind"] == "resume"


@pytest.mark.parametrize(("keep", "kind"), [("this", "keep-this"), ("peer", "keep-peer")])
def test_a_conflict_is_resolved_by_choosing_whose_history_goes_on(
    world: World, call: Caller, keep: str, kind: str
) -> None:
    world.become(Role.PRIMARY, fence=ISOLATED)
    choice = {"keep": keep, "confirm": "alpha"}
    assert call("POST", "/ha/resolve", choice).get_json()["code"] == "no-conflict"
    world.become(Role.PRIMARY, fence=CONFLICT)
    assert call("POST", "/ha/resolve", {"keep": "both"}).status_code == 422
    assert call("POST", "/ha/resolve", {"keep": keep}).get_json()["code"] == "confirmation-needed"
    assert job_of(call("POST", "/ha/resolve", choice))["kind"] == kind


def test_maintenance_lasts_as_long_as_was_said(world: World, call: Caller) -> None:
    assert call("POST", "/ha/maintenance", {"enabled": True}).get_json()["code"] == "not-paired"
    world.become(Role.PRIMARY, phase=Phase.PAIRED)
    assert call("POST", "/ha/maintenance", {"enabled": True, "minutes": 30}).status_code == 200
    until = world.state().maintenance_until
    assert until is not None
    assert (until - world.clock.now()).total_seconds() == 1800
    assert call("GET", "/ha/status").get_json()["node"]["maintenance"]
    assert call("POST", "/ha/maintenance", {"enabled": False}).get_json() == {"maintenance_until": None}
    assert world.state().maintenance_until is None


def test_preflight_shows_the_workers_checks_and_changes_nothing(world: World, call: Caller) -> None:
    call.save(secondary_draft())
    before = world.store.config()
    checks = [{"id": "peer", "result": "fail", "detail": "It does not answer."}]

    def work() -> None:
        job = wait_for(world.store.active_job, 10, "the job of the checks")
        world.store.update_job(job.id, memory={"checks": checks}, state="succeeded")

    worker = threading.Thread(target=work)
    world.clock.sleep = lambda seconds: worker.join(10)  # type: ignore[method-assign]
    worker.start()
    answer = call("POST", "/ha/preflight")
    worker.join()
    assert answer.get_json() == {"checks": checks}
    assert world.store.config() == before


def test_preflight_without_a_worker_ends_with_a_clear_error(call: Caller) -> None:
    answer = call("POST", "/ha/preflight")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "worker-silent")


def test_every_act_and_attempt_stands_in_the_activity_log(world: World, call: Caller) -> None:
    world.become(Role.PRIMARY)
    call("POST", "/ha/takeover", {"confirm": "alpha"})
    call("POST", "/ha/swap")
    done, refused = world.store.activity()
    assert (refused.action, refused.outcome, refused.detail["code"]) == ("takeover", "refused", "not-in-this-role")
    assert (done.action, done.outcome, done.detail["kind"]) == ("swap", "done", "swap")


def test_no_act_is_possible_while_a_job_runs(world: World, call: Caller) -> None:
    world.become(Role.PRIMARY, fence=ISOLATED)
    world.store.create_job("settings", {}, (), Actor("dana"))
    for path, body in (("/ha/swap", {}), ("/ha/resume", {"confirm": "alpha"}), ("/ha/preflight", {})):
        assert call("POST", path, body).get_json()["code"] == "job-running"
