"""The page Alerts: settings whose secrets are never shown, and tests of each bell."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser


def test_mail_settings_are_saved_without_the_password_that_is_kept(page: Page, make_console: MakeConsole) -> None:
    console = make_console({"PUT /ha/alerts/mail": answers.always(answers.alerts())})
    page.goto(f"{console.url}/alerts")
    expect(page.get_by_test_id("waiting")).to_contain_text("1 mail")
    mail = page.get_by_test_id("mail")
    expect(mail.get_by_label("Password")).to_have_value("")
    mail.get_by_label("Sender").fill("alerts@example.com")
    mail.get_by_role("button", name="Save").click()
    expect(mail.get_by_role("button", name="Save")).to_be_disabled()
    sent = console.sent("PUT /ha/alerts/mail")[0]["body"]
    assert (sent["sender"], sent["port"]) == ("alerts@example.com", 587)
    assert "password" not in sent


def test_who_saves_second_is_told_keeps_what_was_typed_and_sees_what_the_other_saved(
    page: Page, make_console: MakeConsole
) -> None:
    stale = problem(412, "stale-settings", "Somebody Else Has Changed The Alert Settings", detail="Last by erin.")
    console = make_console(
        {
            "GET /ha/alerts": answers.always(answers.alerts(), ETag='"1-0"'),
            "PUT /ha/alerts/mail": lambda _request: stale,
        }
    )
    page.goto(f"{console.url}/alerts")
    mail = page.get_by_test_id("mail")
    mail.get_by_label("Sender").fill("mine@example.com")
    theirs = answers.alerts()
    theirs["mail"]["host"] = "theirs.example.com"
    console.routes["GET /ha/alerts"] = answers.always(theirs, ETag='"2-0"')
    mail.get_by_role("button", name="Save").click()
    expect(mail.get_by_role("alert")).to_contain_text("Last by erin.")
    expect(mail.locator("#mail-host")).to_have_value("theirs.example.com")
    expect(mail.get_by_label("Sender")).to_have_value("mine@example.com")
    console.routes["PUT /ha/alerts/mail"] = answers.always(theirs, ETag='"3-0"')
    mail.get_by_role("button", name="Save").click()
    expect(mail.get_by_role("button", name="Save")).to_be_disabled()
    sent = console.sent("PUT /ha/alerts/mail", 2)
    assert [each["headers"]["if-match"] for each in sent] == ['"1-0"', '"2-0"']
    assert (sent[1]["body"]["host"], sent[1]["body"]["sender"]) == ("theirs.example.com", "mine@example.com")


def test_what_is_wrong_with_a_setting_stands_at_its_field(page: Page, make_console: MakeConsole) -> None:
    refusal = problem(422, "invalid-fields", "Some Fields Are Not Valid", errors={"port": ["Must be at most 65535."]})
    console = make_console({"PUT /ha/alerts/mail": lambda _request: refusal})
    page.goto(f"{console.url}/alerts")
    mail = page.get_by_test_id("mail")
    mail.locator("#mail-port").fill("70000")
    mail.get_by_role("button", name="Save").click()
    expect(mail.locator("#mail-port-help")).to_contain_text("Must be at most 65535.")


def test_a_test_mail_is_followed_to_its_end(page: Page, make_console: MakeConsole) -> None:
    console = make_console(
        {
            "POST /ha/alerts/mail/test": lambda _request: (202, {"test": answers.alert_test("mail", "queued")}, {}),
            "GET /ha/alerts/tests/01TEST": answers.always(answers.alert_test("mail", "running")),
        }
    )
    page.goto(f"{console.url}/alerts")
    mail = page.get_by_test_id("mail")
    mail.get_by_role("button", name="Send a test mail").click()
    expect(mail.get_by_test_id("trial")).to_contain_text("The test is being made")
    refused = answers.alert_test("mail", "failed", detail="The login was refused.", hint="Check the password.")
    console.routes["GET /ha/alerts/tests/01TEST"] = answers.always(refused)
    expect(mail.get_by_test_id("trial")).to_contain_text("The login was refused.")
    expect(mail.get_by_test_id("trial")).to_contain_text("Check the password.")


def test_a_test_run_of_the_script_shows_its_parameters_output_and_exit_code(
    page: Page, make_console: MakeConsole
) -> None:
    ended = answers.alert_test("script", "failed", output="nsupdate: no such key", exit_code=1)
    console = make_console({"POST /ha/alerts/script/test": lambda _request: (202, {"test": ended}, {})})
    page.goto(f"{console.url}/alerts")
    script = page.get_by_test_id("script")
    script.get_by_label("Event of the test run").select_option("ManualSwitch")
    script.get_by_role("button", name="Run the script").click()
    expect(script.get_by_test_id("trial")).to_contain_text("exit code 1")
    expect(script.get_by_test_id("trial")).to_contain_text("nsupdate: no such key")
    assert console.sent("POST /ha/alerts/script/test")[0]["body"] == {"event": "ManualSwitch"}
