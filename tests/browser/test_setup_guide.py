"""The guide above the configuration: how far the set-up of a pair is, and on which server its next step is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import CannedConsole
from tests.browser.conftest import MakeConsole
from tests.browser.test_configuration import STANDALONE, Draft

pytestmark = pytest.mark.browser

STEPS = (
    "Save a draft on the primary, with a generated fingerprint",
    "Save a draft on the secondary, with the same fingerprint",
    "APPLY on the primary",
    "APPLY on the secondary",
    "The pair is stable",
)
HERE, THERE, THEN, DONE = "now, on this server", "now, on the other server", "then, on this server", "done"
ASKED_AGAIN_AFTER_MS = 3_000
"""The console's own interval where there is no stream."""


def expect_guide(page: Page, *places: str) -> None:
    """What the guide says of each of its five steps."""
    for number, (text, place) in enumerate(zip(STEPS, places, strict=True), start=1):
        expect(page.get_by_label(f"Step {number}: {text}. {place}", exact=True)).to_be_visible()


def become(page: Page, console: CannedConsole, draft: Draft, role: str, phase: str, word: str) -> None:
    """The draft is applied and the server has come so far; the page hears of it by itself."""
    draft.applied, draft.draft = answers.APPLIED | {"HAServerRole": role}, None
    status = answers.status(status=word)
    status["node"] |= {"role": role, "phase": phase}
    console.routes["GET /ha/status"] = answers.always(status)
    page.clock.fast_forward(ASKED_AGAIN_AFTER_MS)


def open_standalone(page: Page, make_console: MakeConsole) -> tuple[CannedConsole, Draft]:
    draft = Draft(STANDALONE)
    status = answers.status(status="standalone", peer=None)
    status["node"] |= {"role": "standalone", "phase": "none"}
    made = answers.always({"HAPeerFingerprint": "SHA256:" + "B" * 43})
    console = make_console({**draft.routes(), "GET /ha/status": answers.always(status), "POST /ha/fingerprint": made})
    page.clock.install()
    page.goto(f"{console.url}/config")
    return console, draft


def fill_in_and_save(page: Page) -> None:
    page.get_by_label("Local Server Address").fill("10.77.1.11")
    page.get_by_label("Peer Server Address").fill("10.77.1.12")
    page.get_by_role("button", name="SAVE").click()


def test_the_guide_knows_each_step_of_the_primary(page: Page, make_console: MakeConsole) -> None:
    console, draft = open_standalone(page, make_console)
    expect(page.get_by_text("To set up a pair, begin on the server whose data is to stay")).to_be_visible()
    page.get_by_role("radio", name="primary").check()
    expect_guide(page, HERE, "", "", "", "")
    page.get_by_role("button", name="GENERATE").click()
    fill_in_and_save(page)
    expect_guide(page, DONE, THERE, THEN, "", "")
    become(page, console, draft, "primary", "initialized", "initialized")
    expect_guide(page, DONE, DONE, DONE, THERE, "")
    become(page, console, draft, "primary", "synchronizing", "synchronizing")
    expect_guide(page, DONE, DONE, DONE, DONE, THERE)
    # A swap is called synchronizing, too.
    become(page, console, draft, "primary", "paired", "synchronizing")
    expect(page.get_by_role("list", name="Steps of the set-up")).to_have_count(0)


def test_the_guide_knows_each_step_of_the_secondary(page: Page, make_console: MakeConsole) -> None:
    console, draft = open_standalone(page, make_console)
    page.get_by_role("radio", name="secondary").check()
    expect_guide(page, DONE, HERE, "", "", "")
    page.get_by_label("Peer Authentication Fingerprint").fill("SHA256:" + "B" * 43)
    fill_in_and_save(page)
    expect_guide(page, DONE, DONE, THERE, THEN, "")
    become(page, console, draft, "secondary", "synchronizing", "synchronizing")
    expect_guide(page, DONE, DONE, DONE, DONE, HERE)
    become(page, console, draft, "secondary", "paired", "stable")
    expect(page.get_by_role("list", name="Steps of the set-up")).to_have_count(0)
