"""Users, tokens, the own account, and what an auditor sees."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import Answer, ok, problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

QR_CODE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E"
CHANGING = ("SAVE", "APPLY", "GENERATE", "Swap roles", "Maintenance", "Remove…", "Add a user…", "Save", "Replace…")


def test_a_login_with_a_second_factor_asks_for_the_code(page: Page, make_console: MakeConsole) -> None:
    def log_in(request: dict[str, Any]) -> Answer:
        code = request["body"].get("code")
        if code is None:
            return problem(401, "code-needed", "The Code Is Needed")
        return ok(answers.session()) if code == "123456" else problem(401, "wrong-code", "Wrong Code")

    anonymous = problem(401, "login-needed", "Log In First")
    console = make_console({"GET /session": lambda _request: anonymous, "POST /session": log_in})
    page.goto(console.url)
    page.get_by_label("User name").fill(answers.USERNAME)
    page.get_by_label("Password").fill(answers.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("Wrong Code")
    page.get_by_label("Code").fill("123456")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_test_id("hostname")).to_have_text("alpha")


def test_a_password_set_by_somebody_else_opens_nothing_until_it_is_changed(
    page: Page, make_console: MakeConsole
) -> None:
    def change(request: dict[str, Any]) -> Answer:
        if len(request["body"]["password"]) < 12:
            return problem(422, "weak-password", "Not Good Enough", errors={"password": ["Must be longer."]})
        return ok(answers.session())

    first = answers.session(password_change_needed=True)
    console = make_console({"GET /session": answers.always(first), "PUT /session/password": change})
    page.goto(f"{console.url}/config")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a password of your own")
    assert console.sent("GET /ha/config", 0) == []
    page.get_by_label("Current password").fill("given")
    page.locator("#new-password").fill("short")
    page.get_by_label("New password again").fill("shorter")
    expect(page.get_by_role("button", name="Change the password")).to_be_disabled()
    page.get_by_label("New password again").fill("short")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_contain_text("New password: Must be longer.")
    for field in ("new-password", "new-password-again"):
        page.locator(f"#{field}").fill("long enough to be taken")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("HA Configuration")


def test_a_second_factor_is_set_up_with_a_qr_code_and_its_recovery_codes_are_shown_once(
    page: Page, make_console: MakeConsole
) -> None:
    console = make_console(
        {
            "POST /session/totp": answers.always({"secret": "JBSWY3DP", "uri": "otpauth://", "qr_code": QR_CODE}),
            "PUT /session/totp": answers.always({"recovery_codes": ["aaaa-bbbb", "cccc-dddd"]}),
        }
    )
    page.goto(f"{console.url}/account")
    page.get_by_role("button", name="Set up a second factor…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your password").fill(answers.PASSWORD)
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("img", name="QR code")).to_have_js_property("naturalWidth", 9)
    expect(dialog.get_by_role("textbox", name="Secret for the authenticator")).to_have_value("JBSWY3DP")
    console.routes["GET /session"] = answers.always(answers.session(totp=True, recovery_codes=2))
    dialog.locator("#first-code").fill("123456")
    dialog.get_by_role("button", name="Confirm").click()
    expect(page.get_by_test_id("recovery-codes")).to_contain_text("cccc-dddd")
    expect(page.get_by_test_id("second-factor")).to_contain_text("2 recovery codes are left")


def test_users_are_added_changed_and_removed(page: Page, make_console: MakeConsole) -> None:
    console = make_console(
        {
            "POST /users": lambda _request: (201, answers.user("frank"), {}),
            "PUT /users/erin/role": answers.always(answers.user("erin")),
            "DELETE /users/erin": lambda _request: (204, None, {}),
            "DELETE /users/erin/sessions": answers.always({"ended": 1, "both_servers": True, "detail": ""}),
        }
    )
    page.goto(f"{console.url}/users")
    row = page.get_by_role("table", name="Users").get_by_role("row").filter(has_text="erin")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Add a user…").click()
    dialog.get_by_label("Name").fill("frank")
    dialog.get_by_label("First password").fill("correct horse battery")
    dialog.get_by_role("radio", name="auditor").check()
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    for act, button in (("Make administrator…", "Make administrator"), ("End sessions…", "End all sessions")):
        row.get_by_role("button", name=act).click()
        dialog.get_by_role("button", name=button).click()
        expect(dialog).to_have_count(0)
    row.get_by_role("button", name="Remove…").click()
    expect(dialog.get_by_role("button", name="Remove", exact=True)).to_be_disabled()
    dialog.get_by_label("Type erin to confirm").fill("erin")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog).to_have_count(0)
    made = console.sent("POST /users")[0]["body"]
    assert made == {"name": "frank", "password": "correct horse battery", "role": "auditor"}
    assert console.sent("PUT /users/erin/role")[0]["body"] == {"role": "administrator"}
    assert len(console.sent("DELETE /users/erin/sessions")) == len(console.sent("DELETE /users/erin")) == 1


def test_a_token_is_shown_once_and_can_be_withdrawn(page: Page, make_console: MakeConsole) -> None:
    made = answers.token(id="3d4e5f", label="terraform") | {"token": "secret-of-the-token"}
    console = make_console(
        {"POST /tokens": lambda _request: (201, made, {}), "DELETE /tokens/0a1b2c": lambda _request: (204, None, {})}
    )
    page.goto(f"{console.url}/users")
    page.get_by_role("button", name="Make a token…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Label").fill("terraform")
    dialog.get_by_role("radio", name="read").check()
    dialog.get_by_label("Ends after days").fill("")
    dialog.get_by_role("button", name="Make").click()
    expect(page.get_by_role("textbox", name="The new token")).to_have_value("secret-of-the-token")
    assert console.sent("POST /tokens")[0]["body"] == {"label": "terraform", "scope": "read", "expires_in_days": None}
    page.get_by_role("button", name="Withdraw…").click()
    dialog.get_by_role("button", name="Withdraw").click()
    expect(dialog).to_have_count(0)
    assert len(console.sent("DELETE /tokens/0a1b2c")) == 1


@pytest.mark.parametrize("path", ["/", "/config", "/rescues", "/alerts", "/system"])
def test_an_auditor_sees_no_button_that_changes_anything(page: Page, make_console: MakeConsole, path: str) -> None:
    console = make_console({"GET /session": answers.always(answers.auditor())})
    page.goto(console.url + path)
    content = page.get_by_role("main").get_by_role("heading", level=2).or_(page.get_by_role("table"))
    if path != "/config":
        expect(content.first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("progressbar", name="Loading")).to_have_count(0)
    for name in CHANGING:
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Users and tokens")).to_have_count(0)
