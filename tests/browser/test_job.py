"""A job as it goes: how much of its long steps is done, and how long the rest takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import answers
from tests.browser.canned import Route
from tests.browser.conftest import MakeConsole

pytestmark = pytest.mark.browser

STARTED = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
MIB = 1024 * 1024
TITLE = "Copy the primary's database"


def copying(done_mib: int, total_mib: int | None) -> Route:
    """A job whose copy has come so far."""
    progress = {"done": done_mib * MIB, "total": total_mib and total_mib * MIB}
    running: dict[str, Any] = {"progress": progress, "started_at": STARTED.isoformat(), "ended_at": None}
    return answers.always(answers.job("running", steps=[answers.step(TITLE, "running") | running]))


def test_a_long_step_shows_its_bytes_and_as_soon_as_it_can_be_told_the_time_left(
    page: Page, make_console: MakeConsole
) -> None:
    page.clock.set_fixed_time(STARTED + timedelta(minutes=10))
    console = make_console({"GET /jobs/01JOB": copying(20, 1000)})
    page.goto(f"{console.url}/jobs/01JOB")
    bar = page.get_by_role("progressbar", name=f"Progress of: {TITLE}")
    step = page.get_by_role("listitem").filter(has_text=TITLE)
    expect(bar).to_have_attribute("aria-valuenow", "2")
    expect(step).to_contain_text("20 MiB of 1000 MiB")
    expect(step).not_to_contain_text("left")

    console.routes["GET /jobs/01JOB"] = copying(400, 1000)
    page.reload()
    expect(step).to_contain_text("400 MiB of 1000 MiB, about 15 min left")
    expect(bar).to_have_attribute("aria-valuenow", "40")

    console.routes["GET /jobs/01JOB"] = copying(412, None)
    page.reload()
    expect(step).to_contain_text("412 MiB")
    expect(bar).to_have_count(0)


def test_of_a_job_that_has_ended_no_step_waits(page: Page, make_console: MakeConsole) -> None:
    steps = [answers.step("Fence the other server", "failed"), answers.step("Open for writes", "pending")]
    steps[1] |= {"name": "open", "started_at": None, "ended_at": None}
    failed = answers.job("failed", message="The other server can't be fenced.", steps=steps)
    page.goto(f"{make_console({'GET /jobs/01JOB': answers.always(failed)}).url}/jobs/01JOB")
    expect(page.get_by_label("Fence the other server: failed")).to_be_visible()
    expect(page.get_by_label("Open for writes: not begun")).to_be_visible()
