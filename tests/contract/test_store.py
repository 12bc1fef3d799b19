"""What every node store does, the fake one and the one in SQLite alike."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.adapters.store import SqliteNodeStore
from app.core.activity_filter import Filter
from app.core.config import complete
from app.core.errors import LocalFailure, NotAllowed, NotFound, Stale
from app.core.history import FINE_S, KEPT, HistoryPoint
from app.core.roles import Role
from app.core.state import Fence, FenceReason, NodeState, Operation, PeerIdentity, Phase, Promotion
from app.migrate import migrate_node_store
from app.ports import Actor, Json, NodeStore, StepRecord
from tests.fakes.store import FakeNodeStore

DANA = Actor("dana", "192.0.2.7")
STEPS = (StepRecord("check", "Check"), StepRecord("copy", "Copy"))
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class TickingClock:
    """Each look at it is a second later."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def now(self) -> datetime:
        return START + timedelta(seconds=next(self._ticks))

    def monotonic(self) -> float:
        return float(next(self._ticks))

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a store never sleeps")


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NodeStore]:
    if request.param == "fake":
        yield FakeNodeStore(now=TickingClock().now, node_name="alpha")
        return
    path = tmp_path / "node.db"
    migrate_node_store(path)
    store = SqliteNodeStore(path, TickingClock(), node_name=lambda: "alpha")
    yield store
    store.close()


def raising_term(by: int) -> Callable[[NodeState], NodeState]:
    return lambda state: dataclasses.replace(state, term=state.term + by)


# --- who this node is ---


def test_a_new_node_is_standalone_in_term_0_and_keeps_its_id(store: NodeStore) -> None:
    first = store.state()
    assert first == NodeState(node_id=first.node_id)
    assert first.node_id
    assert store.state() == first


def test_every_part_of_the_state_comes_back_as_it_was_stored(store: NodeStore) -> None:
    peer = PeerIdentity("node-b", "beta", "2001:db8::2", "ssh-ed25519 AAAA", "ssh-ed25519 BBBB", "-----BEGIN…")
    full = NodeState(
        node_id=store.state().node_id, role=Role.PRIMARY, term=7, phase=Phase.PAIRED, pair_id="pair", peer=peer,
        standby_out=True, standby_out_since=START, fence=Fence(FenceReason.ISOLATED, START, "no gateway"),
        promotion=Promotion(7, START, "failover", "0-1-99", "3 rows"), last_failover_at=START,
        stable_since_failover=False, operation=Operation("job", "swap", START), maintenance_until=START,
    )  # fmt: skip
    assert store.change_state(lambda _: full) == full
    assert store.state() == full


def test_the_term_never_goes_back(store: NodeStore) -> None:
    store.change_state(raising_term(3))
    with pytest.raises(LocalFailure) as refusal:
        store.change_state(raising_term(-1))
    assert refusal.value.code == "term-went-back"
    assert store.state().term == 3


def test_a_change_that_raises_stores_nothing(store: NodeStore) -> None:
    def fail(state: NodeState) -> NodeState:
        raise NotAllowed("no", "No")

    with pytest.raises(NotAllowed):
        store.change_state(fail)
    store.change_state(raising_term(1))
    assert store.state().term == 1


def test_changes_of_many_threads_are_all_kept(store: NodeStore) -> None:
    threads = [
        threading.Thread(target=lambda: [store.change_state(raising_term(1)) for _ in range(10)]) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.state().term == 60


# --- configuration ---


def test_a_saved_draft_carries_who_and_when_and_a_new_version(store: NodeStore) -> None:
    before = store.config()
    assert before.draft is None
    assert before.applied == {"HAServerRole": "standalone"}
    saved = store.save_draft({"HAServerRole": "primary"}, before.version, DANA)
    assert saved == store.config()
    assert (saved.draft, saved.saved_by) == ({"HAServerRole": "primary"}, "dana")
    assert saved.version > before.version
    assert saved.saved_at is not None
    assert saved.saved_at.tzinfo is not None


def test_a_stale_draft_is_refused_and_changes_nothing(store: NodeStore) -> None:
    version = store.config().version
    store.save_draft({"HAPingIterations": 3}, version, DANA)
    with pytest.raises(Stale) as refusal:
        store.save_draft({"HAPingIterations": 9}, version, DANA)
    assert refusal.value.code == "stale-draft"
    assert "dana" in refusal.value.detail
    assert store.config().draft == {"HAPingIterations": 3}


def test_a_draft_can_be_discarded(store: NodeStore) -> None:
    store.save_draft({"HAPingIterations": 3}, None, DANA)
    assert store.save_draft(None, None, DANA).draft is None


def test_an_applied_configuration_replaces_the_draft(store: NodeStore) -> None:
    store.save_draft({"HAServerRole": "primary"}, None, DANA)
    store.draft_failed("The peer could not be reached.")
    assert store.config().failed == "The peer could not be reached."
    version = store.config().version
    applied = store.save_applied({"HAServerRole": "primary"})
    assert (applied.applied, applied.draft, applied.failed) == ({"HAServerRole": "primary"}, None, None)
    assert applied.version > version


def test_an_applied_configuration_can_leave_the_draft_alone(store: NodeStore) -> None:
    store.save_draft({"HAPingIterations": 3}, None, DANA)
    store.draft_failed("no")
    kept = store.save_applied({"HAServerRole": "secondary"}, keep_draft=True)
    assert kept.draft == complete({"HAServerRole": "secondary", "HAPingIterations": 3})
    assert kept.failed == "no"


def test_a_kept_draft_without_a_difference_left_is_dropped(store: NodeStore) -> None:
    store.save_draft({"HAServerRole": "primary"}, None, DANA)
    assert store.save_applied({"HAServerRole": "primary"}, keep_draft=True).draft is None


def test_a_new_save_forgets_the_failure_of_the_last_apply(store: NodeStore) -> None:
    store.draft_failed("no")
    assert store.save_draft({}, None, DANA).failed is None


def test_a_pairing_key_is_kept_until_it_is_used(store: NodeStore) -> None:
    store.save_pairing_key("SHA256:one", "private one")
    assert store.pairing_key("SHA256:one") == "private one"
    assert not store.pairing_key_retired("SHA256:one")
    store.retire_pairing_key("SHA256:one")
    assert store.pairing_key("SHA256:one") is None
    assert store.pairing_key_retired("SHA256:one")


def test_a_new_pairing_key_replaces_an_unused_one_but_not_the_memory_of_a_used_one(store: NodeStore) -> None:
    store.save_pairing_key("SHA256:used", "private")
    store.retire_pairing_key("SHA256:used")
    store.save_pairing_key("SHA256:unused", "private")
    store.save_pairing_key("SHA256:new", "private")
    assert store.pairing_key("SHA256:unused") is None
    assert not store.pairing_key_retired("SHA256:unused")
    assert store.pairing_key_retired("SHA256:used")
    assert store.pairing_key("SHA256:new") == "private"


def test_a_fingerprint_of_the_other_server_can_be_used_up_too(store: NodeStore) -> None:
    store.retire_pairing_key("SHA256:pasted")
    assert store.pairing_key_retired("SHA256:pasted")


# --- jobs ---


def test_a_job_is_queued_with_its_steps_in_order(store: NodeStore) -> None:
    job = store.create_job("swap", {"confirm": "alpha"}, STEPS, DANA)
    assert (job.kind, job.state, job.arguments, job.actor) == ("swap", "queued", {"confirm": "alpha"}, "dana")
    assert job.steps == STEPS
    assert store.job(job.id) == job == store.active_job()
    assert store.jobs() == [job]
    assert store.job("no-such-job") is None


def test_only_one_job_is_under_way(store: NodeStore) -> None:
    first = store.create_job("swap", {}, STEPS, DANA)
    with pytest.raises(NotAllowed) as refusal:
        store.create_job("teardown", {}, STEPS, DANA)
    assert refusal.value.code == "job-running"
    store.update_job(first.id, state="failed")
    assert store.active_job() is None
    second = store.create_job("teardown", {}, STEPS, DANA)
    with pytest.raises(NotAllowed):
        store.update_job(first.id, state="queued")
    store.update_job(second.id, state="running")
    assert [job.state for job in store.jobs()] == ["running", "failed"]


def test_a_jobs_progress_is_kept(store: NodeStore) -> None:
    job = store.create_job("setup-secondary", {}, STEPS, DANA)
    store.update_step(job.id, "copy", state="running", done=10, total=20, started_at=START)
    after = store.update_job(
        job.id, state="running", message="Copying", memory={"aside": "folder"}, started_at=START, error={"code": "x"}
    )
    assert after.steps[1] == StepRecord("copy", "Copy", "running", 10, 20, "", START)
    assert (after.message, after.memory, after.error) == ("Copying", {"aside": "folder"}, {"code": "x"})
    assert store.job(job.id) == after


def test_what_a_job_does_not_have_can_not_be_changed(store: NodeStore) -> None:
    job = store.create_job("swap", {}, STEPS, DANA)
    with pytest.raises(TypeError):
        store.update_job(job.id, kind="teardown")
    with pytest.raises(TypeError):
        store.update_step(job.id, "check", title="Other")
    with pytest.raises(NotFound):
        store.update_step(job.id, "no-such-step", state="done")
    with pytest.raises(NotFound):
        store.update_job("no-such-job", state="failed")


def test_jobs_are_paged_newest_first(store: NodeStore) -> None:
    for _ in range(5):
        store.update_job(store.create_job("settings", {}, (), DANA).id, state="succeeded")
    first = store.jobs(limit=2)
    rest = store.jobs(before=first[-1].id)
    ids = [job.id for job in first + rest]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)


# --- events, alarms, activity, notes ---


def test_an_event_is_stored_once_for_its_key(store: NodeStore) -> None:
    event = store.add_event("failover-7", "Failover", ("beta", "alpha"), "12 pings missed")
    assert event is not None
    assert (event.node, event.parameters, event.detail) == ("alpha", ("beta", "alpha"), "12 pings missed")
    assert store.add_event("failover-7", "Failover", ("beta", "alpha")) is None
    assert store.events() == [event]


def test_events_are_paged_newest_first(store: NodeStore) -> None:
    for number in range(5):
        store.add_event(str(number), "Failover", ())
    first = store.events(limit=2)
    assert [event.key for event in first] == ["4", "3"]
    assert [event.key for event in store.events(before=first[-1].id, limit=2)] == ["2", "1"]


def test_each_channel_gets_each_event_once_and_in_order(store: NodeStore) -> None:
    for key in ("one", "two"):
        store.add_event(key, "Failover", ())
    claimed = [store.claim_delivery("script") for _ in range(3)]
    assert [event.key if event else None for event in claimed] == ["one", "two", None]
    mail = store.claim_delivery("mail")
    assert mail is not None
    assert mail.key == "one"
    store.finish_delivery(mail.id, "mail", "done", "250 OK")
    deliveries = store.events()[-1].deliveries
    assert (deliveries["mail"]["state"], deliveries["mail"]["detail"]) == ("done", "250 OK")
    assert deliveries["script"]["state"] == "claimed"


def test_an_alarm_keeps_its_time_and_refreshes_its_text(store: NodeStore) -> None:
    assert store.raise_alarm("lag", "5 s behind")
    (first,) = store.alarms()
    assert not store.raise_alarm("lag", "9 s behind")
    (second,) = store.alarms()
    assert (second.text, second.raised_at) == ("9 s behind", first.raised_at)
    assert store.clear_alarm("lag") == second
    assert store.clear_alarm("lag") is None
    assert store.alarms() == []


def test_activity_is_found_by_person_and_act_newest_first(store: NodeStore) -> None:
    store.add_activity(DANA, "draft-saved", "done", {"HAPingIterations": {"from": 12, "to": 3}})
    store.add_activity(Actor("token:ansible"), "apply", "refused", {})
    store.add_activity(DANA, "apply", "done", {})
    assert [(entry.actor, entry.action) for entry in store.activity()] == [
        ("dana", "apply"), ("token:ansible", "apply"), ("dana", "draft-saved"),
    ]  # fmt: skip
    assert [entry.outcome for entry in store.activity(Filter(action="apply", actor="token:ansible"))] == ["refused"]
    newest = store.activity(limit=1)[0]
    assert (newest.node, newest.address) == ("alpha", "192.0.2.7")
    older = store.activity(Filter(actor="dana"), before=newest.id)
    assert [entry.detail for entry in older] == [{"HAPingIterations": {"from": 12, "to": 3}}]


def test_activity_goes_on_from_any_entry_in_its_order_and_is_found_by_node(store: NodeStore) -> None:
    numbers = [store.add_activity(DANA, f"act-{number}", "done", {}).id for number in range(4)]
    assert [entry.id for entry in store.activity_after(0, 10)] == numbers == sorted(set(numbers))
    assert [entry.action for entry in store.activity_after(numbers[1], 1)] == ["act-2"]
    assert store.activity_after(numbers[-1], 10) == []
    assert len(store.activity(Filter(node="alpha"))) == 4
    assert store.activity(Filter(node="beta")).items == ()


def test_notes_are_replaced_whole(store: NodeStore) -> None:
    assert store.note("near-miss") is None
    store.save_note("near-miss", {"longest": 2})
    store.save_note("near-miss", {"longest": 3})
    assert store.note("near-miss") == {"longest": 3}


def test_a_note_is_changed_in_one_piece_or_not_at_all(store: NodeStore) -> None:
    assert store.change_note("count", lambda before: {"times": before.get("times", 0) + 1}) == {"times": 1}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.change_note("count", lambda before: {"times": before["times"] + 1}), range(20)))
    assert store.note("count") == {"times": 21}

    def refused(_before: Json) -> Json:
        raise NotAllowed("no", "No")

    with pytest.raises(NotAllowed):
        store.change_note("count", refused)
    assert store.note("count") == {"times": 21}


def test_what_was_read_can_be_changed_without_changing_the_store(store: NodeStore) -> None:
    store.save_draft({"HAPingMonitor1": "t1"}, None, DANA)
    draft = store.config().draft
    assert draft is not None
    draft["HAPingMonitor1"] = "t2"
    assert store.config().draft == {"HAPingMonitor1": "t1"}


def test_the_history_is_a_ring_a_later_point_takes_the_place_of_the_one_a_round_before(store: NodeStore) -> None:
    begun = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC)
    first = HistoryPoint(begun, 0.5, 1, 2, 0.1, 3, 4.5)
    second = HistoryPoint(begun + timedelta(seconds=FINE_S))
    a_round_later = HistoryPoint(begun + KEPT[FINE_S], files=7)
    store.add_history(FINE_S, second)
    store.add_history(FINE_S, first)
    assert store.history(FINE_S, begun) == [first, second]
    assert store.history(FINE_S, second.at) == [second]
    assert store.history(2 * FINE_S, begun) == []
    store.add_history(FINE_S, a_round_later)
    assert store.history(FINE_S, begun) == [second, a_round_later]
