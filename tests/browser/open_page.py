"""Whether a status page that is left open grows, in real time: `python -m tests.browser.open_page [--minutes 60]`.

A pair of the lab is started and its status page opened; it is never touched again. Each minute one line of JSON is
printed: what the page holds after a collection of garbage, and how many server-sent events have come since the line
before. The last line sums up. The pings follow one another each second, so that the status changes all the time; a
failover needs more of them to fail than a busy machine makes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.consoles import Console
from tests.browser.memory import Memory
from tests.lab.pairing import Timing
from tests.lab.servers import bring_up

MINUTES = 60
MINUTE_MS = 60_000
COMPARED = 10
"""Minutes at either end whose medians are compared. The first lies behind WARM_UP: by then the live part of the charts
holds as many points as it ever will."""
WARM_UP = 11
PATIENT = Timing(ping_interval=1, ping_iterations=20)
STABLE_SAMPLES = ("heap_bytes", "nodes", "listeners")

Line = dict[str, float]


class Stream:
    """Counts the server-sent events that reach a page."""

    def __init__(self, page: Page) -> None:
        self._count = 0
        session = page.context.new_cdp_session(page)
        session.on("Network.eventSourceMessageReceived", lambda _message: self._one_more())
        # Nothing that the page received is to be kept for an inspector: that would be memory too.
        session.send("Network.enable", {"maxTotalBufferSize": 0, "maxResourceBufferSize": 0})

    def _one_more(self) -> None:
        self._count += 1

    def since_last(self) -> int:
        """How many have come since this was asked before."""
        found, self._count = self._count, 0
        return found


def watch(page: Page, minutes: int) -> list[Line]:
    """A line for each minute, printed as it is measured."""
    memory, stream = Memory(page), Stream(page)
    lines: list[Line] = []
    began = time.monotonic()
    for minute in range(minutes + 1):
        page.wait_for_timeout(max(0.0, minute * MINUTE_MS - (time.monotonic() - began) * 1_000))
        line: Line = {"minute": minute, **memory.measure(), "events": stream.since_last()}
        lines.append(line)
        print(json.dumps(line), flush=True)
    return lines


def summary(lines: list[Line]) -> dict[str, dict[str, float]]:
    """The medians of the first minutes after the warm-up, and of the last ones."""
    first, last = lines[WARM_UP : WARM_UP + COMPARED], lines[-COMPARED:]
    return {
        name: {
            "first": statistics.median(line[name] for line in first),
            "last": statistics.median(line[name] for line in last),
            "most": max(line[name] for line in lines),
        }
        for name in STABLE_SAMPLES
        if first
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=MINUTES)
    minutes = parser.parse_args().minutes
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        servers = bring_up(f"open-page-{os.getpid()}")
        try:
            servers.pair(PATIENT)
            console = Console(browser, servers.hosts["a"])
            console.expect_status("stable", "primary")
            lines = watch(console.page, minutes)
            console.close()
        finally:
            servers.close()
            servers.lab.down()
        print(json.dumps({"minutes": minutes, "medians": summary(lines)}))
        browser.close()


if __name__ == "__main__":
    main()
