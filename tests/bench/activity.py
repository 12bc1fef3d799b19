"""Pages of an activity log of 10 million entries: first and deep, with each filter, with several, and searched."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from app.core.activity import Entry
from app.core.activity_filter import Filter, Page
from tests.bench.figures import Figure
from tests.bench.manyacts import RARE_ACTOR, RARE_WORD, START, STEP, common_log, node_journal

ROWS = int(os.environ.get("HAPAIR_BENCH_ROWS", "10000000"))
LIMIT = 50
PLACES = 20
"""Deep pages that are tried, at places all over the log."""
BAR_MS = 50.0
SEED = 20261122

Look = Callable[..., Page[Entry]]

WANTED = {
    "all": Filter(),
    "actor, often": Filter(actor="token:ansible"),
    "actor, 1 in 100,000": Filter(actor=RARE_ACTOR),
    "actor, none": Filter(actor="nobody"),
    "act, often": Filter(action="login"),
    "act, 1 in 100,000": Filter(action="swap"),
    "server": Filter(node="beta"),
    "outcome, 92 %": Filter(outcome="done"),
    "outcome, 0.1 %": Filter(outcome="failed"),
    "subject, a field": Filter(subject="HAPingIterations"),
    "subject, a user": Filter(subject="user-20"),
    "a month": Filter(since=START + 0.5 * ROWS * STEP, until=START + 0.5 * ROWS * STEP + timedelta(days=30)),
    "actor in a month": Filter(
        actor="person-7", since=START + 0.5 * ROWS * STEP, until=START + 0.5 * ROWS * STEP + timedelta(days=30)
    ),
    "actor and act": Filter(actor="person-7", action="login"),
    "actor and act, never together": Filter(actor="person-7", action="act-6", outcome="failed"),
    "server and outcome": Filter(node="alpha", outcome="failed"),
    "search, a word of a third": Filter(search="often"),
    "search, a word in a million": Filter(search=RARE_WORD),
    "search, a word of none": Filter(search="nowhere"),
    "search in an actor's entries": Filter(actor="token:ansible", search=f"{RARE_WORD} alpha"),
}


def run() -> Iterator[Figure]:
    """Each figure is the slowest of its pages; the median stands beside it."""
    with common_log(ROWS) as log:
        yield from _measured("common log", log.entries)
    with tempfile.TemporaryDirectory(prefix="hapair-bench-") as folder:
        journal = node_journal(ROWS, Path(folder))
        yield from _measured("node journal", journal.activity)
        journal.close()


def _measured(name: str, look: Look) -> Iterator[Figure]:
    places = random.Random(SEED)
    for title, wanted in WANTED.items():
        firsts = [_timed(look, wanted, None) for _ in range(PLACES)]
        deep = [_timed(look, wanted, places.randrange(2, ROWS)) for _ in range(PLACES)]
        yield _figure(f"{name}: {title}: first page", firsts)
        yield _figure(f"{name}: {title}: deep page", deep)


def _timed(look: Look, wanted: Filter, before: int | None) -> float:
    started = time.monotonic()
    look(wanted, before=before, limit=LIMIT)
    return 1000 * (time.monotonic() - started)


def _figure(name: str, times_ms: list[float]) -> Figure:
    return Figure(name, max(times_ms), "ms", BAR_MS, f"median {statistics.median(times_ms):.1f} of {len(times_ms)}")
