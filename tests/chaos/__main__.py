"""`python -m tests.chaos`: the fault matrix on real servers, and its report.

Without options the whole matrix, from its beginning. What was tried is kept in build/chaos: `--resume` goes on where a
run was broken off, `--report` writes the report of all that was tried. Of several tries of a cell the last one counts.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from tests.chaos import report
from tests.chaos.cells import ACTIVITIES, FAULTS, SIDES, Cell, all_cells, in_order, part_of
from tests.chaos.results import Results
from tests.chaos.runner import Runner
from tests.lab.control import check_machine
from tests.lab.network import TOPOLOGIES
from tests.lab.places import PROJECT, LabError

SEED = 20261122
PART = re.compile(r"(\d{1,3})/(\d{1,3})")
FOLDER = PROJECT / "build" / "chaos"
DOCUMENT = PROJECT / "docs" / "chaos"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    made.add_argument("--fault", action="append", choices=FAULTS, help="only this fault; may be repeated")
    made.add_argument("--while", dest="activity", action="append", choices=ACTIVITIES, help="only during this")
    made.add_argument("--host", dest="side", action="append", choices=SIDES, help="only faults of this server")
    made.add_argument("--topology", action="append", choices=TOPOLOGIES, help="only in this network")
    made.add_argument("--part", default="1/1", metavar="K/N", help="every N-th cell, from number K")
    made.add_argument("--seed", type=int, default=SEED, help="of order and moments (default: %(default)s)")
    made.add_argument("--resume", action="store_true", help="leave out what was tried before; earlier results stay")
    made.add_argument("--failed", action="store_true", help="with --resume: also what has failed before, once more")
    made.add_argument("--list", action="store_true", help="print the cells and end")
    made.add_argument("--report", action="store_true", help="write the report of what was tried and end")
    made.add_argument("--folder", type=Path, default=FOLDER, help="of results and logs (default: build/chaos)")
    made.add_argument("--document", type=Path, default=DOCUMENT, help="folder of the report (default: docs/chaos)")
    return made


def chosen(given: argparse.Namespace) -> list[Cell]:
    """The cells that the command line selects, in the order of the run."""
    matched = PART.fullmatch(given.part)
    part, parts = (int(each) for each in matched.groups()) if matched else (0, 0)
    if not 1 <= part <= parts:
        raise LabError(f"--part {given.part} is not K/N with K from 1 to N.")

    def wanted(cell: Cell) -> bool:
        pairs = ((given.fault, cell.fault), (given.activity, cell.activity))
        more = ((given.side, cell.side), (given.topology, cell.topology))
        return all(allowed is None or found in allowed for allowed, found in (*pairs, *more))

    return part_of([cell for cell in in_order(all_cells(), given.seed) if wanted(cell)], part, parts)


def left(cells: list[Cell], results: Results, given: argparse.Namespace) -> list[Cell]:
    """Those that are still to be tried."""
    if not given.resume:
        return cells
    latest = results.latest().items()
    done = {cell for cell, line in latest if line["passed"] or (line.get("tried", True) and not given.failed)}
    return [cell for cell in cells if cell not in done]


def main() -> int:
    """Exit code 1 where a cell has failed."""
    given = parser().parse_args()
    results = Results(given.folder / "results.jsonl")
    try:
        cells = left(chosen(given), results, given)
        if given.list:
            print("\n".join(cell.key for cell in cells))
            return 0
        failed = 0
        if not given.report:
            check_machine()
            failed = Runner(results, given.folder / "failures", given.seed).go(cells)
        written = report.write(results.latest(), given.document, given.seed)
    except LabError as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("chaos: broken off; `--resume` goes on.", file=sys.stderr)
        return 130
    print(written)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
