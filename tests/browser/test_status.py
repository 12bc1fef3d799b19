"""The status page: what is not known is never drawn as good news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import Answer, CannedConsole
from tests.browser.conftest import MakeConsole
from tests.browser.keyboard import tab_to

pytestmark = pytest.mark.browser


def test_both_servers_and_what_flows_between_them_are_shown(page: Page, make_console: MakeConsole) -> None:
    page.goto(make_console({}).url)
    own, other = page.get_by_test_id("this-server"), page.get_by_test_id("other-server")
    expect(own).to_contain_text("alpha")
    expect(own).to_contain_text("writable")
    expect(own).to_contain_text("ping targets: 2 of 2 answer")
    expect(other).to_contain_text("read-only")
    expect(page.get_by_test_id("link-rows")).to_contain_text("works")
    expect(page.get_by_test_id("failover")).to_contain_text("beta would take over after 3 min (12 pings")
    expect(page.get_by_test_id("near-misses")).to_contain_text("2 of 12")


def test_a_peer_that_is_not_heard_is_faded_and_none_of_it_is_green(page: Page, make_console: MakeConsole) -> None:
    status = answers.status(status="degraded", reasons=[{"code": "peer-silent", "text": "Not heard for 42 s."}])
    status["peer"] |= {"heard": False, "heartbeat_age_s": 42.0, "writable": None}
    status["failover"] |= {"ready": False, "reasons": [{"code": "peer-silent", "text": "The standby is not heard."}]}
    page.goto(make_console({"GET /ha/status": answers.always(status)}).url)
    expect(page.get_by_test_id("other-server")).to_contain_text("not heard")
    expect(page.get_by_test_id("last-heard")).to_have_text("last heard 42 s ago")
    expect(page.get_by_test_id("link-rows")).to_contain_text("not known")
    expect(page.get_by_test_id("failover")).to_contain_text("The standby is not heard.")
    expect(page.get_by_role("button", name="Swap roles")).to_have_count(0)


def test_without_the_monitor_nothing_is_shown_as_working(page: Page, make_console: MakeConsole) -> None:
    status = answers.status(status="degraded", monitor={"running": False, "age_s": 90.0})
    status["peer"]["heard"] = False
    page.goto(make_console({"GET /ha/status": answers.always(status)}).url)
    expect(page.get_by_test_id("this-server")).to_contain_text("its monitor last reported 1 min 30 s ago")
    expect(page.get_by_test_id("this-server")).not_to_contain_text("works:")
    for link in ("rows", "files", "ping"):
        expect(page.get_by_test_id(f"link-{link}")).to_contain_text("not known")


@pytest.mark.parametrize(
    ("holders", "sentence"),
    [
        (["alpha"], "works: virtual address 10.77.1.50/24 (eth0): on alpha"),
        ([], "does not work: virtual address 10.77.1.50/24 (eth0): on no server"),
        (["alpha", "beta"], "does not work: virtual address 10.77.1.50/24 (eth0): on alpha and beta"),
    ],
)
def test_the_picture_says_which_server_holds_the_virtual_address(
    page: Page, make_console: MakeConsole, holders: list[str], sentence: str
) -> None:
    held = {"address": "10.77.1.50/24", "interface": "eth0", "held": "alpha" in holders, "holders": holders}
    status = answers.status(virtual_address=held)
    page.goto(make_console({"GET /ha/status": answers.always(status)}).url)
    expect(page.get_by_test_id("virtual-address")).to_have_text(sentence)


def test_a_database_that_does_not_answer_is_said_with_its_reason(page: Page, make_console: MakeConsole) -> None:
    status = answers.status(status="degraded", database={"ok": False, "error": "Can't connect (111)"})
    status["node"]["writable"] = None
    page.goto(make_console({"GET /ha/status": answers.always(status)}).url)
    own = page.get_by_test_id("this-server")
    expect(own).to_contain_text("does not work: database does not answer: Can't connect (111)")
    expect(own).to_contain_text("unknown")
    expect(own).not_to_contain_text("writable")


def test_the_secondary_shows_its_own_view(page: Page, make_console: MakeConsole) -> None:
    status = answers.status()
    status["node"] |= {"hostname": "beta", "role": "secondary", "writable": False}
    status["peer"] |= {"hostname": "alpha", "role": "primary", "writable": True}
    page.goto(make_console({"GET /ha/status": answers.always(status)}).url)
    expect(page.get_by_test_id("this-server")).to_contain_text("read-only")
    expect(page.get_by_test_id("other-server")).to_contain_text("writable")
    expect(page.get_by_test_id("link-rows")).to_contain_text("to this server")
    expect(page.get_by_test_id("link-files")).to_contain_text("shown on the primary")
    expect(page.get_by_test_id("failover")).to_contain_text("If alpha failed now")
    expect(page.get_by_test_id("failover")).to_contain_text("beta would take over")


def test_a_server_that_stops_answering_is_said_to_and_comes_back_by_itself(
    page: Page, make_console: MakeConsole
) -> None:
    console = make_console({})
    page.goto(console.url)
    expect(page.get_by_test_id("status-word").first).to_have_text("stable")
    port = console.port
    console.close()
    banner = page.get_by_role("alert").filter(has_text="What is shown here was last heard")
    expect(banner).to_contain_text("This Server Does Not Answer")
    expect(page).to_have_title("Status · alpha · primary · not answering")
    again = CannedConsole(answers.routes(), port)
    try:
        expect(banner).to_have_count(0)
        expect(page).to_have_title("Status · alpha · primary · stable")
    finally:
        page.close()
        again.close()


def started(_request: dict[str, Any]) -> Answer:
    return 202, {"job": answers.job("running")}, {}


def secondary_alone() -> dict[str, Any]:
    status = answers.status(status="degraded")
    status["node"] |= {"role": "secondary", "writable": False}
    return status


def primary_fenced(word: str = "fenced") -> dict[str, Any]:
    fence = {"reason": word, "since": "2026-11-22T14:00:00+00:00", "term": 3}
    status = answers.status(status=word, fenced=fence)
    status["node"]["writable"] = False
    status["peer"] |= {"role": "primary", "writable": True}
    return status


@dataclass(frozen=True)
class Act:
    """An act that can't be undone: where it is offered, and what confirming it sends."""

    status: dict[str, Any]
    offer: str
    press: str
    call: str
    body: dict[str, str]


TAKEOVER = Act(secondary_alone(), "Take over…", "Take over", "POST /ha/takeover", {"confirm": "alpha"})
RESUME = Act(primary_fenced(), "Resume as primary…", "Resume as primary", "POST /ha/resume", {"confirm": "alpha"})
KEEP_THIS, KEEP_PEER = (
    Act(
        primary_fenced("conflict"), f"Keep the history of {kept}…", f"Keep {kept}",
        "POST /ha/resolve", {"keep": keep, "confirm": "alpha"},
    )
    for keep, kept in (("this", "alpha"), ("peer", "beta"))
)  # fmt: skip


def open_offered(page: Page, make_console: MakeConsole, act: Act) -> CannedConsole:
    done = answers.job(message="It is done.")
    console = make_console(
        {"GET /ha/status": answers.always(act.status), act.call: started, "GET /jobs/01JOB": answers.always(done)}
    )
    page.goto(console.url)
    return console


@pytest.mark.parametrize("act", [TAKEOVER, RESUME, KEEP_THIS, KEEP_PEER], ids=lambda act: act.press)
def test_what_can_not_be_undone_asks_for_the_name_of_this_server_and_shows_its_job(
    page: Page, make_console: MakeConsole, act: Act
) -> None:
    console = open_offered(page, make_console, act)
    page.get_by_role("button", name=act.offer).click()
    dialog = page.get_by_role("dialog")
    press = dialog.get_by_role("button", name=act.press, exact=True)
    name = dialog.get_by_label("Type alpha to confirm")
    expect(press).to_be_disabled()
    name.fill("beta")
    name.press("Enter")
    expect(press).to_be_disabled()
    assert console.sent(act.call, 0) == []
    name.fill("alpha")
    press.click()
    expect(page.get_by_test_id("job-message")).to_contain_text("It is done.")
    assert [sent["body"] for sent in console.sent(act.call)] == [act.body]


def test_a_takeover_is_done_by_the_keyboard_alone(page: Page, make_console: MakeConsole) -> None:
    console = open_offered(page, make_console, TAKEOVER)
    offer = page.get_by_role("button", name=TAKEOVER.offer)
    tab_to(offer)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    tab_to(dialog.get_by_label("Type alpha to confirm"))
    page.keyboard.type("alpha")
    tab_to(dialog.get_by_role("button", name=TAKEOVER.press, exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("job-message")).to_contain_text("It is done.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(offer).to_be_focused()
    assert [sent["body"] for sent in console.sent(TAKEOVER.call)] == [TAKEOVER.body]


def test_in_a_conflict_nothing_is_drawn_as_flowing(page: Page, make_console: MakeConsole) -> None:
    page.goto(make_console({"GET /ha/status": answers.always(primary_fenced("conflict"))}).url)
    for link in ("rows", "files"):
        expect(page.get_by_test_id(f"link-{link}")).to_contain_text("cut: both are primary")
    expect(page.get_by_role("button", name="Swap roles")).to_have_count(0)


def test_a_maintenance_is_begun_and_ended_by_the_same_button(page: Page, make_console: MakeConsole) -> None:
    console = make_console({"POST /ha/maintenance": answers.always({"maintenance_until": None})})
    page.goto(console.url)
    page.get_by_role("button", name="Maintenance").click()
    page.get_by_role("dialog").get_by_role("button", name="Begin maintenance").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    status = answers.status()
    status["node"]["maintenance"] = True
    console.routes["GET /ha/status"] = answers.always(status)
    page.get_by_role("button", name="End maintenance").click()
    page.get_by_role("dialog").get_by_role("button", name="End maintenance").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [sent["body"]["enabled"] for sent in console.sent("POST /ha/maintenance", 2)] == [True, False]
