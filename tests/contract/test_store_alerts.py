"""What every node store keeps for the alerts: deliveries by channel, the events of alarms, trials, counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.adapters.clock import SystemClock
from app.adapters.store import SqliteNodeStore
from app.core.errors import NotAllowed
from app.migrate import migrate_node_store
from app.ports import Actor, NodeStore, StepRecord
from tests.fakes.store import FakeNodeStore

DANA = Actor("dana")
STEPS = (StepRecord("check", "Check"),)


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NodeStore]:
    if request.param == "fake":
        yield FakeNodeStore()
        return
    path = tmp_path / "node.db"
    migrate_node_store(path)
    found = SqliteNodeStore(path, SystemClock(), node_name=lambda: "alpha")
    yield found
    found.close()


def states(store: NodeStore, number: int = 0) -> dict[str, str]:
    return {channel: each["state"] for channel, each in store.events()[number].deliveries.items()}


def test_an_event_waits_on_the_channels_of_its_kind(store: NodeStore) -> None:
    store.add_event("1", "Failover", ())
    store.add_event("2", "StandbyOnline", ())
    assert states(store, 1) == {"script": "pending", "mail": "pending", "webhook": "pending", "log": "pending"}
    assert states(store, 0) == {"script": "pending", "mail": "skipped", "webhook": "pending", "log": "pending"}


def test_deliveries_are_claimed_together_oldest_first_and_once(store: NodeStore) -> None:
    for number in range(5):
        store.add_event(str(number), "Failover", ())
    first = store.claim_deliveries("mail", 3)
    assert [event.key for event in first] == ["0", "1", "2"]
    assert [event.key for event in store.claim_deliveries("mail", 9)] == ["3", "4"]
    assert store.claim_deliveries("mail", 9) == []
    store.finish_deliveries([first[0].id, first[2].id], "mail", "pending", "451")
    assert [event.key for event in store.claim_deliveries("mail", 9)] == ["0", "2"]


def test_two_who_claim_at_once_never_get_the_same(store: NodeStore) -> None:
    for number in range(40):
        store.add_event(str(number), "Failover", ())
    got: list[str] = []

    def claim() -> None:
        while events := store.claim_deliveries("webhook", 3):
            got.extend(event.key for event in events)

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=int) == [str(number) for number in range(40)]


def test_what_is_claimed_can_be_released(store: NodeStore) -> None:
    store.add_event("1", "Failover", ())
    store.claim_deliveries("mail", 1)
    assert store.release_claimed("mail", "pending", "interrupted") == 1
    assert store.release_claimed("mail", "pending", "interrupted") == 0
    assert states(store)["mail"] == "pending"


def test_an_alarm_is_told_once_when_new_and_once_when_over(store: NodeStore) -> None:
    for _ in range(2):
        store.raise_alarm("conflict", "Two primaries.")
    for _ in range(2):
        store.clear_alarm("conflict")
    store.raise_alarm("conflict", "Again.")
    kinds = [event.kind for event in reversed(store.events())]
    assert kinds == ["AlarmRaised", "AlarmCleared", "AlarmRaised"]
    assert store.events()[1].parameters == ("AlarmCleared", "conflict", "Two primaries.")
    assert states(store)["script"] == "skipped"


def test_an_alarm_that_an_event_tells_of_is_not_told_twice(store: NodeStore) -> None:
    store.raise_alarm("standby-offline", "gone")
    store.raise_alarm("replication-stopped", "stopped")
    store.clear_alarm("replication-stopped")
    assert store.events() == []
    store.clear_alarm("standby-offline")
    assert [event.kind for event in store.events()] == ["AlarmCleared"]


def test_events_and_deliveries_are_counted(store: NodeStore) -> None:
    for number in range(3):
        store.add_event(str(number), "Failover", ())
    store.add_event("x", "ManualSwitch", ())
    done = store.claim_deliveries("log", 2)
    store.finish_deliveries([event.id for event in done], "log", "done")
    assert store.event_counts() == {"Failover": 3, "ManualSwitch": 1}
    assert store.delivery_counts()["log", "done"] == 2
    assert store.delivery_counts()["log", "pending"] == 2


def test_a_trial_goes_from_queued_to_its_end(store: NodeStore) -> None:
    first = store.add_alert_test("mail", {"to": "a@example.org"}, DANA)
    store.add_alert_test("webhook", {}, DANA)
    claimed = store.claim_alert_test()
    assert claimed is not None
    assert (claimed.id, claimed.state, claimed.arguments) == (first.id, "running", {"to": "a@example.org"})
    store.finish_alert_test(first.id, "done", {"detail": "taken"})
    (found,) = store.alert_tests(first.id)
    assert (found.state, found.result, found.actor) == ("done", {"detail": "taken"}, "dana")
    assert found.ended_at is not None
    assert [each.channel for each in store.alert_tests()] == ["webhook", "mail"]
    assert store.alert_tests("other") == []


def test_trials_that_wait_are_bounded_and_those_of_a_dead_monitor_end(store: NodeStore) -> None:
    for _ in range(5):
        store.add_alert_test("mail", {}, DANA)
    with pytest.raises(NotAllowed) as refused:
        store.add_alert_test("mail", {}, DANA)
    assert refused.value.code == "too-many-tests"
    running = store.claim_alert_test()
    assert running is not None
    store.end_interrupted_tests({"detail": "gone"})
    assert store.alert_tests(running.id)[0].state == "failed"


def test_the_durations_of_jobs_are_summed_by_kind_and_end(store: NodeStore) -> None:
    for end in (10, 20):
        job = store.create_job("swap", {}, STEPS, DANA)
        store.update_job(
            job.id, state="succeeded", started_at=datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC),
            ended_at=datetime(2026, 1, 1, 0, 0, end, tzinfo=UTC),
        )  # fmt: skip
    store.create_job("swap", {}, STEPS, DANA)
    assert store.job_times() == {("swap", "succeeded"): (2, 30.0)}
