"""Alert settings, trials and script checks through the API."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.core.access import Scope
from app.core.alertsettings import MailSettings, Security, WebhookSettings
from jobs import alertsettings
from tests.unit.api.world import NAME, Caller, World

PASSWORD = "smtp-Geheimnis-77"
MAIL = {"host": "mail.example.org", "port": 587, "security": "starttls", "sender": "hapair@example.org"}
LOGIN = {**MAIL, "username": "hapair", "password": PASSWORD}
HOOK = {"url": "https://hooks.example.org/T00/secret-part"}


def save(call: Caller, way: str, settings: Any, tag: str = "") -> TestResponse:
    """Saved over what is there now, or over what `tag` names."""
    return call("PUT", f"/ha/alerts/{way}", settings, If_Match=tag or call("GET", "/ha/alerts").headers["ETag"])


def test_without_settings_mails_go_to_the_mail_server_of_the_installation(call: Caller) -> None:
    shown = call("GET", "/ha/alerts").get_json()
    assert shown["mail"]["saved"] is False
    assert (shown["mail"]["host"], shown["mail"]["port"], shown["mail"]["password_set"]) == ("127.0.0.1", 25, False)
    assert shown["webhook"] is None
    assert shown["waiting"] == {"script": 0, "mail": 0, "webhook": 0, "log": 0}


def test_the_password_is_kept_sealed_and_never_shown(world: World, call: Caller) -> None:
    saved = save(call, "mail", LOGIN)
    assert saved.status_code == 200
    assert saved.get_json()["mail"]["password_set"] is True
    assert PASSWORD not in saved.text + call("GET", "/ha/alerts").text
    assert PASSWORD not in str(world.store.note("alert-mail"))
    assert PASSWORD not in str(world.store.activity())


def test_a_password_that_is_left_out_stays_and_an_empty_one_goes(call: Caller) -> None:
    save(call, "mail", LOGIN)
    again = {**MAIL, "username": "hapair", "sender": "other@example.org"}
    assert save(call, "mail", again).get_json()["mail"]["password_set"] is True
    assert save(call, "mail", {**MAIL, "password": ""}).get_json()["mail"]["password_set"] is False


@pytest.mark.parametrize("change", [{"host": "evil.example.org"}, {"port": 25}, {"username": "other"}])
def test_a_kept_password_is_never_sent_to_another_server_or_login(call: Caller, change: dict[str, Any]) -> None:
    save(call, "mail", LOGIN)
    answer = save(call, "mail", {**MAIL, "username": "hapair", **change})
    assert answer.status_code == 422
    assert "again" in answer.get_json()["errors"]["password"][0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"security": "none"}, "security"),
        ({"security": "ssl"}, "security"),
        ({"password": None}, "password"),
        ({"username": ""}, "username"),
        ({"port": 0}, "port"),
        ({"port": "25"}, "port"),
        ({"host": "mail example"}, "host"),
        ({"host": "a\r\nb"}, "host"),
        ({"sender": "me\r\nBcc: you@example.org"}, "sender"),
        ({"username": "me\n"}, "username"),
        ({"password": "with\nline"}, "password"),
        ({"authority": "no certificate"}, "authority"),
        ({"unheard": 1}, "unheard"),
    ],
)
def test_wrong_mail_settings_are_refused_by_field(call: Caller, change: dict[str, Any], field: str) -> None:
    answer = save(call, "mail", {**LOGIN, **change})
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]
    assert PASSWORD not in answer.text


def test_mail_settings_can_be_forgotten(call: Caller) -> None:
    save(call, "mail", LOGIN)
    assert call("DELETE", "/ha/alerts/mail").status_code == 200
    assert call("GET", "/ha/alerts").get_json()["mail"]["password_set"] is False


@pytest.mark.parametrize(("way", "settings"), [("mail", LOGIN), ("webhook", HOOK)])
def test_settings_are_not_saved_without_saying_what_was_changed(
    world: World, call: Caller, way: str, settings: dict[str, Any]
) -> None:
    answer = call("PUT", f"/ha/alerts/{way}", settings)
    assert (answer.status_code, answer.get_json()["code"]) == (428, "if-match-needed")
    assert "/ha/alerts" in answer.get_json()["hint"]
    assert world.store.note(f"alert-{way}") is None


@pytest.mark.parametrize(("way", "settings"), [("mail", LOGIN), ("webhook", HOOK)])
@pytest.mark.parametrize("changed", ["mail", "webhook"])
def test_of_two_who_change_the_settings_the_second_is_told(
    world: World, call: Caller, way: str, settings: dict[str, Any], changed: str
) -> None:
    seen = call("GET", "/ha/alerts").headers["ETag"]
    first = save(world.browser(), changed, LOGIN if changed == "mail" else HOOK)
    assert first.status_code == 200
    for answer in (save(call, way, settings, seen), call("DELETE", f"/ha/alerts/{way}", If_Match=seen)):
        assert (answer.status_code, answer.get_json()["code"]) == (412, "stale-settings")
        assert NAME in answer.get_json()["detail"]
    assert save(call, way, settings, first.headers["ETag"]).status_code == 200


def test_a_version_of_the_settings_is_never_used_again(call: Caller) -> None:
    tags = [call("GET", "/ha/alerts").headers["ETag"]]
    for _ in range(2):
        tags += [save(call, "webhook", HOOK).headers["ETag"], call("DELETE", "/ha/alerts/webhook").headers["ETag"]]
    assert len(set(tags)) == len(tags)


def test_of_two_who_save_at_once_one_is_told(world: World, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = call("GET", "/ha/alerts").headers["ETag"]
    seal = world.node.keys.seal

    def meanwhile(text: str) -> str:
        monkeypatch.undo()
        alertsettings.save(world.node, WebhookSettings("https://other.example.org/"), None, by="erin")
        alertsettings.save(world.node, MailSettings("other.example.org", 25, Security.NONE, "x@example.org"), None)
        return seal(text)

    monkeypatch.setattr(world.node.keys, "seal", meanwhile)
    assert save(call, "mail", LOGIN, seen).status_code == 412
    assert call("GET", "/ha/alerts").get_json()["mail"]["host"] == "other.example.org"


def test_the_log_says_what_was_changed_from_and_to(world: World, call: Caller) -> None:
    save(call, "mail", LOGIN)
    save(call, "mail", {**LOGIN, "port": 465, "security": "tls"})
    newest = world.store.activity()[0]
    assert newest.detail["changes"] == [
        {"field": "port", "from": 587, "to": 465}, {"field": "security", "from": "starttls", "to": "tls"},
    ]  # fmt: skip


def test_a_webhook_is_shown_whole_to_those_who_configure_only(world: World, call: Caller) -> None:
    body = {"url": "https://hooks.example.org/T00/secret-part?x=1", "secret": "hush-hush"}
    assert save(call, "webhook", body).get_json()["webhook"]["url"] == body["url"]
    reader = world.caller(Scope.READ)("GET", "/ha/alerts")
    assert reader.get_json()["webhook"]["url"] == "https://hooks.example.org/…"
    everything = call("GET", "/ha/alerts").text + str(world.store.note("alert-webhook")) + str(world.store.activity())
    assert "hush-hush" not in everything
    assert "secret-part" not in str(world.store.activity())


@pytest.mark.parametrize(
    "url",
    ["ftp://x.example", "https://", "https://user:pass@x.example/", "https://x.example/#part", "https://x y/",
     "https://x.example:99999/", "https://ex\u00e4mple.org/", "javascript:alert(1)", "https://x.example/\r\nHost: y"],
)  # fmt: skip
def test_wrong_webhook_addresses_are_refused(call: Caller, url: str) -> None:
    answer = save(call, "webhook", {"url": url})
    assert answer.status_code == 422
    assert "url" in answer.get_json()["errors"]


def test_plain_http_is_taken_with_a_warning(call: Caller) -> None:
    shown = save(call, "webhook", {"url": "http://10.0.0.9/x"}).get_json()["webhook"]
    assert any("unencrypted" in each for each in shown["warnings"])


def test_a_test_mail_waits_for_the_monitor_and_can_be_followed(world: World, call: Caller) -> None:
    assert call("POST", "/ha/alerts/mail/test", {}).get_json()["code"] == "no-address"
    test = call("POST", "/ha/alerts/mail/test", {"to": "ops@example.org"})
    assert test.status_code == 202
    test_id = test.get_json()["test"]["id"]
    assert call("GET", f"/ha/alerts/tests/{test_id}").get_json()["state"] == "queued"
    world.store.finish_alert_test(test_id, "done", {"detail": "taken"})
    (found,) = call("GET", "/ha/alerts/tests").get_json()["items"]
    assert (found["state"], found["result"]["detail"]) == ("done", "taken")
    assert call("GET", "/ha/alerts/tests/other").status_code == 404


def test_tests_that_nobody_makes_are_bounded(call: Caller) -> None:
    for _ in range(5):
        assert call("POST", "/ha/alerts/mail/test", {"to": "ops@example.org"}).status_code == 202
    assert call("POST", "/ha/alerts/mail/test", {"to": "ops@example.org"}).get_json()["code"] == "too-many-tests"


def test_a_webhook_test_needs_a_webhook(call: Caller) -> None:
    assert call("POST", "/ha/alerts/webhook/test").get_json()["code"] == "no-webhook"
    save(call, "webhook", {"url": "https://hooks.example.org/x"})
    assert call("POST", "/ha/alerts/webhook/test").status_code == 202


def test_a_script_is_tested_as_given_or_as_drafted(world: World, call: Caller) -> None:
    assert call("POST", "/ha/alerts/script/test", {"event": "Failover"}).get_json()["code"] == "no-script"
    assert call("POST", "/ha/alerts/script/test", {"event": "Unheard"}).status_code == 422
    call("POST", "/ha/alerts/script/test", {"event": "Failover", "script": "echo given"})
    assert call.save({"HAAdminAlertScript": "echo drafted"}).status_code == 200
    call("POST", "/ha/alerts/script/test", {"event": "ClearAlarm"})
    scripts = [each.arguments["script"] for each in reversed(world.store.alert_tests())]
    assert scripts == ["echo given\n", "echo drafted\n"]


def test_findings_name_line_column_and_code(call: Caller) -> None:
    found = call("POST", "/ha/alerts/script/check", {"script": "echo 1\necho doubtful\n"}).get_json()
    assert (found["ok"], found["shellcheck"]) == (True, "0.9.0")
    (finding,) = found["findings"]
    assert (finding["line"], finding["column"], finding["level"], finding["code"]) == (2, 6, "warning", "SC1000")


def test_a_script_with_errors_is_not_saved_and_warnings_inform(call: Caller) -> None:
    refused = call.save({"HAAdminAlertScript": "echo 1\nwrong\n"})
    assert refused.status_code == 422
    assert refused.get_json()["errors"]["HAAdminAlertScript"] == ["Line 2: wrong word (SC1000)"]
    saved = call.save({"HAAdminAlertScript": "doubtful\n"}).get_json()
    assert saved["state"] == "draft"
    assert [each["level"] for each in saved["script_check"]["findings"]] == ["warning"]
    assert call("GET", "/ha/config").get_json()["script_check"] is None
    assert call("POST", "/ha/alerts/script/test", {"event": "Failover", "script": "wrong"}).status_code == 422
