"""`python -m tests.fuzz [peer|pairing …] [--seconds S] [--seed N]`: strangers at the doors between two servers."""

from __future__ import annotations

import argparse
import logging
import sys

from tests.fuzz import pairing, peer

DOORS = {"peer": peer.run, "pairing": pairing.run}
SECONDS = 300.0
SEED = 20261122


def main() -> int:
    """Each door for so long; what was seen is printed, and a finding is raised with what was sent."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("doors", nargs="*", metavar="DOOR", help=", ".join(DOORS))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    for name in options.doors or DOORS:
        print(name, DOORS[name](options.seed, options.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
