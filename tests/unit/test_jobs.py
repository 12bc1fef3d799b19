"""Each kind of job on two nodes of fakes: what it leaves on both servers, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.acts import Cause
from app.core.errors import LocalFailure, NotAllowed
from app.core.facts import DatabaseFacts
from app.core.messages import APPLY_ON_SECONDARY, COMMUNICATION_ERROR, INITIALIZED
from app.core.plans import KEEP_PEER, KEEP_THIS, PREFLIGHT, REJOIN
from app.core.roles import Change, Role
from app.core.state import FenceReason, Operation
from jobs.start import retry_job, start_job
from jobs.steps import fencing, promotion
from tests.unit.pair_world import ADMIN, World


@pytest.fixture
def world() -> World:
    return World()


def test_the_manuals_workflow_makes_a_pair(world: World) -> None:
    world.save_drafts()
    first = world.alpha.apply(Change.SETUP_PRIMARY)
    assert first.state == "succeeded", first
    assert first.message == f"{INITIALIZED} {APPLY_ON_SECONDARY}"
    assert world.alpha.look()["writable"]
    second = world.beta.apply(Change.SETUP_SECONDARY)
    assert second.state == "succeeded", second
    assert second.message == INITIALIZED
    alpha, beta = world.alpha.look(), world.beta.look()
    assert (alpha["role"], alpha["phase"]) == ("primary", "paired")
    assert (beta["role"], beta["phase"]) == ("secondary", "paired")
    assert world.beta.store.state().term == world.alpha.store.state().term == 1
    assert beta["rows"] == alpha["rows"] == {"app.rows": {"10": "10"}}
    assert beta["files"] == alpha["files"]
    assert not beta["writable"]
    assert beta["replicates from"] == "10.0.0.1"
    assert world.beta.store.config().draft is None
    assert world.beta.store.config().applied["HAServerRole"] == "secondary"


def test_the_secondarys_own_data_is_kept_aside(world: World) -> None:
    world.pair()
    kept = [folder for path, folder in world.beta.database.folders.items() if ".aside-" in path]
    assert [folder.tables["app.rows"] for folder in kept] == [{"20": "20"}]
    assert list(world.beta.mirror.aside.values()) == [{"beta.txt": b"beta"}]


def test_rows_written_after_the_set_up_are_replicated(world: World) -> None:
    world.pair()
    world.alpha.database.open_client().write(11)
    world.network.settle()
    assert world.beta.database.rows() == {10, 11}


def test_settings_of_each_server_are_agreed_at_the_set_up(world: World) -> None:
    world.save_drafts()
    world.alpha.draft(Role.PRIMARY, HAFileSyncInterval=7, HAPeerFingerprint=_fingerprint(world))
    world.beta.draft(Role.SECONDARY, HAPingIterations=3, HAPeerFingerprint=_fingerprint(world))
    world.alpha.apply(Change.SETUP_PRIMARY)
    world.beta.apply(Change.SETUP_SECONDARY)
    for server in (world.alpha, world.beta):
        applied = server.store.config().applied
        assert (applied["HAFileSyncInterval"], applied["HAPingIterations"]) == (7, 3)


def test_the_secondary_refuses_to_be_first(world: World) -> None:
    world.save_drafts()
    before = world.look()
    job = world.beta.apply(Change.SETUP_SECONDARY)
    assert job.state == "reverted"
    assert job.error is not None
    assert job.error["code"] == "primary-not-ready"
    assert world.look() == before
    assert world.beta.store.config().failed == job.message
    world.alpha.apply(Change.SETUP_PRIMARY)
    assert world.beta.apply(Change.SETUP_SECONDARY).state == "succeeded"


def test_no_listener_is_a_communication_error_and_retry_works(world: World) -> None:
    world.save_drafts()
    assert world.listener is not None
    world.listener.stop()
    before = world.look()
    job = world.alpha.apply(Change.SETUP_PRIMARY)
    assert job.state == "reverted"
    assert job.message.startswith(COMMUNICATION_ERROR)
    assert world.look() == before
    assert world.alpha.store.config().draft is not None
    assert world.alpha.store.config().failed == job.message
    world.listen(_fingerprint(world))
    assert world.alpha.work(retry_job(world.alpha.node, ADMIN).id).state == "succeeded"


def test_a_wrong_fingerprint_is_a_communication_error(world: World) -> None:
    world.save_drafts()
    world.listen("SHA256:" + "A" * 43)
    job = world.alpha.apply(Change.SETUP_PRIMARY)
    assert job.error is not None
    assert job.error["cause"] == "fingerprint-mismatch"
    assert job.message.startswith(COMMUNICATION_ERROR)


def test_a_server_of_another_version_is_refused_before_anything_changes(world: World) -> None:
    import dataclasses

    world.save_drafts()
    world.beta.machine.current = dataclasses.replace(world.beta.machine.current, version="9.9")
    before = world.look()
    job = world.alpha.apply(Change.SETUP_PRIMARY)
    assert job.error is not None
    assert job.error["code"] == "preflight-failed"
    assert "9.9" in job.error["detail"]
    assert world.look() == before


def test_a_used_fingerprint_is_refused_on_the_primary(world: World) -> None:
    world.pair()
    used = _fingerprint(world)
    world.alpha.draft(Role.STANDALONE)
    world.alpha.apply(Change.TEARDOWN)
    world.alpha.draft(Role.PRIMARY, HAPeerFingerprint=used)
    job = world.alpha.apply(Change.SETUP_PRIMARY)
    assert job.error is not None
    assert job.error["cause"] == "fingerprint-used"


def test_a_dry_run_lists_the_checks_and_changes_nothing(world: World) -> None:
    world.save_drafts()
    before = world.look()
    job = world.alpha.apply(PREFLIGHT)
    results = {check["id"]: check["result"] for check in job.memory["checks"]}
    assert set(results.values()) == {"pass"}
    assert {"peer", "fingerprint", "addresses", "roles", "version", "cpus", "memory", "disk"} <= set(results)
    assert {"database", "clocks", "seed-space", "ports"} <= set(results)
    assert world.look() == before


def test_no_failover_waits_for_a_dry_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.pair()
    announced: list[Operation | None] = []
    facts = world.alpha.database.facts

    def look() -> DatabaseFacts:
        announced.append(world.alpha.store.state().operation)
        return facts()

    monkeypatch.setattr(world.alpha.database, "facts", look)
    assert world.alpha.apply(PREFLIGHT).state == "succeeded"
    assert announced
    assert set(announced) == {None}


def test_a_stable_pair_is_torn_down_by_one_apply_on_the_primary(world: World) -> None:
    world.pair()
    world.alpha.draft(Role.STANDALONE)
    job = world.alpha.apply(Change.TEARDOWN)
    assert job.state == "succeeded", job
    for server in (world.alpha, world.beta):
        seen = server.look()
        assert (seen["role"], seen["phase"], seen["writable"]) == ("standalone", "none", True)
        assert (seen["paired with"], seen["pinned"], seen["replicates from"]) == (None, False, None)
        assert seen["rows"] == {"app.rows": {"10": "10"}}
        assert server.store.config().applied["HAServerRole"] == "standalone"


def test_a_second_set_up_follows_a_teardown_ten_times(world: World) -> None:
    for round_number in range(10):
        world.pair()
        world.alpha.database.open_client().write(100 + round_number)
        world.network.settle()
        world.alpha.draft(Role.STANDALONE)
        assert world.alpha.apply(Change.TEARDOWN).state == "succeeded"
    assert world.beta.database.rows() == {10, *range(100, 110)}


def test_data_moved_aside_is_kept_unless_the_primary_holds_all_of_it(world: World) -> None:
    world.pair()
    kept = [folder.tables["app.rows"] for folder in world.beta.database.folders.values()]
    assert kept == [{"20": "20"}]
    world.alpha.draft(Role.STANDALONE)
    world.alpha.apply(Change.TEARDOWN)
    world.pair()
    assert len(world.beta.database.folders) == 1
    world.alpha.draft(Role.STANDALONE)
    world.alpha.apply(Change.TEARDOWN)
    world.beta.database.open_client().write(77)
    world.pair()
    kept = [set(folder.tables["app.rows"]) for folder in world.beta.database.folders.values()]
    assert sorted(kept, key=len) == [{"20"}, {"10", "77"}]


def test_without_contact_each_server_is_torn_down_by_itself(world: World) -> None:
    world.pair()
    world.cut()
    for server in (world.alpha, world.beta):
        server.draft(Role.STANDALONE)
        assert server.apply(Change.TEARDOWN).state == "succeeded"
        assert server.look()["writable"]
        assert server.look()["role"] == "standalone"
    world.heal()
    world.pair()


def test_a_secondary_that_leaves_waits_for_its_primary_to_start_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pair()
    world.beta.peer.reachable = False
    monkeypatch.setattr(world.clock, "sleep", lambda _seconds: world.heal())
    world.beta.draft(Role.STANDALONE)
    assert world.beta.apply(Change.TEARDOWN).state == "succeeded"
    assert world.alpha.store.state().standby_out


def test_a_secondary_leaves_by_itself_and_its_primary_stops_waiting(world: World) -> None:
    world.pair()
    world.beta.draft(Role.STANDALONE)
    assert world.beta.apply(Change.TEARDOWN).state == "succeeded"
    assert world.beta.look()["writable"]
    assert world.alpha.store.state().standby_out
    assert not world.alpha.database.semi_sync


def test_a_swap_exchanges_the_roles_without_loss(world: World) -> None:
    world.pair()
    world.alpha.draft(Role.SECONDARY)
    job = world.alpha.apply(Change.SWAP)
    assert job.state == "succeeded", job
    alpha, beta = world.alpha.look(), world.beta.look()
    assert (alpha["role"], beta["role"]) == ("secondary", "primary")
    assert (alpha["writable"], beta["writable"]) == (False, True)
    assert (alpha["replicates from"], beta["replicates from"]) == ("10.0.0.2", None)
    assert world.alpha.store.state().term == world.beta.store.state().term == 2
    assert alpha["operation"] is None
    assert beta["operation"] is None
    assert world.beta.store.config().applied["HAServerRole"] == "primary"
    events = world.beta.store.events()
    assert [event.parameters for event in events] == [("ManualSwitch", "beta", "alpha")]
    assert world.alpha.store.events() == []
    world.settle()
    world.beta.draft(Role.SECONDARY)
    assert world.beta.apply(Change.SWAP).state == "succeeded"
    assert world.alpha.look()["writable"]


def test_a_file_that_was_written_after_the_last_flush_of_a_swap_is_kept(world: World) -> None:
    world.pair()
    world.alpha.mirror.write("alpha.txt", b"before")
    world.alpha.draft(Role.SECONDARY)
    promote = world.alpha.peer.verbs["swap-promote"]

    def write_late(body: dict[str, object]) -> dict[str, object]:
        world.alpha.mirror.write("alpha.txt", b"late")
        return promote(body)

    world.alpha.peer.verbs["swap-promote"] = write_late
    assert world.alpha.apply(Change.SWAP).state == "succeeded"
    world.beta.mirror.peer = world.alpha.mirror
    world.beta.mirror.push(2, full=True)
    assert world.alpha.mirror.files["alpha.txt"] == b"before"
    assert [kept["alpha.txt"] for kept in world.alpha.mirror.replaced.values()] == [b"late"]


def test_a_swap_that_the_other_server_can_not_follow_in_time_is_undone(world: World) -> None:
    world.pair()
    world.beta.database.applier_paused = True
    world.alpha.database.open_client().write(12)
    world.alpha.draft(Role.SECONDARY)
    job = world.alpha.apply(Change.SWAP)
    assert job.state == "reverted", job
    assert job.error is not None
    assert job.error["code"] == "swap-timeout"
    alpha = world.alpha.look()
    assert (alpha["role"], alpha["writable"], alpha["fence"]) == ("primary", True, None)
    assert world.alpha.database.semi_sync
    assert world.beta.look()["operation"] is None


def test_a_swap_whose_answer_is_lost_goes_on_when_the_other_server_has_taken_over(world: World) -> None:
    world.pair()
    world.alpha.draft(Role.SECONDARY)
    promote = world.alpha.peer.verbs["swap-promote"]

    def lose_the_answer(body: dict[str, object]) -> dict[str, object]:
        promote(body)
        raise LocalFailure("internal-error", "The Answer Is Lost")

    world.alpha.peer.verbs["swap-promote"] = lose_the_answer
    job = world.alpha.apply(Change.SWAP)
    assert (world.alpha.look()["role"], world.beta.look()["role"]) == ("secondary", "primary"), job
    assert not world.alpha.look()["writable"]


def test_a_swap_with_no_answer_at_all_leaves_this_server_fenced_until_the_peer_is_heard(world: World) -> None:
    world.pair()
    world.alpha.draft(Role.SECONDARY)

    def cut_off(_body: dict[str, object]) -> dict[str, object]:
        world.cut()
        raise LocalFailure("internal-error", "Gone")

    world.alpha.peer.verbs["swap-promote"] = cut_off
    job = world.alpha.apply(Change.SWAP)
    assert job.state == "failed"
    assert not world.alpha.look()["writable"]
    assert world.alpha.look()["fence"] == FenceReason.PEER_UNKNOWN.value


def test_an_unstable_pair_is_not_swapped(world: World) -> None:
    world.pair()
    world.beta.be_seen_as(eligible=False)
    world.alpha.draft(Role.SECONDARY)
    before = world.look()
    job = world.alpha.apply(Change.SWAP)
    assert job.error is not None
    assert job.error["code"] == "not-stable"
    assert world.look() == before


@pytest.mark.parametrize("kind", [KEEP_THIS, KEEP_PEER])
def test_a_conflict_ends_with_the_server_that_was_chosen_and_the_other_rejoins(world: World, kind: str) -> None:
    world.pair()
    for server in (world.alpha, world.beta):
        server.store.change_state(lambda state: replace(state, role=Role.PRIMARY, term=5))
        fencing.fence_self(server.node, FenceReason.CONFLICT)
    chooser = world.beta if kind == KEEP_THIS else world.alpha
    job = chooser.apply(kind)
    assert job.state == "succeeded", job
    assert world.beta.look()["writable"]
    assert (world.beta.store.state().term, world.beta.store.state().fence) == (6, None)
    again = world.beta.apply(KEEP_THIS)
    assert again.error is not None
    assert again.error["code"] == "no-conflict"
    assert world.alpha.apply(REJOIN).state == "succeeded"
    assert world.alpha.look()["replicates from"] == "10.0.0.2"


def test_what_the_server_that_was_not_chosen_has_is_rescued_however_far_the_other_is(world: World) -> None:
    world.pair()
    world.cut()
    for server, rows in ((world.alpha, (20, 21)), (world.beta, (30, 31, 32, 33, 34))):
        promotion.promote(server.node, Cause.RESUME, term=5)
        server.database.set_semi_sync(enabled=False)
        for row in rows:
            server.database.open_client().write(row)
    world.heal()
    for server in (world.alpha, world.beta):
        fencing.fence_self(server.node, FenceReason.CONFLICT)
    assert world.beta.apply(KEEP_THIS).state == "succeeded"
    job = world.alpha.apply(REJOIN)
    assert job.state == "succeeded", job
    assert job.memory["rescued_rows"]["app.rows"] == 2
    assert job.memory["path"] == "reseed"
    assert world.alpha.database.rows() == world.beta.database.rows() == {10, 30, 31, 32, 33, 34}


def test_changed_settings_reach_the_other_server(world: World) -> None:
    world.pair()
    world.alpha.draft(Role.PRIMARY, HAPingIterations=5, HAPingMonitor1="192.0.2.1")
    assert world.alpha.apply(Change.SETTINGS).state == "succeeded"
    assert world.beta.store.config().applied["HAPingIterations"] == 5
    assert world.beta.store.config().applied["HAPingMonitor1"] == ""
    assert world.alpha.store.config().applied["HAPingMonitor1"] == "192.0.2.1"


def test_settings_that_can_not_be_sent_are_not_applied_here_either(world: World) -> None:
    world.pair()
    world.cut()
    world.alpha.draft(Role.PRIMARY, HAPingIterations=5)
    job = world.alpha.apply(Change.SETTINGS)
    assert job.message.startswith(COMMUNICATION_ERROR)
    assert world.alpha.store.config().applied["HAPingIterations"] == 12


def test_a_job_is_refused_and_marked_failed_while_the_queue_is_down(world: World) -> None:
    world.save_drafts()
    world.alpha.queue.down = True
    with pytest.raises(LocalFailure, match="Queue"):
        start_job(world.alpha.node, Change.SETUP_PRIMARY, {}, ADMIN)
    assert [job.state for job in world.alpha.store.jobs()] == ["failed"]
    world.alpha.queue.down = False
    assert world.alpha.apply(Change.SETUP_PRIMARY).state == "succeeded"


def test_a_second_job_is_refused_while_one_is_queued(world: World) -> None:
    world.save_drafts()
    start_job(world.alpha.node, Change.SETUP_PRIMARY, {}, ADMIN)
    with pytest.raises(NotAllowed) as refused:
        start_job(world.alpha.node, Change.SETUP_PRIMARY, {}, ADMIN)
    assert refused.value.code == "job-running"


def test_retry_finishes_a_set_up_whose_primary_could_not_be_told(world: World) -> None:
    world.save_drafts()
    world.alpha.apply(Change.SETUP_PRIMARY)
    tell = world.beta.peer.verbs.pop("join-done")
    job = world.beta.apply(Change.SETUP_SECONDARY)
    assert job.state == "failed"
    assert world.beta.look()["role"] == "secondary"
    assert world.alpha.look()["phase"] == "synchronizing"
    world.beta.peer.verbs["join-done"] = tell
    retried = retry_job(world.beta.node, ADMIN)
    assert retried.id == job.id
    assert world.beta.work(retried.id).state == "succeeded"
    assert world.alpha.look()["phase"] == "paired"


def test_there_is_nothing_to_retry_after_a_success(world: World) -> None:
    world.pair()
    with pytest.raises(NotAllowed) as refused:
        retry_job(world.alpha.node, ADMIN)
    assert refused.value.code == "nothing-to-retry"


def _fingerprint(world: World) -> str:
    config = world.alpha.store.config()
    return str((config.draft or config.applied)["HAPeerFingerprint"])
