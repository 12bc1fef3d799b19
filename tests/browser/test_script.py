"""The editor of the custom script."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import Answer, ok, problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

SCRIPT = '#!/bin/bash\n# tells the DNS\nif [[ $1 == Failover ]]; then\n  echo "$2" > /tmp/active\nfi\necho $1\n'
FINDING = {
    "line": 6, "column": 6, "end_line": 6, "end_column": 8, "level": "info", "code": "SC2086",
    "message": "Double quote to prevent globbing.",
}  # fmt: skip


def check(request: dict[str, Any]) -> Answer:
    """As shellcheck: an unquoted variable in the last line is found."""
    found = [FINDING] if request["body"]["script"].endswith("echo $1\n") else []
    return ok({"ok": True, "findings": found, "shellcheck": "0.9.0", "notes": []})


def open_editor(page: Page, make_console: MakeConsole, **routes: Any) -> Any:
    applied = {**answers.APPLIED, "HAAdminAlertScript": SCRIPT}
    shown = answers.config(applied)
    console = make_console(
        {"GET /ha/config": answers.always(shown, ETag='"1"'), "POST /ha/alerts/script/check": check, **routes}
    )
    page.goto(f"{console.url}/config")
    page.get_by_role("button", name="Advanced").click()
    expect(page.get_by_role("textbox", name="HA Custom Script")).to_have_attribute("contenteditable", "true")
    return console


def test_bash_is_highlighted_within_the_security_policy(page: Page, make_console: MakeConsole) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    open_editor(page, make_console)
    colour = "element => getComputedStyle(element).color"
    keyword = page.locator(".cm-line span", has_text="then").last.evaluate(colour)
    text = page.locator(".cm-line span", has_text="tells the DNS").last.evaluate(colour)
    plain = page.locator(".cm-content").evaluate(colour)
    assert len({keyword, text, plain}) == 3
    assert complaints == []


def test_findings_stand_at_their_line_and_under_the_editor_and_go_away_when_mended(
    page: Page, make_console: MakeConsole
) -> None:
    open_editor(page, make_console)
    findings = page.get_by_test_id("script-findings")
    expect(findings).to_contain_text("Line 6, note: Double quote to prevent globbing. (SC2086)")
    expect(page.locator(".cm-lint-marker-info")).to_have_count(1)
    findings.get_by_role("button", name="Line 6").click()
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.type('"$1"')
    expect(findings).not_to_contain_text("SC2086")
    expect(page.locator(".cm-lint-marker-info")).to_have_count(0)


def test_the_script_is_saved_as_typed_and_tab_leaves_the_editor(page: Page, make_console: MakeConsole) -> None:
    saved = {"PUT /ha/config/draft": answers.always(answers.config(), ETag='"2"')}
    console = open_editor(page, make_console, **saved)
    editor = page.get_by_role("textbox", name="HA Custom Script")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()
    editor.fill('#!/bin/bash\nlogger -t hapair "$1"\n')
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_role("button", name="Undo edits")).to_have_count(0)
    assert console.sent("PUT /ha/config/draft")[0]["body"]["HAAdminAlertScript"].startswith("#!/bin/bash\nlogger -t")


def test_a_check_that_can_not_be_made_is_said_and_does_not_keep_from_saving(
    page: Page, make_console: MakeConsole
) -> None:
    refused = problem(503, "busy", "Too Busy", detail="The checker is busy.")
    open_editor(page, make_console, **{"POST /ha/alerts/script/check": lambda _request: refused})
    expect(page.get_by_test_id("script-findings")).to_contain_text("could not be checked: The checker is busy.")
