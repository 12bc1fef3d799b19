"""`python -m tests.bench [NAME …]`: measures in the lab and prints each figure; exits 1 where a bar is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from tests.bench import activity, idle, mirror, outage, rejoin, seed, stormfailover, swap, writes
from tests.bench.figures import Figure

BENCHMARKS: dict[str, Callable[[], Iterator[Figure]]] = {
    "outage": outage.run,
    "swap": swap.run,
    "seed": seed.run,
    "idle": idle.run,
    "mirror": mirror.run,
    "rejoin": rejoin.run,
    "activity": activity.run,
    "storm-failover": stormfailover.run,
    "writes": writes.run,
}


def main() -> int:
    """Runs the named benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    missed = 0
    for name in names:
        for figure in BENCHMARKS[name]():
            print(figure.line(), flush=True)
            missed += not figure.holds
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
