"""Fixtures for tests in real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import answers
from tests.browser.canned import DIST, CannedConsole, Route

CHROMIUM = "/usr/bin/chromium"
# Root may only run Chromium without its sandbox; the rest keeps it from asking the Internet for anything.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
WAIT_MS = 15_000
expect.set_options(timeout=WAIT_MS)

MakeConsole = Callable[[dict[str, Route]], CannedConsole]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one module: Playwright's event loop runs in this thread as long as it lives, and no test outside
    could run one of its own meanwhile."""
    if not (DIST / "index.html").is_file():
        pytest.fail("the console is not built: run `make setup`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own, without time for animations."""
    made = chromium.new_context(
        ignore_https_errors=True, reduced_motion="reduce", viewport={"width": 1280, "height": 900}
    )
    made.set_default_timeout(WAIT_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def make_console() -> Iterator[MakeConsole]:
    """Makes consoles with canned answers; `make_console({"GET /session": …})` changes the usual ones."""
    made: list[CannedConsole] = []

    def make(changed: dict[str, Route]) -> CannedConsole:
        made.append(CannedConsole({**answers.routes(), **changed}))
        return made[-1]

    yield make
    for console in made:
        console.close()
