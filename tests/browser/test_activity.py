"""The page Activity: found by words, exported with the same filters, and checked entry by entry."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import Answer, ok, problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

FIRST_PART = 2_000


def search(request: dict[str, Any]) -> Answer:
    """What the words stand in lies behind the first thousands of entries."""
    query = parse_qs(request["query"])
    if query.get("search") != ["alert account"]:
        return ok(answers.activity_page(answers.activity()))
    if "before" not in query:
        return ok(answers.activity_page(next=9_000, looked_back_to="2026-11-21T08:00:00+00:00"))
    return ok(answers.activity_page(answers.activity(7, actor="erin")))


def test_a_search_says_how_far_it_has_come_and_goes_on(page: Page, make_console: MakeConsole) -> None:
    page.goto(f"{make_console({'GET /activity': search}).url}/activity")
    box = page.get_by_role("searchbox", name="Search")
    box.fill("alert account")
    box.press("Enter")
    expect(page.get_by_text("were looked through")).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(page.get_by_role("table", name="Activity")).to_contain_text("erin from 10.77.1.5")
    expect(page.get_by_text("were looked through")).to_have_count(0)


def test_a_change_is_told_from_which_value_to_which(page: Page, make_console: MakeConsole) -> None:
    page.goto(f"{make_console({}).url}/activity")
    expect(page.get_by_role("table", name="Activity")).to_contain_text("HAAlertEmail: (empty) → ops@example.com")


@pytest.mark.parametrize(("button", "form"), [("Export CSV", "csv"), ("Export JSON", "jsonl")])
def test_an_export_has_the_filters_of_the_page_and_not_its_place(
    page: Page, make_console: MakeConsole, button: str, form: str
) -> None:
    exported = {"GET /activity/export": answers.always("at,node,actor")}
    console = make_console(exported)
    page.goto(f"{console.url}/activity?actor=dana&search=draft&before=9")
    with page.expect_download() as download:
        page.get_by_role("link", name=button).click()
    download.value.delete()
    query = parse_qs(console.sent("GET /activity/export")[0]["query"])
    assert query == {"actor": ["dana"], "search": ["draft"], "format": [form]}


def test_without_the_database_the_journal_of_this_server_is_named_as_such(
    page: Page, make_console: MakeConsole
) -> None:
    own = answers.activity_page(answers.activity(), source="node")
    page.goto(f"{make_console({'GET /activity': answers.always(own)}).url}/activity")
    expect(page.get_by_text("own journal is shown")).to_be_visible()


def check(request: dict[str, Any]) -> Answer:
    """The first part is as it was written; in the second an entry is not."""
    if parse_qs(request["query"])["after"] == ["0"]:
        return ok({"checked": FIRST_PART, "unlinked": 0, "next": FIRST_PART, "broken": None, "accepted": []})
    broken = {"entry": 2_071, "reason": "Its hash is not that of what it says."}
    return ok({"checked": 70, "unlinked": 0, "next": None, "broken": broken, "accepted": []})


def test_the_check_goes_through_all_journals_and_names_the_first_broken_entry(
    page: Page, make_console: MakeConsole
) -> None:
    whole: dict[str, Any] = {"checked": 5, "unlinked": 2, "next": None, "broken": None, "accepted": []}
    console = make_console(
        {
            "GET /activity/chains": answers.always({"items": [answers.chain(), answers.chain("node", node_id="own")]}),
            "GET /activity/chains/pair/node-a": check,
            "GET /activity/chains/node/own": answers.always(whole),
        }
    )
    page.goto(f"{console.url}/activity")
    page.get_by_role("button", name="Check the log").click()
    results = page.get_by_test_id("chain-results")
    expect(results).to_contain_text("alpha, in the common log: broken at entry 2071")
    expect(results).to_contain_text("Its hash is not that of what it says.")
    expect(results).to_contain_text("own journal: 5 entries checked, each as it was written.")
    expect(results).to_contain_text("2 older entries are from before links were kept.")


def test_a_check_that_cannot_be_made_says_why(page: Page, make_console: MakeConsole) -> None:
    refused = problem(503, "database-down", "The Database Does Not Answer", hint="Try again when it is back.")
    console = make_console({"GET /activity/chains": lambda _request: refused})
    page.goto(f"{console.url}/activity")
    page.get_by_role("button", name="Check the log").click()
    expect(page.get_by_role("alert")).to_contain_text("The Database Does Not Answer")
