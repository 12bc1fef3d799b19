"""Many runs on all cores, and the shortest plan that still breaks."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

from tests.simulation.run import Result, run, simulate

CHUNK = 50


def simulate_many(first: int, runs: int, processes: int) -> Iterator[Result]:
    """The results of so many seeds, in any order."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(simulate, range(first, first + runs), chunksize=CHUNK)


def shrink(result: Result) -> Result:
    """The run with every fault left out that is not needed for it to break."""
    for fault in result.plan:
        without = tuple(each for each in result.plan if each is not fault)
        shorter = run(result.seed, result.config, without)
        if shorter.failure:
            return shrink(shorter)
    return result
