"""Events on their way out: the script at most once, the mail until it was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.core.errors import LocalFailure
from app.core.notices import ALARM_CLEARED, ALARM_RAISED
from app.ports import EventRecord, ScriptResult
from jobs.monitor.letters import letter
from jobs.monitor.mails import MailDuty
from jobs.monitor.outbox import end_interrupted
from jobs.monitor.scripts import ScriptDuty
from tests.unit.monitor.world import World

ALARMS = {ALARM_RAISED, ALARM_CLEARED}
SCRIPT = "#!/bin/bash\necho hello\n"


@pytest.fixture
def world() -> World:
    world = World()
    world.store.save_applied({"HAAdminAlertScript": SCRIPT, "HAAlertEmail": "ops@example.org"})
    world.clock.advance(1)
    world.loop.tick()
    return world


def add(world: World, number: int = 1, kind: str = "Failover") -> EventRecord:
    event = world.store.add_event(f"{kind}:{number}", kind, (kind, "alpha", "beta"), "Nothing was lost.")
    assert event is not None
    return event


def delivery(world: World, channel: str) -> tuple[str, str]:
    found = next(each for each in world.store.events() if each.kind not in ALARMS).deliveries[channel]
    return found["state"], found["detail"]


def test_the_script_runs_once_with_the_parameters_of_the_event(world: World) -> None:
    duty = ScriptDuty(world.node, world.board)
    add(world)
    while duty.step() == 0:
        pass
    (call,) = world.scripts.calls
    assert call.script == SCRIPT
    assert call.parameters == ("Failover", "alpha", "beta")
    assert call.environment["HA_EVENT"] == "Failover"
    assert call.environment["HA_NODE"] == "alpha"
    assert delivery(world, "script")[0] == "done"


def test_events_run_in_their_order(world: World) -> None:
    duty = ScriptDuty(world.node, world.board)
    add(world, 1, "StandbyOffline")
    add(world, 2, "Failover")
    while duty.step() == 0:
        pass
    assert [call.parameters[0] for call in world.scripts.calls] == ["StandbyOffline", "Failover"]


@pytest.mark.parametrize(("exit_code", "words"), [(3, "exit code 3"), (None, "took too long")])
def test_a_failing_script_is_an_alarm_until_one_succeeds(world: World, exit_code: int | None, words: str) -> None:
    duty = ScriptDuty(world.node, world.board)
    world.scripts.result = ScriptResult(exit_code, "what it said", 1.0)
    add(world)
    duty.step()
    assert delivery(world, "script") == ("failed", delivery(world, "script")[1])
    assert words in delivery(world, "script")[1]
    assert "what it said" in delivery(world, "script")[1]
    assert [alarm.code for alarm in world.store.alarms()] == ["script-failed"]
    world.scripts.result = ScriptResult(0, "", 1.0)
    add(world, 2)
    duty.step()
    assert world.store.alarms() == []


def test_without_a_script_the_delivery_is_skipped(world: World) -> None:
    world.store.save_applied({})
    world.clock.advance(1)
    world.loop.tick()
    add(world)
    ScriptDuty(world.node, world.board).step()
    MailDuty(world.node, world.board).step()
    assert delivery(world, "script")[0] == "skipped"
    assert delivery(world, "mail")[0] == "skipped"
    assert world.scripts.calls == []


def test_a_script_that_was_interrupted_by_the_end_of_the_monitor_is_not_run_again(world: World) -> None:
    add(world)
    assert world.store.claim_delivery("script") is not None
    end_interrupted(world.node)
    assert ScriptDuty(world.node, world.board).step() > 0
    assert world.scripts.calls == []
    assert delivery(world, "script")[0] == "failed"


def test_a_mail_that_was_interrupted_is_sent_after_all(world: World) -> None:
    add(world)
    assert world.store.claim_delivery("mail") is not None
    end_interrupted(world.node)
    MailDuty(world.node, world.board).step()
    assert len(world.mailer.sent) == 1


def test_mails_wait_for_a_mail_server_that_is_down_and_are_sent_once(world: World) -> None:
    duty = MailDuty(world.node, world.board)
    world.mailer.refusing = True
    for number in range(3):
        add(world, number)
    for _ in range(600):
        world.clock.advance(duty.step() or 0.1)
    assert world.mailer.sent == []
    assert [alarm.code for alarm in world.store.alarms()] == ["mail-failed"]
    world.mailer.refusing = False
    for _ in range(600):
        world.clock.advance(duty.step() or 0.1)
    assert len(world.mailer.sent) == 3
    assert world.store.alarms() == []


def test_a_mail_that_nobody_took_for_a_day_is_given_up(world: World) -> None:
    duty = MailDuty(world.node, world.board)
    world.mailer.refusing = True
    add(world)
    world.clock.advance(25 * 3600)
    duty.step()
    assert delivery(world, "mail")[0] == "failed"


def test_a_store_that_fails_after_the_script_ran_does_not_run_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    duty = ScriptDuty(world.node, world.board)
    add(world)
    with monkeypatch.context() as broken:
        broken.setattr(world.scripts, "run", _run_and_break(world, broken))
        with pytest.raises(LocalFailure):
            duty.step()
    assert duty.step() > 0
    assert len(world.scripts.calls) == 1


def _run_and_break(world: World, broken: pytest.MonkeyPatch) -> Callable[..., ScriptResult]:
    """A script run after which the node store takes nothing more."""
    genuine = world.scripts.run

    def refuse(*_arguments: object) -> None:
        raise LocalFailure("store-failed", "The Node Store Failed")

    def run(*arguments: Any) -> ScriptResult:
        result = genuine(*arguments)
        broken.setattr(world.store, "finish_delivery", refuse)
        return result

    return run


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("Failover", ("Failover", "alpha", "beta"), "alpha is the active server now"),
        ("ManualSwitch", ("ManualSwitch", "alpha", "beta"), "alpha is the active server now"),
        ("StandbyOffline", ("StandbyOffline", "beta", "alpha"), "standby beta is offline"),
        ("StandbyOnline", ("StandbyOnline", "beta", "alpha"), "standby beta is back"),
        ("RaiseAlarm", ("RaiseAlarm", "Applier stopped", "Duplicate entry"), "Applier stopped"),
        ("ClearAlarm", ("ClearAlarm", "Applier stopped: Duplicate entry"), "recovered"),
        ("Unheard", ("Unheard",), "Unheard"),
        ("Failover", (), "?"),
    ],
)
def test_a_letter_says_what_happened_and_what_to_do(kind: str, parameters: tuple[str, ...], words: str) -> None:
    world = World()
    event = world.store.add_event("key", kind, parameters)
    assert event is not None
    mail = letter([event], "ops@example.org")
    assert words in mail.subject
    assert "What to do:" in mail.text
    assert "2026-01-01" in mail.text
