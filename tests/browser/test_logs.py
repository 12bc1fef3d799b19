"""Logs: filters and place are part of the address, so that what is seen can be linked to."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import Answer, ok
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

NEWEST, PAGE_SIZE = 7, 3


def events(request: dict[str, Any]) -> Answer:
    """Seven events, three at a time."""
    before = int(parse_qs(request["query"]).get("before", [str(NEWEST + 1)])[0])
    numbers = range(before - 1, max(0, before - 1 - PAGE_SIZE), -1)
    items = [answers.event(number, "Failover", f"active-{number}", "standby") for number in numbers]
    return ok({"items": items, "next": items[-1]["id"] if items[-1]["id"] > 1 else None})


def test_older_entries_are_a_click_away_and_have_their_own_address(page: Page, make_console: MakeConsole) -> None:
    console = make_console({"GET /ha/events": events})
    page.goto(f"{console.url}/events")
    table = page.get_by_role("table", name="Events")
    expect(table).to_contain_text("active-7")
    page.get_by_role("button", name="Older").click()
    expect(table).to_contain_text("active-4")
    expect(table).not_to_contain_text("active-5")
    assert page.url.endswith("/events?before=5")
    page.reload()
    expect(table).to_contain_text("active-4")
    page.get_by_role("button", name="Older").click()
    expect(table).to_contain_text("active-1")
    expect(page.get_by_role("button", name="Older")).to_have_count(0)
    page.get_by_role("button", name="Newest").click()
    expect(table).to_contain_text("active-7")


def test_a_filter_is_sent_to_the_server_and_kept_in_the_address(page: Page, make_console: MakeConsole) -> None:
    console = make_console({})
    page.goto(f"{console.url}/activity")
    page.get_by_role("searchbox", name="Who").fill("dana")
    page.get_by_role("searchbox", name="Who").press("Enter")
    expect(page).to_have_url(f"{console.url}/activity?actor=dana")
    page.reload()
    expect(page.get_by_role("searchbox", name="Who")).to_have_value("dana")
    assert console.sent("GET /activity", 3)[-1]["query"] == "actor=dana"


def test_the_check_of_the_log_names_what_is_broken_and_what_was_accepted(page: Page, make_console: MakeConsole) -> None:
    chain = {
        "source": "node", "node_id": "node-a", "node": "alpha", "last": 9, "chain": "0" * 64, "waiting": None,
        "broken": None,
    }  # fmt: skip
    accepted = [{"entry": 3, "reason": "Entries up to 5 are missing."}]
    checked = {"checked": 9, "unlinked": 0, "next": None, "accepted": accepted, "broken": None}
    console = make_console(
        {
            "GET /activity/chains": answers.always({"items": [chain]}),
            "GET /activity/chains/node/node-a": answers.always(checked),
        }
    )
    page.goto(f"{console.url}/activity")
    results = page.get_by_test_id("chain-results")
    page.get_by_role("button", name="Check the log").click()
    expect(results).to_contain_text("accepted by an administrator")
    expect(results).to_contain_text("Entries up to 5 are missing.")
    expect(results).to_contain_text("9 entries checked, all else as it was written.")
    broken = {"entry": 7, "reason": "Entry 7 has lost its link."}
    console.routes["GET /activity/chains/node/node-a"] = answers.always(checked | {"broken": broken})
    page.get_by_role("button", name="Check the log").click()
    expect(results).to_contain_text("broken at entry 7")
    expect(results).to_contain_text("hapair activity accept")
