"""The charts: what the server has stored is there on load, and goes on live."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser


def test_the_stored_history_is_there_on_load_with_its_events_and_outages(page: Page, make_console: MakeConsole) -> None:
    page.goto(make_console({}).url)
    charts = page.get_by_test_id("charts")
    expect(charts.get_by_role("figure")).to_have_count(3)
    expect(charts).to_contain_text("Ping to the other server")
    expect(charts).to_contain_text("at most 0.5 ms")
    marks = charts.get_by_role("list", name="Marks in the charts")
    expect(marks).to_contain_text("Failover: alpha took over from beta.")
    expect(marks).to_contain_text("Writes were out for about 3.3 s")


def test_another_span_is_asked_of_the_server(page: Page, make_console: MakeConsole) -> None:
    console = make_console({})
    page.goto(console.url)
    charts = page.get_by_test_id("charts")
    with page.expect_response("**/ha/history?span=month"):
        charts.get_by_role("button", name="30 d").click()
    expect(charts.get_by_role("button", name="30 d")).to_have_attribute("aria-pressed", "true")
    expect(charts.get_by_role("figure")).to_have_count(3)
    assert console.sent("GET /ha/history")[-1]["query"] == "span=month"


def test_what_is_seen_live_goes_on_from_what_was_stored(page: Page, make_console: MakeConsole) -> None:
    console = make_console({"GET /ha/history": answers.always(answers.history(points=[], events=[]))})
    page.goto(console.url)
    now = page.get_by_test_id("charts").get_by_role("figure").first.locator("strong")
    expect(now).to_have_text("0.3 ms")
    status = answers.status()
    status["pings"]["peer"]["round_trip_ms"] = 7.5
    console.routes["GET /ha/status"] = answers.always(status)
    expect(now).to_have_text("7.5 ms")


def test_a_history_that_can_not_be_read_is_said_and_the_rest_still_works(page: Page, make_console: MakeConsole) -> None:
    refused = problem(500, "store-failed", "The Node Store Failed", detail="Its disk is gone.")
    page.goto(make_console({"GET /ha/history": lambda _request: refused}).url)
    expect(page.get_by_test_id("charts").get_by_role("alert")).to_contain_text("Its disk is gone.")
    expect(page.get_by_test_id("failover")).to_contain_text("failover ready")
