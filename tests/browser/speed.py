"""How fast the console is, and whether an open page grows: `python -m tests.browser.speed` prints the figures.

A pair of the lab is started for the first two figures. For the third the page's clock is driven through an hour, with
a status that changes at each look, and its memory is measured after a collection before and after.
"""

from __future__ import annotations

import itertools
import json
import statistics
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser import answers
from tests.browser.canned import Answer, CannedConsole, ok
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.consoles import Console
from tests.browser.memory import Memory
from tests.conftest import QUICK
from tests.lab.servers import Servers, bring_up

LOADS = 5
WARM_UP_MIN, HOUR_MIN = 5, 60
MINUTE_MS = 60_000
WATCH = """async () => {
  const seen = () => document.querySelector('[data-testid=link-ping]')?.textContent.includes('missed');
  const known = async () => (await (await fetch('/api/v1/ha/status')).json()).pings.peer.missed > 0;
  let knownAt = null, seenAt = null;
  while (knownAt === null || seenAt === null) {
    if (seenAt === null && seen()) seenAt = performance.now();
    if (knownAt === null && await known()) knownAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return seenAt - knownAt;
}"""
"""Milliseconds from the first answer of the API in which the monitor knows of a missed ping to its being on screen."""


def usable_ms(console: Console) -> list[float]:
    """From asking for the status page to its picture of the pair, with nothing in the browser's cache."""
    session = console.page.context.new_cdp_session(console.page)
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    found = []
    for _ in range(LOADS):
        console.page.goto(console.host["url"])
        console.page.get_by_test_id("this-server").wait_for()
        found.append(float(console.page.evaluate("performance.now()")))
    return found


def change_ms(console: Console, servers: Servers) -> float:
    """From the monitor's knowing that the other server does not answer to its being on screen."""
    page = console.page
    page.evaluate(f"() => {{ window.change = ({WATCH})(); }}")
    servers.lab.fault("drop-ping", "b")
    found = float(page.evaluate("window.change"))
    servers.lab.fault("heal")
    return found


def restless_console() -> CannedConsole:
    """Each look at the status finds another round trip and backlog."""
    numbers = itertools.count()

    def status(_request: dict[str, Any]) -> Answer:
        number = next(numbers)
        found = answers.status()
        found["pings"]["peer"]["round_trip_ms"] = 0.3 + number % 10
        found["files"]["pending"] = number % 1000
        return ok(found)

    return CannedConsole(answers.routes() | {"GET /ha/status": status})


def hour(browser: Browser) -> tuple[dict[str, int], dict[str, int]]:
    """Memory after some minutes and after an hour more; timers run as in an hour, only sooner."""
    console = restless_console()
    page = browser.new_page()
    page.clock.install()
    page.goto(console.url)
    page.get_by_test_id("this-server").wait_for()
    memory = Memory(page)
    for _ in range(WARM_UP_MIN):
        page.clock.run_for(MINUTE_MS)
    before = memory.measure()
    for _ in range(HOUR_MIN):
        page.clock.run_for(MINUTE_MS)
    after = memory.measure()
    page.close()
    console.close()
    return before, after


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        before, after = hour(browser)
        print(json.dumps({"open_page": {"before": before, "after_an_hour": after}}), flush=True)
        servers = bring_up("speed")
        try:
            servers.pair(QUICK)
            console = Console(browser, servers.hosts["a"])
            loads = usable_ms(console)
            change = change_ms(console, servers)
            console.close()
        finally:
            servers.close()
            servers.lab.down()
        print(json.dumps({"usable_ms": {"median": statistics.median(loads), "all": loads}, "change_ms": change}))
        browser.close()


if __name__ == "__main__":
    main()
