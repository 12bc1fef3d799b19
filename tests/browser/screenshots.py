"""Pictures of the console for the documentation: `python -m tests.browser.screenshots` writes docs/pictures anew.

The console is the built one; what it shows are canned answers, so that the pictures change only when the console does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import answers
from tests.browser.canned import CannedConsole
from tests.browser.conftest import ARGUMENTS, CHROMIUM

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 400, "height": 860}


def running_job() -> dict[str, Any]:
    """A set-up of a secondary, in the middle of the copy."""

    def step(name: str, title: str, state: str, done: int = 0, total: int | None = None) -> dict[str, Any]:
        started = (datetime.now(UTC) - timedelta(seconds=14)).isoformat()
        known = answers.step(title, state) | {"name": name, "progress": {"done": done, "total": total}}
        return known | ({"started_at": started, "ended_at": None} if state == "running" else {})

    steps = [
        step("ask-to-join", "Ask the primary for permission to join", "done"),
        step("move-files-aside", "Move this server's own files aside", "done"),
        step("copy-database", "Copy the primary's database", "running", 420_000_000, 1_073_741_824),
        step("switch-database", "Put the copy in the place of the own database", "pending"),
        step("start-replication", "Start replication", "pending"),
        step("catch-up", "Catch up with the primary", "pending"),
    ]
    return answers.job("running", steps=steps) | {"kind": "setup-secondary"}


def degraded() -> dict[str, Any]:
    """The primary has lost its secondary."""
    reason = {
        "code": "peer-silent",
        "text": "The other server has not been heard for 42 s. What is shown of it is old.",
    }
    lost = "All writes since 2026-11-22 14:02:11 UTC: the standby is out of the pair."
    found = answers.status(status="degraded", reasons=[reason])
    found["peer"] |= {"heard": False, "heartbeat_age_s": 42.0, "writable": None}
    found["pings"]["peer"] |= {"missed": 3, "round_trip_ms": None}
    found["failover"] |= {"ready": False, "reasons": [], "lost_bound": lost}
    found["protection"]["holds"] = False
    return found


def take(browser: Browser, name: str, console: CannedConsole, path: str, *, phone: bool = False) -> None:
    context = browser.new_context(
        viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
        color_scheme="dark" if phone else "light",
        timezone_id="UTC",
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(console.url + path)
    page.get_by_role("heading", level=1).wait_for()
    expect(page.locator(".pf-v6-c-spinner")).to_have_count(0)
    page.screenshot(path=str(FOLDER / f"{name}.png"))
    context.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    draft = answers.config({"HAServerRole": "standalone"}, answers.APPLIED)
    standalone = answers.status(status="standalone", peer=None)
    standalone["node"] |= {"role": "standalone", "phase": "none"}
    stable = CannedConsole(answers.routes() | {"GET /jobs/01JOB": answers.always(running_job())})
    setting_up = CannedConsole(
        answers.routes()
        | {"GET /ha/config": answers.always(draft, ETag='"2"'), "GET /ha/status": answers.always(standalone)}
    )
    alone = CannedConsole(answers.routes() | {"GET /ha/status": answers.always(degraded())})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        take(browser, "status", stable, "/")
        take(browser, "configuration", setting_up, "/config")
        take(browser, "job", stable, "/jobs/01JOB")
        take(browser, "status-on-a-phone", alone, "/", phone=True)
        for name in ("events", "activity", "jobs", "rescues", "alerts", "users", "account", "system"):
            take(browser, name, stable, f"/{name}")
        browser.close()
    for console in (stable, setting_up, alone):
        console.close()


if __name__ == "__main__":
    main()
