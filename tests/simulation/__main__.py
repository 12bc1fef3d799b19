"""`python -m tests.simulation`: many runs, or one run again by its seed.

--schedules N    so many seeds (default 1000), from --first on, on all cores
--seed N         one run; with --trace the whole story; with --story a shrunk one, as its report says
--transcripts    write the transcripts of the named scenarios anew
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time

from tests.simulation.many import shrink, simulate_many
from tests.simulation.run import Result, drawn_from, from_text, run
from tests.simulation.scenarios import FOLDER, SCENARIOS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Seeded simulation of the pair.")
    parser.add_argument("--seed", type=int, help="replay this one run")
    parser.add_argument(
        "--story", help="with that configuration and plan in place of the seed's own (as a report says)"
    )
    parser.add_argument("--trace", action="store_true", help="tell the whole story of that run")
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--transcripts", action="store_true", help="write the transcripts of the scenarios anew")
    chosen = parser.parse_args()
    if chosen.transcripts:
        return _write_transcripts()
    if chosen.seed is not None:
        return _one(chosen.seed, chosen.story, tracing=chosen.trace)
    return _many(chosen.first, chosen.schedules, chosen.processes)


def _write_transcripts() -> int:
    FOLDER.mkdir(exist_ok=True)
    for scenario in SCENARIOS:
        scenario.path.write_text(scenario.transcript(), encoding="utf-8")
        print(scenario.path.name)
    return 0


def _one(seed: int, story: str | None, *, tracing: bool) -> int:
    config, plan = drawn_from(seed) if story is None else from_text(story)
    result = run(seed, config, plan, tracing=tracing)
    print("\n".join(result.trace))
    print(result.report() if result.failure else f"seed {seed}: held; stable {result.stable_after_s:.1f} s after heal")
    return 1 if result.failure else 0


def _many(first: int, runs: int, processes: int) -> int:
    started = time.monotonic()
    failed: list[Result] = []
    failovers = rescued = 0
    for result in simulate_many(first, runs, processes):
        failovers += result.failovers
        rescued += bool(result.rescued)
        if result.failure:
            failed.append(result)
            print(shrink(result).report(), flush=True)
    took = time.monotonic() - started
    print(
        f"{runs} runs in {took:.1f} s ({runs / took * 60:.0f} a minute): {len(failed)} broken; "
        f"{failovers} failovers, {rescued} runs with a rescue"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
