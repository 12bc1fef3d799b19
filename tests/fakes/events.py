"""The part of the node store in memory that holds events, alarms and trials of the alerts."""

from __future__ import annotations

import copy
import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from app.core import notices
from app.core.errors import NotAllowed
from app.core.notices import AlarmTold, Channel
from app.ports import Actor, AlarmRecord, AlertTest, EventRecord, Json

WAITING_MAX = 5
KEPT = 50


class FakeEvents:
    """See tests/fakes/store.py."""

    def __init__(self, now: Callable[[], datetime], node_name: str) -> None:
        self._now = now
        self._node_name = node_name
        self._lock = threading.RLock()
        self._events: list[EventRecord] = []
        self._alarms: dict[str, AlarmRecord] = {}
        self._tests: list[AlertTest] = []

    def add_event(self, key: str, kind: str, parameters: Sequence[str], detail: str = "") -> EventRecord | None:
        return self._add(key, kind, parameters, detail, notices.channels(kind))

    def _add(
        self, key: str, kind: str, parameters: Sequence[str], detail: str, channels: Sequence[Channel]
    ) -> EventRecord | None:
        with self._lock:
            if any(event.key == key for event in self._events):
                return None
            now = self._now()
            deliveries = {
                each.value: {
                    "state": "pending" if each in channels else "skipped", "at": now.isoformat(), "detail": "",
                }
                for each in Channel
            }  # fmt: skip
            event = EventRecord(
                len(self._events) + 1, key, kind, now, self._node_name, tuple(parameters), detail, deliveries
            )
            self._events.append(event)
            return copy.deepcopy(event)

    def events(self, *, before: int | None = None, limit: int = 50) -> list[EventRecord]:
        found = [event for event in reversed(self._events) if before is None or event.id < before]
        return copy.deepcopy(found[:limit])

    def event_counts(self) -> dict[str, int]:
        return dict(Counter(event.kind for event in self._events))

    def claim_delivery(self, channel: str) -> EventRecord | None:
        return next(iter(self.claim_deliveries(channel, 1)), None)

    def claim_deliveries(self, channel: str, limit: int) -> list[EventRecord]:
        with self._lock:
            pending = [each for each in self._events if each.deliveries[channel]["state"] == "pending"][:limit]
            self.finish_deliveries([each.id for each in pending], channel, "claimed")
            return copy.deepcopy(pending)

    def finish_delivery(self, event_id: int, channel: str, state: str, detail: str = "") -> None:
        self.finish_deliveries([event_id], channel, state, detail)

    def finish_deliveries(self, event_ids: Sequence[int], channel: str, state: str, detail: str = "") -> None:
        for event_id in event_ids:
            delivery = {"state": state, "at": self._now().isoformat(), "detail": detail}
            self._events[event_id - 1].deliveries[channel] = delivery

    def release_claimed(self, channel: str, state: str, detail: str) -> int:
        claimed = [each.id for each in self._events if each.deliveries[channel]["state"] == "claimed"]
        self.finish_deliveries(claimed, channel, state, detail)
        return len(claimed)

    def delivery_counts(self) -> dict[tuple[str, str], int]:
        return dict(
            Counter((channel, each["state"]) for event in self._events for channel, each in event.deliveries.items())
        )

    # alarms

    def raise_alarm(self, code: str, text: str) -> bool:
        with self._lock:
            before = self._alarms.get(code)
            now = before.raised_at if before else self._now()
            self._alarms[code] = AlarmRecord(code, text, now)
            if before is None:
                self._tell(notices.told_when_raised(code, text, now))
            return before is None

    def clear_alarm(self, code: str) -> AlarmRecord | None:
        with self._lock:
            alarm = self._alarms.pop(code, None)
            if alarm is not None:
                self._tell(notices.told_when_cleared(code, alarm.text, alarm.raised_at))
            return alarm

    def _tell(self, told: AlarmTold | None) -> None:
        if told is not None:
            self._add(told.key, told.kind, told.parameters, told.detail, told.channels)

    def alarms(self) -> list[AlarmRecord]:
        return sorted(self._alarms.values(), key=lambda alarm: (alarm.raised_at, alarm.code))

    # trials

    def add_alert_test(self, channel: str, arguments: Json, actor: Actor) -> AlertTest:
        with self._lock:
            if sum(each.state == "queued" for each in self._tests) >= WAITING_MAX:
                raise NotAllowed("too-many-tests", "Too Many Tests Are Waiting")
            number = len(self._tests) + 1
            test = AlertTest(f"test-{number:06d}", channel, "queued", actor.name, copy.deepcopy(arguments), self._now())
            self._tests.append(test)
            return test

    def claim_alert_test(self) -> AlertTest | None:
        with self._lock:
            found = next((each for each in self._tests if each.state == "queued"), None)
            return None if found is None else self._change(found.id, state="running")

    def _change(self, test_id: str, **changes: object) -> AlertTest | None:
        for index, each in enumerate(self._tests):
            if each.id == test_id:
                self._tests[index] = dataclasses.replace(each, **changes)  # type: ignore[arg-type]
                return self._tests[index]
        return None

    def finish_alert_test(self, test_id: str, state: str, result: Json) -> None:
        self._change(test_id, state=state, result=result, ended_at=self._now())

    def end_interrupted_tests(self, result: Json) -> None:
        for each in [test for test in self._tests if test.state == "running"]:
            self.finish_alert_test(each.id, "failed", result)

    def alert_tests(self, test_id: str | None = None) -> list[AlertTest]:
        newest_first = list(reversed(self._tests))[:KEPT]
        return copy.deepcopy([each for each in newest_first if test_id in (None, each.id)])
