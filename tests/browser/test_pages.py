"""Each page of the console: for everybody, on any screen, asking nobody else."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser import answers
from tests.browser.canned import DIST, CannedConsole, problem
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

PATHS = {
    "Status": "/",
    "HA Configuration": "/config",
    "Events": "/events",
    "Activity": "/activity",
    "Jobs": "/jobs",
    "Job": "/jobs/01JOB",
    "Rescues": "/rescues",
    "Alerts": "/alerts",
    "Users and tokens": "/users",
    "Your account": "/account",
    "System": "/system",
}
AXE = DIST.parent / "node_modules" / "axe-core" / "axe.min.js"
FIRST_LOAD_MAX_BYTES = 300_000
PHONE: ViewportSize = {"width": 400, "height": 800}
TWICE_THE_SIZE: ViewportSize = {"width": 640, "height": 450}
"""A window of 1280 x 900 at 200 % zoom holds half of it in each direction."""
OVERLAPS = """() => {
  const shown = (element) => element.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && !element.closest('.hapair-buttons');
  const candidates = 'button, a, input, select, textarea, label, h1, h2, p, time, [class*="__label-text"]';
  const boxes = [...document.querySelectorAll(`main :is(${candidates}), header :is(${candidates})`)].filter(shown)
    .flatMap((element) => [...element.getClientRects()].map((box) => ({element, box})))
    .filter(({box}) => box.width > 4 && box.height > 4);
  const meet = (one, other) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2;
  const nested = (one, other) => one.contains(other) || other.contains(one);
  const name = (element) => `${element.tagName} ${element.id || element.textContent.slice(0, 40)}`;
  return boxes.flatMap((one, index) => boxes.slice(index + 1)
    .filter((other) => !nested(one.element, other.element) && meet(one.box, other.box))
    .map((other) => `${name(one.element)} / ${name(other.element)}`));
}"""
"""Pairs of controls and texts, neither inside the other, that lie over each other by more than their edges; without the
bar of buttons that stays in reach, which lies over what is scrolled below it."""


@pytest.fixture
def usual(make_console: MakeConsole) -> CannedConsole:
    return make_console({"GET /jobs/01JOB": answers.always(answers.job(steps=[answers.step()]))})


def open_page(page: Page, console: CannedConsole, title: str) -> None:
    page.goto(console.url + PATHS[title])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("progressbar", name="Loading")).to_have_count(0)


@pytest.fixture(params=["light", "dark"])
def examined(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page into which axe can be put: without the policy that keeps other scripts out."""
    context = chromium.new_context(color_scheme=request.param, bypass_csp=True, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now."""
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run()")["violations"]
    return [f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes']]}" for each in found]


@pytest.mark.parametrize("title", PATHS)
def test_each_page_is_accessible(examined: Page, usual: CannedConsole, title: str) -> None:
    open_page(examined, usual, title)
    assert violations(examined) == []


def test_the_login_is_accessible(examined: Page, make_console: MakeConsole) -> None:
    console = make_console({"GET /session": lambda _request: problem(401, "login-needed", "Log In First")})
    examined.goto(console.url)
    expect(examined.get_by_role("button", name="Log in")).to_be_visible()
    assert violations(examined) == []


def test_the_dialogue_of_apply_is_accessible(examined: Page, make_console: MakeConsole) -> None:
    checks = [{"id": result, "result": result, "detail": "A sentence."} for result in ("pass", "warn")]
    console = make_console(
        {
            "GET /ha/config": answers.always(answers.config(draft={"HAServerRole": "standalone"}), ETag='"1"'),
            "POST /ha/preflight": answers.always({"checks": checks}),
        }
    )
    open_page(examined, console, "HA Configuration")
    examined.get_by_role("button", name="APPLY").click()
    expect(examined.get_by_label("Type alpha to confirm")).to_be_visible()
    assert violations(examined) == []


@pytest.mark.parametrize("title", PATHS)
def test_nothing_is_cut_off_or_overlaps_on_a_phone_or_at_twice_the_size(
    page: Page, usual: CannedConsole, title: str
) -> None:
    page.set_viewport_size(PHONE)
    open_page(page, usual, title)
    for size in (PHONE, TWICE_THE_SIZE):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.evaluate("document.querySelector('main').scrollWidth") <= size["width"]
        assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("title", ["Status", "HA Configuration", "Users and tokens"])
def test_each_page_has_its_help_from_the_documentation(page: Page, usual: CannedConsole, title: str) -> None:
    open_page(page, usual, title)
    page.get_by_role("button", name="Help", exact=True).click()
    dialog = page.get_by_role("dialog", name=f"Help: {title}")
    section = (DIST.parents[1] / "docs" / "console.md").read_text().split(f"\n### {title}\n")[1]
    first_words = " ".join(section.split()[:12])
    expect(dialog).to_contain_text(first_words)


def test_nothing_is_asked_of_another_server_and_the_security_policy_is_never_met(
    page: Page, usual: CannedConsole
) -> None:
    elsewhere: list[str] = []
    complaints: list[str] = []
    page.on(
        "request", lambda sent: elsewhere.append(sent.url) if not sent.url.startswith((usual.url, "data:")) else None
    )
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for title in PATHS:
        open_page(page, usual, title)
    assert elsewhere == []
    assert complaints == []


def test_the_first_load_stays_small(page: Page, usual: CannedConsole) -> None:
    loaded: set[str] = set()
    page.on("request", lambda sent: loaded.add(sent.url.removeprefix(usual.url)))
    open_page(page, usual, "Status")
    files = [DIST / path.lstrip("/") for path in loaded if path.startswith("/assets/")]
    size = sum(len(gzip.compress(file.read_bytes())) for file in files)
    assert 0 < size < FIRST_LOAD_MAX_BYTES


def test_the_tab_says_which_server_this_is(page: Page, usual: CannedConsole) -> None:
    open_page(page, usual, "Events")
    expect(page).to_have_title("Events · alpha · primary · stable")
    assert page.locator("#favicon").get_attribute("href", timeout=1_000).startswith("data:image/svg+xml")  # type: ignore[union-attr]


def test_the_whole_navigation_works_by_keyboard(page: Page, usual: CannedConsole) -> None:
    open_page(page, usual, "Status")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Events":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Events")
