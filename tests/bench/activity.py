"""Pages of an activity log of 10 million entries: first and deep, with each filter, with several, and searched."""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from app.collector import leave_startup_alone
from app.core.activity import Entry
from app.core.activity_filter import Filter, Page
from tests.bench.figures import Figure
from tests.bench.manyacts import RARE_ACTOR, RARE_WORD, START, STEP, common_log, node_journal

ROWS = int(os.environ.get("HAPAIR_BENCH_ROWS", "10000000"))
LIMIT = 50
PLACES = 20
"""Deep pages that are tried, at places all over the log."""
BAR_MS = 50.0
UTIME, STIME = 11, 12
"""Of /proc/PID/stat, counted from the field behind the name (proc(5))."""
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
    """Each figure is the slowest of its pages; beside it the median, and the processor's time for a page, which other
    load on the machine does not change much."""
    with common_log(ROWS) as (log, server):
        yield from _measured("common log", log.entries, [os.getpid(), server])
    with tempfile.TemporaryDirectory(prefix="hapair-bench-") as folder:
        journal = node_journal(ROWS, Path(folder))
        yield from _measured("node journal", journal.activity, [os.getpid()])
        journal.close()


def _measured(name: str, look: Look, processes: Sequence[int]) -> Iterator[Figure]:
    print(f"{name}: {ROWS} entries are there", file=sys.stderr, flush=True)
    leave_startup_alone()  # as the API does
    places = random.Random(SEED)
    for title, wanted in WANTED.items():
        yield _figure(f"{name}: {title}: first page", look, wanted, [None] * PLACES, processes)
        deep = [places.randrange(2, ROWS) for _ in range(PLACES)]
        yield _figure(f"{name}: {title}: deep page", look, wanted, deep, processes)


def _figure(name: str, look: Look, wanted: Filter, befores: Sequence[int | None], processes: Sequence[int]) -> Figure:
    used_ms = _used_ms(processes)
    times_ms = [_timed(look, wanted, before) for before in befores]
    each_ms = (_used_ms(processes) - used_ms) / len(befores)
    detail = f"median {statistics.median(times_ms):.1f} of {len(times_ms)}, processor {each_ms:.1f} each"
    return Figure(name, max(times_ms), "ms", BAR_MS, detail)


def _timed(look: Look, wanted: Filter, before: int | None) -> float:
    started = time.monotonic()
    look(wanted, before=before, limit=LIMIT)
    return 1000 * (time.monotonic() - started)


def _used_ms(processes: Sequence[int]) -> float:
    """The processor's time that these processes have had, in steps of the kernel's clock (10 ms as a rule)."""
    ticks = 0
    for pid in processes:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[UTIME]) + int(fields[STIME])
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")
