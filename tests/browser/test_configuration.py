"""The page HA Configuration: what is said while typing, two administrators on one draft, and the way to APPLY."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from app.core.fields import FIELDS, Kind
from app.core.roles import Role
from tests.browser import answers
from tests.browser.canned import Answer, ok, problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

STANDALONE = {"HAServerRole": "standalone"}
TABS_MAX = 60
WRONG = {
    Kind.ADDRESS: "$(reboot)",
    Kind.VIRTUAL_ADDRESS: "10.77.1.50",
    Kind.FINGERPRINT: "SHA256:short",
    Kind.EMAIL: "nobody",
    Kind.INTEGER: "7.5",
}
WRONG_TEXTS = (
    ("Local Server Address", "10.77.1.300", "Must be a valid IP address or fully qualified domain name."),
    ("Local Server Address", "", "A primary server needs a value here."),
    ("Peer Server Address", "10.77.1.11", "Must differ from HAServerAddress: it is the other server's."),
    ("Peer Server Address", "$(reboot)", "Must be a valid IP address or fully qualified domain name."),
    ("Peer Authentication Fingerprint", "SHA256:short", "SHA256: and 43 characters"),
    ("HA Alert Email Account", "nobody", "Must be one valid e-mail address."),
    ("Files Sync Frequency", "4", "Must be an integer between 5 and 30."),
    ("Files Sync Frequency", "7.5", "Must be an integer between 5 and 30."),
    ("HA Custom Script", "#!/usr/bin/python3\n", "Must be a bash script"),
)
"""Field, what is typed into it, and what is then said beside it."""


class Draft:
    """The draft on the server, with its ETag."""

    def __init__(self, applied: dict[str, Any]) -> None:
        self.applied = applied
        self.draft: dict[str, Any] | None = None
        self.version = 1
        self.saved_by = "dana"

    def show(self, _request: dict[str, Any]) -> Answer:
        found = answers.config(self.applied, self.draft)
        return ok({**found, "saved_by": self.saved_by if self.draft else None}, ETag=f'"{self.version}"')

    def save(self, request: dict[str, Any]) -> Answer:
        if request["headers"].get("if-match") != f'"{self.version}"':
            return problem(412, "stale-draft", "Somebody Else Has Changed The Draft")
        self.draft, self.saved_by = request["body"], "dana"
        self.version += 1
        return self.show(request)

    def save_by_other(self, **fields: Any) -> None:
        self.draft, self.saved_by = {**self.applied, **fields}, "erin"
        self.version += 1

    def routes(self) -> dict[str, Any]:
        return {"GET /ha/config": self.show, "PUT /ha/config/draft": self.save}


def started(_request: dict[str, Any]) -> Answer:
    return 202, {"job": answers.job("running")}, {}


CHECKS = [
    {"id": "fingerprint", "result": "pass", "detail": "Both servers hold the same fingerprint."},
    {"id": "memory", "result": "warn", "detail": "The memory differs."},
]


def test_what_is_wrong_is_said_beside_the_field_while_typing(page: Page, make_console: MakeConsole) -> None:
    console = make_console(Draft(answers.APPLIED).routes())
    page.goto(f"{console.url}/config")
    page.get_by_role("button", name="Advanced").click()
    for label, text, sentence in WRONG_TEXTS:
        page.get_by_label(label, exact=False).first.fill(text)
        expect(page.get_by_text(sentence)).to_be_visible()
        expect(page.get_by_role("button", name="SAVE")).to_be_disabled()
        page.get_by_role("button", name="Undo edits").click()
        expect(page.get_by_text(sentence)).to_have_count(0)


@pytest.mark.parametrize("role", ["primary", "secondary"])
def test_wrong_input_in_each_field_is_said_at_that_field(page: Page, make_console: MakeConsole, role: str) -> None:
    applied = {**answers.APPLIED, "HAServerRole": role}
    page.goto(f"{make_console(Draft(applied).routes()).url}/config")
    page.get_by_role("button", name="Advanced").click()
    for field in (each for each in FIELDS if Role(role) in each.roles and each.kind in WRONG):
        box = page.locator(f"#{field.name}")
        right = box.input_value()
        box.fill(WRONG[field.kind])
        expect(page.get_by_test_id(f"error-{field.name}")).to_contain_text("Must be")
        expect(page.get_by_role("button", name="SAVE")).to_be_disabled()
        box.fill(right)
        expect(page.get_by_test_id(f"error-{field.name}")).to_have_count(0)


def test_a_draft_is_made_and_applied_by_keyboard_alone(page: Page, make_console: MakeConsole) -> None:
    draft = Draft(STANDALONE)
    console = make_console(
        {
            **draft.routes(),
            "POST /ha/preflight": answers.always({"checks": CHECKS}),
            "POST /ha/apply": started,
            "POST /ha/fingerprint": answers.always({"HAPeerFingerprint": "SHA256:" + "B" * 43}),
            "GET /jobs/01JOB": answers.always(answers.job(message="Done.")),
        }
    )
    page.goto(f"{console.url}/config")
    expect(page.get_by_role("radio", name="standalone")).to_be_checked()

    def tab_to(target: Locator) -> None:
        for _ in range(TABS_MAX):
            if target.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail("the keyboard does not get there")

    tab_to(page.get_by_role("radio", name="standalone"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="primary")).to_be_checked()
    for name, text in (("HAServerAddress", "10.77.1.11"), ("HAPeerAddress", "10.77.1.12")):
        tab_to(page.locator(f"#{name}"))
        page.keyboard.type(text)
    tab_to(page.get_by_role("button", name="GENERATE"))
    page.keyboard.press("Enter")
    expect(page.locator("#HAPeerFingerprint")).not_to_have_value("")
    tab_to(page.get_by_role("button", name="SAVE"))
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("draft-state")).to_contain_text("This is a draft")
    tab_to(page.get_by_role("button", name="APPLY"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="APPLY")).to_be_enabled()
    tab_to(dialog.get_by_role("button", name="APPLY"))
    page.keyboard.press("Enter")
    expect(dialog.get_by_test_id("job-message")).to_contain_text("Done.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_only_the_fields_of_the_chosen_role_are_shown(page: Page, make_console: MakeConsole) -> None:
    console = make_console(Draft(STANDALONE).routes())
    page.goto(f"{console.url}/config")
    expect(page.get_by_label("Peer Server Address")).to_have_count(0)
    page.get_by_role("radio", name="secondary").check()
    expect(page.get_by_test_id("role-sentence")).to_contain_text("This server becomes the secondary")
    page.get_by_role("button", name="Advanced").click()
    expect(page.get_by_label("Number of Continuous Failed Pings to Trigger Failover")).to_have_value("12")
    expect(page.get_by_label("Files Sync Frequency")).to_have_count(0)
    expect(page.get_by_role("button", name="GENERATE")).to_have_count(0)


def test_a_generated_fingerprint_is_put_into_the_form_and_saved(page: Page, make_console: MakeConsole) -> None:
    draft = Draft(STANDALONE)
    made = "SHA256:" + "B" * 43
    console = make_console({**draft.routes(), "POST /ha/fingerprint": answers.always({"HAPeerFingerprint": made})})
    page.goto(f"{console.url}/config")
    page.get_by_role("radio", name="primary").check()
    page.get_by_label("Local Server Address").fill("10.77.1.11")
    page.get_by_label("Peer Server Address").fill("10.77.1.12")
    page.get_by_role("button", name="GENERATE").click()
    expect(page.get_by_label("Peer Authentication Fingerprint")).to_have_value(made)
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_test_id("draft-state")).to_contain_text("This is a draft: 4 changes")
    assert draft.draft is not None
    assert draft.draft["HAPeerFingerprint"] == made
    assert draft.draft["HAPingIterations"] == 12


def test_two_administrators_on_one_draft_lose_nothing_without_being_asked(
    page: Page, make_console: MakeConsole
) -> None:
    draft = Draft(answers.APPLIED)
    console = make_console(draft.routes())
    page.goto(f"{console.url}/config")
    email = page.get_by_label("HA Alert Email Account")
    email.fill("dana@example.com")
    draft.save_by_other(HAAlertEmail="erin@example.com", HAFileSyncInterval=9)
    page.get_by_role("button", name="SAVE").click()
    warning = page.get_by_role("alert").filter(has_text="erin changed the configuration while you were editing")
    expect(warning).to_contain_text("erin@example.com")
    expect(email).to_have_value("dana@example.com")
    assert draft.draft == {**answers.APPLIED, "HAAlertEmail": "erin@example.com", "HAFileSyncInterval": 9}

    page.get_by_role("button", name="Keep my changes on top of theirs").click()
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_test_id("draft-state")).to_contain_text("by dana")
    assert draft.draft["HAAlertEmail"] == "dana@example.com"
    assert draft.draft["HAFileSyncInterval"] == 9


def test_taking_the_other_administrators_draft_drops_the_own_edits(page: Page, make_console: MakeConsole) -> None:
    draft = Draft(answers.APPLIED)
    console = make_console(draft.routes())
    page.goto(f"{console.url}/config")
    page.get_by_label("HA Alert Email Account").fill("dana@example.com")
    draft.save_by_other(HAAlertEmail="erin@example.com")
    page.get_by_role("button", name="SAVE").click()
    page.get_by_role("button", name="Take theirs and drop mine").click()
    expect(page.get_by_label("HA Alert Email Account")).to_have_value("erin@example.com")
    expect(page.get_by_role("button", name="Undo edits")).to_have_count(0)


def test_the_servers_own_judgement_stands_beside_the_field(page: Page, make_console: MakeConsole) -> None:
    refusal = problem(
        422, "invalid-configuration", "The Configuration Breaks Some Rules",
        errors={"HAServerAddress": ["Is not an address of this server."]},
    )  # fmt: skip
    console = make_console({**Draft(answers.APPLIED).routes(), "PUT /ha/config/draft": lambda _request: refusal})
    page.goto(f"{console.url}/config")
    page.get_by_label("Local Server Address").fill("10.77.1.99")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_test_id("error-HAServerAddress")).to_contain_text("Is not an address of this server.")
    expect(page.get_by_role("alert")).to_contain_text("Local Server Address: Is not an address of this server.")
    page.get_by_label("Local Server Address").fill("10.77.1.98")
    expect(page.get_by_test_id("error-HAServerAddress")).to_have_count(0)


def test_applied_and_draft_stand_side_by_side_and_of_a_script_the_lines_that_differ(
    page: Page, make_console: MakeConsole
) -> None:
    draft = Draft({**answers.APPLIED, "HAAdminAlertScript": "#!/bin/bash\necho one\necho three\n"})
    draft.save_by_other(HAAlertEmail="night@example.com", HAAdminAlertScript="#!/bin/bash\necho one\necho 3\nexit\n")
    page.goto(f"{make_console(draft.routes()).url}/config")
    rows = page.get_by_role("table", name="Differences between the draft and the applied configuration")
    email, script = (rows.get_by_role("row").filter(has_text=name) for name in ("HAAlertEmail", "HAAdminAlertScript"))
    expect(email.get_by_role("cell")).to_have_text(["HAAlertEmail", "ops@example.com", "night@example.com"])
    expect(script.get_by_role("cell")).to_have_text(["HAAdminAlertScript", "3  echo three", "3  echo 3\n4  exit"])
    marked = page.locator("#HAAlertEmail-help")
    expect(marked).to_contain_text("changed applied: ops@example.com")


def test_apply_without_a_draft_says_so_in_the_manuals_words(page: Page, make_console: MakeConsole) -> None:
    refusal = problem(409, "no-changes", "No Configuration Changes To Apply", hint="Change a field and save it first.")
    console = make_console({**Draft(answers.APPLIED).routes(), "POST /ha/apply": lambda _request: refusal})
    page.goto(f"{console.url}/config")
    page.get_by_role("button", name="APPLY").click()
    page.get_by_role("dialog").get_by_role("button", name="APPLY").click()
    expect(page.get_by_role("dialog")).to_contain_text("No Configuration Changes To Apply")


def test_apply_shows_the_checks_then_the_job_to_its_message(page: Page, make_console: MakeConsole) -> None:
    draft = Draft(STANDALONE)
    draft.save_by_other(**answers.APPLIED)
    console = make_console(
        {
            **draft.routes(),
            "POST /ha/preflight": answers.always({"checks": CHECKS}),
            "POST /ha/apply": started,
            "GET /jobs/01JOB": answers.always(answers.job("running", steps=[answers.step(state="running")])),
        }
    )
    page.goto(f"{console.url}/config")
    page.get_by_role("button", name="APPLY").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("act-explanation")).to_contain_text("becomes the primary of a new pair")
    expect(dialog.get_by_test_id("check-memory")).to_contain_text("The memory differs.")
    dialog.get_by_role("button", name="APPLY").click()
    expect(dialog.get_by_text("Check both servers")).to_be_visible()
    message = "HA setup change has initialized successfully."
    console.routes["GET /jobs/01JOB"] = answers.always(answers.job(message=message, steps=[answers.step()]))
    expect(dialog.get_by_test_id("job-message")).to_contain_text(message)


def test_a_failed_check_keeps_apply_from_being_pressed(page: Page, make_console: MakeConsole) -> None:
    draft = Draft(STANDALONE)
    draft.save_by_other(**answers.APPLIED)
    failed = [{"id": "peer", "result": "fail", "detail": "The other server can't be reached."}]
    console = make_console({**draft.routes(), "POST /ha/preflight": answers.always({"checks": failed})})
    page.goto(f"{console.url}/config")
    page.get_by_role("button", name="APPLY").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("check-peer")).to_contain_text("can't be reached")
    expect(dialog.get_by_role("button", name="APPLY")).to_be_disabled()


def test_a_failed_job_says_what_was_taken_back_and_retry_starts_it_again(page: Page, make_console: MakeConsole) -> None:
    draft = Draft(STANDALONE)
    draft.save_by_other(**answers.APPLIED)
    message = "There is a communication error between the HA peers."
    failed = answers.job("reverted", message=message, steps=[answers.step(state="undone")])
    console = make_console(
        {
            **draft.routes(),
            "POST /ha/preflight": answers.always({"checks": CHECKS}),
            "POST /ha/apply": started,
            "POST /ha/retry": lambda _request: (202, {"job": answers.job("running") | {"id": "02JOB"}}, {}),
            "GET /jobs/01JOB": answers.always(failed),
            "GET /jobs/02JOB": answers.always(answers.job(message="Done.") | {"id": "02JOB"}),
        }
    )
    page.goto(f"{console.url}/config")
    page.get_by_role("button", name="APPLY").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="APPLY").click()
    expect(dialog.get_by_test_id("job-message")).to_contain_text(message)
    expect(dialog).to_contain_text("Taken back: Check both servers.")
    dialog.get_by_role("button", name="RETRY").click()
    expect(dialog.get_by_test_id("job-message")).to_contain_text("Done.")


def test_a_teardown_asks_for_the_name_of_this_server(page: Page, make_console: MakeConsole) -> None:
    draft = Draft(answers.APPLIED)
    draft.save_by_other(HAServerRole="standalone")
    console = make_console(
        {**draft.routes(), "POST /ha/preflight": answers.always({"checks": []}), "POST /ha/apply": started}
    )
    page.goto(f"{console.url}/config")
    page.get_by_role("button", name="APPLY").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="APPLY")).to_be_disabled()
    dialog.get_by_label("Type alpha to confirm").fill("alpha")
    dialog.get_by_role("button", name="APPLY").click()
    expect(dialog.get_by_role("button", name="Close").last).to_be_visible()
    assert console.sent("POST /ha/apply")[0]["body"] == {"confirm": "alpha"}
