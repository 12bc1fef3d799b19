"""Webhook, log lines, trials, and a storm of events while nobody takes them: none lost, none doubled."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from app.core.acts import ClearAlarm
from app.core.alarms import ROLE_CHANGED
from app.core.alertsettings import MailSettings, Security, WebhookSettings
from app.core.events import EventKind
from app.core.notices import Severity
from app.core.roles import Role
from app.ports import Actor, ScriptResult
from jobs import alertsettings
from jobs.monitor.loglines import LogDuty
from jobs.monitor.mails import MailDuty
from jobs.monitor.outbox import REFUSALS_MAX, end_interrupted
from jobs.monitor.scripts import ScriptDuty
from jobs.monitor.trials import TrialDuty
from jobs.monitor.webhooks import WebhookDuty
from tests.unit.monitor.world import World

HOOK = WebhookSettings("https://hooks.example.org/x")
DANA = Actor("dana")
STEP_S = 1.0


@pytest.fixture
def world() -> World:
    world = World()
    world.store.save_applied({"HAAdminAlertScript": "exit 0\n", "HAAlertEmail": "ops@example.org"})
    world.clock.advance(1)
    world.loop.tick()
    alertsettings.save(world.node, HOOK, "hush")
    return world


def add(world: World, number: int, kind: str = "StandbyOffline") -> None:
    world.store.add_event(f"{kind}:{number}", kind, (kind, f"storm-{number:04d}", "alpha"))


def test_each_event_is_posted_once_signed_and_in_order(world: World) -> None:
    for number in range(3):
        add(world, number)
    WebhookDuty(world.node, world.board).step()
    bodies = [json.loads(call.body) for call, _, _ in world.webhook.taken]
    assert [each["parameters"][1] for each in bodies] == ["storm-0000", "storm-0001", "storm-0002"]
    assert {secret for _, _, secret in world.webhook.taken} == {"hush"}
    assert bodies[0]["code"] == "HA1003"
    assert bodies[0]["severity"] == "critical"
    assert len({call.identity for call, _, _ in world.webhook.taken}) == 3


def test_an_alarm_is_posted_with_its_code_and_its_clear(world: World) -> None:
    world.store.raise_alarm("conflict", "Two primaries.")
    world.store.clear_alarm("conflict")
    WebhookDuty(world.node, world.board).step()
    told = [json.loads(call.body) for call, _, _ in world.webhook.taken]
    assert [(each["kind"], each["alarm"]) for each in told] == [
        ("AlarmRaised", "conflict"),
        ("AlarmCleared", "conflict"),
    ]
    assert "up since" in told[1]["detail"]


def test_a_webhook_that_is_down_is_an_alarm_until_it_is_back(world: World) -> None:
    duty = WebhookDuty(world.node, world.board)
    world.webhook.refusing = True
    add(world, 1)
    duty.step()
    assert [alarm.code for alarm in world.store.alarms()] == ["webhook-failed"]
    world.webhook.refusing = False
    world.clock.advance(10)
    duty.step()
    assert world.store.alarms() == []


def test_a_call_that_is_never_taken_does_not_hold_the_others_for_ever(world: World) -> None:
    duty = WebhookDuty(world.node, world.board)
    world.webhook.refuses = "storm-0001"
    add(world, 1)
    add(world, 2)
    for _ in range(REFUSALS_MAX + 1):
        world.clock.advance(301)
        duty.step()
    assert ["storm-0002" in str(call.body) for call, _, _ in world.webhook.taken].count(True) == 1
    first = world.store.events()[-1]
    assert first.deliveries["webhook"]["state"] == "failed"


def test_a_log_line_begins_with_its_code(world: World) -> None:
    add(world, 1)
    LogDuty(world.node).step()
    ((severity, line),) = world.system_log.lines
    assert severity is Severity.CRITICAL
    assert line.startswith("HA1003 StandbyOffline: The standby storm-0001 is offline.")


def test_mail_uses_the_saved_server_and_its_password(world: World) -> None:
    saved = MailSettings("mail.example.org", 587, Security.STARTTLS, "ha@example.org", "hapair")
    alertsettings.save(world.node, saved, "smtp-Geheimnis")
    add(world, 1)
    MailDuty(world.node, world.board).step()
    assert world.mailer.servers == [(saved, "smtp-Geheimnis")]


def test_an_alarm_and_its_clear_are_mailed_with_what_to_do(world: World) -> None:
    world.store.raise_alarm("file-mirror", "Files do not <b>reach</b> the other server.")
    world.store.clear_alarm("file-mirror")
    MailDuty(world.node, world.board).step()
    raised, cleared = world.mailer.sent
    assert "Alarm on alpha" in raised.subject
    assert "What to do:  Read the reason" in raised.text
    assert "&lt;b&gt;" in raised.html
    assert "<b>reach" not in raised.html
    assert "Over on alpha" in cleared.subject


def test_a_storm_while_nobody_takes_anything_loses_nothing_and_doubles_nothing(world: World) -> None:
    """1,000 events in a minute, mail server and webhook down for ten; the clock is the test's own."""
    duties = [
        ScriptDuty(world.node, world.board), MailDuty(world.node, world.board), WebhookDuty(world.node, world.board),
        LogDuty(world.node),
    ]  # fmt: skip
    world.mailer.refusing = world.webhook.refusing = True
    for second in range(60):
        for number in range(second * 1000 // 60, (second + 1) * 1000 // 60):
            add(world, number)
        _turn(world, duties)
    for _ in range(540):
        _turn(world, duties)
    assert world.mailer.sent == []
    world.mailer.refusing = world.webhook.refusing = False
    for _ in range(900):
        _turn(world, duties)
    expected = Counter(f"storm-{number:04d}" for number in range(1000))
    assert Counter(call.parameters[1] for call in world.scripts.calls) == expected
    assert Counter(re.findall(r"StandbyOffline \| (storm-\d+)", "".join(m.text for m in world.mailer.sent))) == expected
    posted = [json.loads(call.body)["parameters"] for call, _, _ in world.webhook.taken]
    assert Counter(each[1] for each in posted if each[0] == "StandbyOffline") == expected
    assert Counter(re.findall(r"\| (storm-\d+)", " ".join(line for _, line in world.system_log.lines))) == expected
    assert len(world.mailer.sent) < 12


def _turn(world: World, duties: list[ScriptDuty | MailDuty | WebhookDuty | LogDuty]) -> None:
    for duty in duties:
        for _ in range(50):
            if duty.step() > 0:
                break
    world.clock.advance(STEP_S)


def test_what_a_killed_monitor_left_claimed_goes_out_once_more_but_for_the_script(world: World) -> None:
    add(world, 1)
    for channel in ("script", "mail", "webhook", "log"):
        assert world.store.claim_deliveries(channel, 10)
    end_interrupted(world.node)
    states = {channel: each["state"] for channel, each in world.store.events()[0].deliveries.items()}
    assert states == {"script": "failed", "mail": "pending", "webhook": "pending", "log": "pending"}


@pytest.mark.parametrize("kind", list(EventKind))
def test_a_test_run_gets_sample_parameters_of_its_event_and_knows_that_it_is_one(world: World, kind: EventKind) -> None:
    duty = TrialDuty(world.node, world.board)
    test = world.store.add_alert_test("script", {"event": kind.value, "script": "echo tried\n"}, DANA)
    world.scripts.result = ScriptResult(3, "what it said", 0.5)
    while duty.step() == 0:
        pass
    (call,) = world.scripts.calls
    assert call.script == "echo tried\n"
    assert call.parameters[0] == call.environment["HA_EVENT"] == kind.value
    assert call.environment["HA_TEST"] == "1"
    (done,) = world.store.alert_tests(test.id)
    assert done.state == "failed"
    assert done.result is not None
    assert (done.result["exit_code"], done.result["output"]) == (3, "what it said")
    assert world.store.events() == []
    assert world.store.alarms() == []


def test_a_test_mail_and_a_test_call_say_how_it_went(world: World) -> None:
    duty = TrialDuty(world.node, world.board)
    mail = world.store.add_alert_test("mail", {"to": "me@example.org"}, DANA)
    hook = world.store.add_alert_test("webhook", {}, DANA)
    world.webhook.refusing = True
    while duty.step() == 0:
        pass
    assert world.mailer.sent[0].to == "me@example.org"
    assert world.store.alert_tests(mail.id)[0].state == "done"
    failed = world.store.alert_tests(hook.id)[0]
    assert failed.state == "failed"
    assert failed.result is not None
    assert "refused by the test" in failed.result["detail"]


def test_an_alarm_of_replication_that_ends_with_the_role_is_told_to_people_and_not_to_the_script() -> None:
    world = World(Role.PRIMARY)
    world.store.raise_alarm("replication-stopped", "The applier does not run.")
    over = ClearAlarm(rule=ROLE_CHANGED, why="This server is primary now.", code="replication-stopped")
    world.hands.do_all([over, over], world.state)
    (event,) = world.store.events()
    assert event.parameters == ("AlarmCleared", "replication-stopped", "The applier does not run.")
    assert event.deliveries["script"]["state"] == "skipped"
    assert event.deliveries["mail"]["state"] == "pending"
