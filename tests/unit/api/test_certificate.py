"""The console's certificate over the API, and its end as an alarm."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core.access import Scope
from app.core.certificates import ALARM, WARN_BEFORE
from app.core.roles import Role
from app.ports import Node
from jobs.monitor.certificate import CertificateDuty
from tests.fakes.certificate import FakeCertificate
from tests.unit.api.world import Caller, World

NEW = {"certificate": "console.example until 2040-01-01", "key": "key of console.example"}


@pytest.fixture
def certificate(world: World) -> FakeCertificate:
    found = world.node.certificate
    assert isinstance(found, FakeCertificate)
    return found


def test_a_reader_sees_when_it_ends_and_whose_it_is(world: World) -> None:
    found = world.caller(Scope.READ)("GET", "/system/certificate").get_json()
    assert (found["subject"], found["names"], found["made_here"]) == ("CN=alpha", ["alpha"], True)
    assert found["days_left"] == 820
    assert found["authority"].startswith("-----BEGIN CERTIFICATE-----")


def test_a_new_one_is_in_use_and_recorded_without_its_key(world: World, call: Caller) -> None:
    answer = call("PUT", "/system/certificate", NEW)
    assert (answer.status_code, answer.get_json()["fingerprint"]) == (200, "CC:DD")
    newest = world.store.activity()[0]
    assert (newest.action, newest.outcome) == ("replace-certificate", "done")
    assert newest.detail["fingerprint"] == "CC:DD"
    assert "key of" not in str(newest.detail)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**NEW, "key": "another"}, "key"),
        ({**NEW, "certificate": "hello"}, "certificate"),
        ({**NEW, "certificate": "x" * 65537}, "certificate"),
        ({"certificate": NEW["certificate"]}, "key"),
        ({**NEW, "more": 1}, "more"),
    ],
)
def test_a_wrong_one_is_told_by_field_and_changes_nothing(
    call: Caller, certificate: FakeCertificate, body: dict[str, object], field: str
) -> None:
    before = certificate.current
    answer = call("PUT", "/system/certificate", body)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]
    assert certificate.current == before


def test_one_of_its_own_is_made_on_request(world: World, call: Caller) -> None:
    call("PUT", "/system/certificate", NEW)
    assert call("POST", "/system/certificate/renew").get_json()["made_here"] is True
    assert world.store.activity()[0].action == "renew-certificate"


@pytest.mark.parametrize("scope", [Scope.READ, Scope.OPERATE])
def test_only_who_configures_may_change_it(world: World, scope: Scope) -> None:
    assert world.caller(scope)("PUT", "/system/certificate", NEW).status_code == 403
    assert world.caller(scope)("POST", "/system/certificate/renew").status_code == 403


def test_it_is_said_when_it_can_not_be_read_or_used(call: Caller, certificate: FakeCertificate) -> None:
    certificate.stuck = True
    answer = call("PUT", "/system/certificate", NEW)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "certificate-not-loaded")
    certificate.down = True
    answer = call("GET", "/system/certificate")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "certificate-unavailable")


def codes(node: Node) -> list[str]:
    return [alarm.code for alarm in node.store.alarms()]


def test_its_end_is_an_alarm_in_good_time_until_there_is_another(world: World, certificate: FakeCertificate) -> None:
    duty = CertificateDuty(world.node)
    world.clock.advance((certificate.current.not_after - world.clock.now() - WARN_BEFORE).total_seconds() - 1)
    duty.step()
    assert codes(world.node) == []
    world.clock.advance(2)
    duty.step()
    (alarm,) = world.node.store.alarms()
    assert alarm.code == ALARM
    assert "29 days" in alarm.text
    world.clock.advance(timedelta(days=31).total_seconds())
    duty.step()
    assert "has ended" in world.node.store.alarms()[0].text
    certificate.renew()
    duty.step()
    assert codes(world.node) == []


def test_a_certificate_that_can_not_be_read_raises_and_clears_nothing(
    world: World, certificate: FakeCertificate
) -> None:
    world.node.store.raise_alarm(ALARM, "It ends.")
    certificate.down = True
    CertificateDuty(world.node).step()
    assert codes(world.node) == [ALARM]


def test_the_alarm_says_nothing_against_the_pair(world: World, call: Caller) -> None:
    world.become(Role.STANDALONE)
    document = {"node": {"writable": True}, "database": {"facts": {}, "facts_age_s": 0.1, "error": ""}}
    alarms = [{"code": ALARM, "text": "It ends.", "raised_at": world.clock.now().isoformat()}]
    world.machine.publish("monitor", {**document, "alarms": alarms})
    found = call("GET", "/ha/status").get_json()
    assert (found["status"], found["reasons"]) == ("standalone", [])
    assert [each["code"] for each in found["alarms"]] == [ALARM]
