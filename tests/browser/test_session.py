"""Logging in, and sessions that end while somebody works."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import Answer, ok, problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser


class Door:
    """A session that can end."""

    def __init__(self, *, inside: bool) -> None:
        self.inside = inside

    def who(self, _request: dict[str, Any]) -> Answer:
        return ok(answers.session()) if self.inside else self._refuse()

    def log_in(self, request: dict[str, Any]) -> Answer:
        answer = answers.log_in(request)
        self.inside = answer[0] == 200
        return answer

    def save(self, request: dict[str, Any]) -> Answer:
        if not self.inside:
            return self._refuse()
        return ok(answers.config(draft=request["body"]), ETag='"2"')

    @staticmethod
    def _refuse() -> Answer:
        return problem(401, "not-logged-in", "Not Logged In")


def fill_login(page: Page, password: str) -> None:
    page.get_by_label("User name").fill(answers.USERNAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_wrong_password_is_refused_in_words_and_the_right_one_opens_the_status(
    page: Page, make_console: MakeConsole
) -> None:
    door = Door(inside=False)
    console = make_console({"GET /session": door.who, "POST /session": door.log_in})
    page.goto(console.url)
    fill_login(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("Wrong User Name or Password")
    fill_login(page, answers.PASSWORD)
    expect(page.get_by_test_id("hostname")).to_have_text("alpha")
    expect(page.get_by_test_id("status-word").first).to_have_text("stable")


def test_a_session_that_ends_in_mid_edit_loses_nothing_that_was_typed(page: Page, make_console: MakeConsole) -> None:
    door = Door(inside=True)
    console = make_console({"GET /session": door.who, "POST /session": door.log_in, "PUT /ha/config/draft": door.save})
    page.goto(f"{console.url}/config")
    email = page.get_by_label("HA Alert Email Account")
    email.fill("night-shift@example.com")
    door.inside = False
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_role("dialog")).to_contain_text("Your session has ended")
    page.get_by_label("Password").fill(answers.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(email).to_have_value("ops@example.com")  # saved: the canned server answers with its old draft
    saved = console.sent("PUT /ha/config/draft", 2)[-1]
    assert saved["body"]["HAAlertEmail"] == "night-shift@example.com"
    assert saved["headers"]["x-csrf-token"] == "canned-token"


def test_logging_out_leads_back_to_the_login(page: Page, make_console: MakeConsole) -> None:
    console = make_console({"DELETE /session": lambda _request: (204, None, {})})
    page.goto(console.url)
    page.get_by_role("button", name="Menu of dana").click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
