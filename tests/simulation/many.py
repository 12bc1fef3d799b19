"""Many runs on all cores, and the shortest plan that still breaks."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import replace

from tests.simulation.faults import Fault
from tests.simulation.run import Result, run, simulate

CHUNK = 50
NICENESS = 10
GARBAGE_AFTER = 20_000
"""New objects before Python looks for garbage, instead of 700."""
SHRINK_ROUNDS = 40
SHORTEST_S = 0.5
LEAST = 0.05


def simulate_many(first: int, runs: int, processes: int) -> Iterator[Result]:
    """The results of so many seeds, in any order."""
    with multiprocessing.get_context("spawn").Pool(processes, initializer=_work_beside_others) as pool:
        yield from pool.imap_unordered(simulate, range(first, first + runs), chunksize=CHUNK)


def _work_beside_others() -> None:
    """Whoever measures time on this machine comes first; and the worlds of a run, which end together, are not searched
    for garbage at each step."""
    os.nice(NICENESS)
    gc.set_threshold(GARBAGE_AFTER)


def shrink(result: Result) -> Result:
    """The smallest run that still breaks: no fault can be left out, ended sooner or made gentler."""
    smallest = result
    for _ in range(SHRINK_ROUNDS):
        smaller = next((each for each in _smaller(smallest) if each.failure), None)
        if smaller is None:
            break
        smallest = smaller
    return smallest


def _smaller(result: Result) -> Iterator[Result]:
    """Runs with one fault less, or with one fault halved; of the same seed and configuration."""
    for number in range(len(result.plan)):
        yield run(result.seed, result.config, result.plan[:number] + result.plan[number + 1 :])
    for number, fault in enumerate(result.plan):
        for gentler in _gentler(fault):
            plan = (*result.plan[:number], gentler, *result.plan[number + 1 :])
            yield run(result.seed, result.config, plan)


def _gentler(fault: Fault) -> Iterator[Fault]:
    if fault.lasts > SHORTEST_S:
        yield replace(fault, lasts=round(fault.lasts / 2, 2))
    if fault.amount > LEAST:
        yield replace(fault, amount=round(fault.amount / 2, 2))
    if fault.step > 1:
        yield replace(fault, step=fault.step - 1)
