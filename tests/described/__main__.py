"""`python -m tests.described --examples N --seed S`: the description on servers in every state, as deep as wanted;
with `--lab` on both servers of a real pair, through nginx.

Ends with 1 where an answer is not as described; each such answer is printed with its request.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.described import onlab
from tests.described.rehearsal import Rehearsal
from tests.described.stage import Scene


def main() -> int:
    """Runs it for each state."""
    parser = argparse.ArgumentParser(prog="python -m tests.described", description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="of each kind for each call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="calls whose method and path hold this text")
    parser.add_argument("--lab", action="store_true", help="a pair in the lab instead")
    parser.add_argument("--minutes", type=float, default=8.0, help="with --lab: after these no further call is begun")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    broken, answers = on_lab(options) if options.lab else in_process(options)
    print(f"{answers.total()} requests, answered {dict(sorted(answers.items()))}; {broken} not as described")
    return 1 if broken else 0


def on_lab(options: argparse.Namespace) -> tuple[int, Counter[int]]:
    """How many answers were not as described, and all answers by status."""

    def say(line: str) -> None:
        print(line, flush=True)

    return onlab.run(options.examples, options.seed, options.only, 60 * options.minutes, say)


def in_process(options: argparse.Namespace) -> tuple[int, Counter[int]]:
    """The same without a network, in each state."""
    broken, answers = 0, Counter[int]()
    for scene in Scene:
        with tempfile.TemporaryDirectory() as folder:
            rehearsal = Rehearsal(Path(folder), scene)
            for call in rehearsal.calls:
                if options.only not in call:
                    continue
                found, statuses = rehearsal.broken_promises(call, options.examples, options.seed)
                answers += statuses
                print(f"{scene}: {call}: {dict(sorted(statuses.items()))}", flush=True)
                broken += len(found)
                for each in found:
                    print(f"    {each}")
    return broken, answers


if __name__ == "__main__":
    sys.exit(main())
