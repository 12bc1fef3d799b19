"""What came as text is shown as text: names, messages, file names, log lines, and whatever else another server says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import Answer, CannedConsole, Route, ok, problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e' OR 1=1 --"
WORDS = frozenset(
    {
        "role", "status", "state", "scope", "source", "outcome", "security", "channel", "level", "phase",
        "fields", "transitions", "HAServerRole", "HAProtectionMode", "mode", "csrf_token",
    }
)  # fmt: skip
"""Keys whose values are words that the console knows: no foreign text gets there."""
PATHS = (
    "/", "/config", "/events", "/activity", "/jobs", "/jobs/01JOB", "/rescues", "/alerts", "/users", "/system",
)  # fmt: skip
SHOWN = """() => {
  const fields = [...document.querySelectorAll('main input, main textarea')].map((field) => field.value);
  return [document.querySelector('main').textContent, ...fields].join(' ');
}"""


def poisoned(value: Any) -> Any:
    """The same document with an attack in the place of each text."""
    if isinstance(value, dict):
        return {key: each if key in WORDS else poisoned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each) for each in value]
    return HOSTILE if isinstance(value, str) else value


def everything() -> dict[str, Any]:
    """What the API can say besides the usual: with texts in places that are empty on a good day."""
    status = answers.status(
        status="degraded",
        reasons=[{"code": "x", "text": "A reason."}],
        alarms=[{"code": "x", "text": "An alarm.", "raised_at": "2026-11-22T14:00:00+00:00"}],
        database={"ok": False, "error": "An error of the database."},
        virtual_address={"address": "10.77.1.50/24", "interface": "eth0", "held": True, "holders": ["alpha"]},
        job={"id": "01JOB", "kind": "swap", "state": "running"},
    )
    status["files"] |= {"trouble": "./a file name", "last_error": "rsync: ./a file name"}
    status["failover"] |= {"ready": False, "reasons": [{"code": "x", "text": "Another reason."}]}
    step = answers.step(detail="./a file name")
    failed = answers.job("failed", message="A message.", steps=[step, answers.step(state="undone") | {"name": "other"}])
    entry = answers.activity(detail={"changes": [{"field": "x", "from": "a", "to": "b"}], "file": "./name", "job": "1"})
    draft = answers.config(draft={"HAAlertEmail": "b@example.com", "HAAdminAlertScript": "echo"})
    return {
        "GET /session": answers.session(),
        "GET /ha/status": status,
        "GET /ha/config": draft | {"state": "failed", "failed": "Why it failed."},
        "GET /ha/events": {"items": [answers.event(1, "Failover", "a", "b", detail="More.")], "next": None},
        "GET /ha/history": answers.history(),
        "GET /activity": answers.activity_page(entry),
        "GET /jobs": {"items": [failed], "next": None},
        "GET /jobs/01JOB": failed,
        "GET /ha/rescues": {
            "items": [answers.rescue() | {"rows_by_table": {HOSTILE: 3}}],
            "count": 1,
        },
        "GET /users": {"items": [answers.user(password_change_needed=True)]},
        "GET /tokens": {"items": [answers.token()]},
        "GET /ha/alerts": answers.alerts(webhook=answers.alerts()["webhook"] | {"warnings": ["A warning."]}),
        "GET /system": answers.system(),
        "GET /system/certificate": answers.certificate(),
    }


def hostile_console(make_console: MakeConsole, **changed: Route) -> CannedConsole:
    """A console to which the server says nothing but attacks."""
    documents = {call: poisoned(document) for call, document in everything().items()}
    documents["GET /jobs/01JOB"]["id"] = "01JOB"
    routes = {call: answers.always(document, ETag='"1"') for call, document in documents.items()}
    return make_console(routes | changed)


def hostile_problem(_request: dict[str, Any]) -> Answer:
    return problem(422, HOSTILE, HOSTILE, detail=HOSTILE, hint=HOSTILE, errors={HOSTILE: [HOSTILE], "key": [HOSTILE]})


def expect_only_text(page: Page) -> None:
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert page.locator("script").count() == page.locator("script[src^='/']").count()
    assert page.title() != "owned"


@pytest.mark.parametrize("path", PATHS)
def test_hostile_text_is_shown_as_text(page: Page, make_console: MakeConsole, path: str) -> None:
    page.goto(hostile_console(make_console).url + path)
    expect(page.get_by_test_id("hostname")).to_have_text(HOSTILE)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_function(f"() => ({SHOWN})().includes({json.dumps(HOSTILE)})")
    expect_only_text(page)


def test_hostile_checks_and_refusals_of_an_act_are_shown_as_text(page: Page, make_console: MakeConsole) -> None:
    checks = [{"id": HOSTILE, "result": "pass", "detail": HOSTILE}]
    routes = {"POST /ha/preflight": answers.always({"checks": checks}), "POST /ha/apply": hostile_problem}
    page.goto(hostile_console(make_console, **routes).url + "/config")
    page.get_by_role("button", name="APPLY").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("list", name="Checks")).to_contain_text(HOSTILE)
    dialog.get_by_role("button", name="APPLY").click()
    expect(dialog.get_by_role("alert")).to_contain_text(HOSTILE)
    expect_only_text(page)


def test_hostile_findings_in_a_script_are_shown_as_text(page: Page, make_console: MakeConsole) -> None:
    finding = {"line": 1, "column": 1, "end_line": 1, "end_column": 2, "level": "info", "code": "x", "message": "y"}
    found = poisoned({"ok": True, "findings": [finding], "shellcheck": "", "notes": ["A note."]})
    routes = {"POST /ha/alerts/script/check": answers.always(found)}
    page.goto(hostile_console(make_console, **routes).url + "/config")
    page.get_by_role("button", name="Advanced").click()
    expect(page.get_by_test_id("script-findings")).to_contain_text(HOSTILE)
    expect_only_text(page)


def test_hostile_output_of_a_script_is_shown_as_text(page: Page, make_console: MakeConsole) -> None:
    ended = poisoned(answers.alert_test("script", "failed", output="some", hint="some"))
    routes: dict[str, Route] = {"POST /ha/alerts/script/test": lambda _request: (202, {"test": ended}, {})}
    page.goto(hostile_console(make_console, **routes).url + "/alerts")
    page.get_by_test_id("script").get_by_role("button", name="Run the script").click()
    expect(page.get_by_test_id("script").get_by_test_id("trial")).to_contain_text(HOSTILE)
    expect_only_text(page)


def test_hostile_words_about_a_broken_log_are_shown_as_text(page: Page, make_console: MakeConsole) -> None:
    broken = answers.chain(node=HOSTILE, broken={"entry": 1, "reason": HOSTILE})
    routes = {"GET /activity/chains": answers.always({"items": [broken]})}
    page.goto(hostile_console(make_console, **routes).url + "/activity")
    page.get_by_role("button", name="Check the log").click()
    expect(page.get_by_test_id("chain-results")).to_contain_text(HOSTILE)
    expect_only_text(page)


def test_a_hostile_refusal_of_a_login_is_shown_as_text(page: Page, make_console: MakeConsole) -> None:
    routes: dict[str, Route] = {
        "GET /session": lambda _request: problem(401, "login-needed", "Log In First"),
        "POST /session": hostile_problem,
    }
    page.goto(make_console(routes).url)
    page.get_by_label("User name").fill(HOSTILE)
    page.get_by_label("Password").fill("x")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text(HOSTILE)
    expect_only_text(page)


def test_hostile_text_typed_into_a_field_is_kept_as_text(page: Page, make_console: MakeConsole) -> None:
    def save(request: dict[str, Any]) -> Answer:
        return ok(answers.config(draft=request["body"]), ETag='"2"')

    page.goto(make_console({"PUT /ha/config/draft": save}).url + "/config")
    for label in ("Local Server Address", "Peer Server Address", "HA Alert Email Account"):
        page.get_by_label(label).fill(HOSTILE)
        expect(page.get_by_label(label)).to_have_value(HOSTILE)
    expect_only_text(page)
