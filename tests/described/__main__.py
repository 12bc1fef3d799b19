"""`python -m tests.described --examples N --seed S`: the description on servers in every state, as deep as wanted.

Ends with 1 where an answer is not as described; each such answer is printed with its request.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.described.rehearsal import Rehearsal
from tests.described.stage import Scene


def main() -> int:
    """Runs it for each state."""
    parser = argparse.ArgumentParser(prog="python -m tests.described", description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="of each kind for each call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="calls whose method and path hold this text")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
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
    print(f"{answers.total()} requests, answered {dict(sorted(answers.items()))}; {broken} not as described")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
