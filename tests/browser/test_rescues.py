"""The page Rescues: what is kept aside, and that it is only removed by somebody who means it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser


def test_a_rescue_says_what_it_holds_and_where_it_is(page: Page, make_console: MakeConsole) -> None:
    page.goto(f"{make_console({}).url}/rescues")
    table = page.get_by_role("table", name="Rescues")
    expect(table).to_contain_text("2 transactions")
    expect(table).to_contain_text("shop.orders: 3 rows")
    expect(table).to_contain_text("/var/lib/hapair/rescue/20261122T140211Z-3")
    link = table.get_by_role("link", name="Download")
    expect(link).to_have_attribute("href", "/api/v1/ha/rescues/20261122T140211Z-3/download")


def test_a_rescue_is_removed_only_after_its_name_was_typed(page: Page, make_console: MakeConsole) -> None:
    identifier = answers.rescue()["id"]
    call = f"DELETE /ha/rescues/{identifier}"
    console = make_console({call: lambda _request: (204, None, {})})
    page.goto(f"{console.url}/rescues")
    page.get_by_role("button", name="Remove…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Remove", exact=True)).to_be_disabled()
    console.routes["GET /ha/rescues"] = answers.always({"items": [], "count": 0})
    dialog.get_by_label(f"Type {identifier} to confirm").fill(identifier)
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("When a former primary rejoins")).to_be_visible()
    assert console.sent(call)[0]["body"] == {"confirm": identifier}


def test_the_status_says_that_something_is_kept_aside(page: Page, make_console: MakeConsole) -> None:
    status = answers.status(rescues={"count": 2, "newest": None})
    page.goto(make_console({"GET /ha/status": answers.always(status)}).url)
    expect(page.get_by_test_id("rescues")).to_contain_text("2 rescues are kept on this server.")
    page.get_by_test_id("rescues").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rescues")
