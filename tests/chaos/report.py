"""The report: what was tried, what came of it, and how to do it again. Made from the kept lines alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.chaos.cells import ACTIVITIES, FAULTS, SIDES, Cell, all_cells
from tests.chaos.timeline import picture
from tests.lab.network import HOSTNAMES, TOPOLOGIES

Json = dict[str, Any]
NETWORKS = {"same": "one subnet", "routed": "two subnets"}
PAGE = "README.md"
HEAD = """# The fault matrix, as it ran

Made by `python -m tests.chaos --report` from what the runs have kept; do not edit. Two real servers (MariaDB, OpenSSH,
rsync, Redis, nginx and hapair itself in network namespaces, see [the lab](../lab.md)), 3 pings of 1 s, protection mode
`availability`, time between failovers 0 so that one cell does not wait for the one before. In each cell two clients
write some 20 rows a second to whichever server takes them and remember each acknowledged row; in `file-burst` an
application also writes files and remembers each that is on the disk. The burst of files goes on until the
fault is healed, sysbench until the pair is stable again.

A cell has **passed** if, after the fault was healed and without anybody's help, both servers said `stable` and that a
failover would work; exactly the primary accepted writes; every acknowledged row was live and on both servers (after a
cut of the line between the two a row may be in a rescue instead, if it was acknowledged after that server had
announced that it goes on alone); every file was live on both or in a rescue; and the standby took over where the
[failover rules](../failover.md) say that it must, and nowhere else but where a kill, a full disk or a slow line leave
it open. A set-up that was disturbed may also end with the old configuration on both servers; then RETRY and APPLY must
make the pair (*repeated*), or the way through standalone (*begun again*).

Only the last try of each cell is shown here: [what failed before, what was mended and what is open](found.md).
"""
COLUMNS = (
    "| fault | on | outcome | failover | outage s | stable again s | rows | in rescue | files | notes |\n"
    "|---|---|---|---|---:|---:|---:|---:|---:|---|"
)


def write(found: Mapping[Cell, Json], folder: Path, seed: int) -> str:
    """The page and its pictures are in the folder; returns a sentence for whoever ran it."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    sections = [HEAD, *_summary(found, seed)]
    for topology in TOPOLOGIES:
        for activity in ACTIVITIES:
            cells = [cell for cell in all_cells() if (cell.topology, cell.activity) == (topology, activity)]
            lines = [found[cell] for cell in sorted(cells, key=_order) if cell in found]
            sections += _section(topology, activity, cells, lines, folder)
    (folder / PAGE).write_text("\n".join(sections).rstrip() + "\n")
    passed = sum(line["passed"] for line in found.values())
    return f"{len(found)} of {len(all_cells())} cells tried, {passed} passed; the report is {folder / PAGE}"


def _order(cell: Cell) -> tuple[int, int]:
    return FAULTS.index(cell.fault), SIDES.index(cell.side)


def _summary(found: Mapping[Cell, Json], seed: int) -> Iterator[str]:
    every = all_cells()
    lines = list(found.values())
    passed = sum(line["passed"] for line in lines)
    tried = [line for line in lines if line.get("tried", True)]
    yield "## Summary\n"
    yield f"- Cells: {len(every)}; tried {len(lines)}, passed {passed}, failed {len(lines) - passed}, "
    yield f"  **not yet run {len(every) - len(lines)}**."
    yield f"- Rows acknowledged in all: {sum(line['rows'] for line in tried):,}; "
    yield f"  rescued {sum(line['rows_rescued'] for line in tried):,}; "
    yield f"  lost {sum(line['rows_lost'] or 0 for line in tried):,}."
    yield f"- Files on the disk in all: {sum(line['files'] for line in tried):,}, of which in a rescue "
    yield f"  {sum(line['files_rescued'] for line in tried):,}."
    if takeovers := [line["outage_s"] for line in tried if _lost_primary(line)]:
        yield f"- Outage where the primary was lost while idle, under sysbench or during a burst: {_spread(takeovers)}"
        yield f"  ({len(takeovers)} cells; the window is 3 s)."
    if times := [line["stable_after_s"] for line in tried if line["stable_after_s"] is not None]:
        yield f"- Stable again after the fault was healed: {_spread(times)}."
    yield f"- Versions: {', '.join(sorted({line['version'] for line in lines}))}; seed {seed}."
    yield "- Again: `make chaos` for all; one cell by"
    yield f"  `python -m tests.chaos --seed {seed} --topology same --while idle --fault power-cut --host primary`;"
    yield "  a broken-off run goes on with `--resume`. The moments and lengths of faults come from seed and cell.\n"


def _spread(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s"


def _lost_primary(line: Json) -> bool:
    steady = line["activity"] in ("idle", "sysbench", "file-burst")
    return bool(steady and line["side"] == "primary" and line["fault"] in ("power-cut", "pause", "isolate"))


def _section(topology: str, activity: str, cells: list[Cell], lines: list[Json], folder: Path) -> Iterator[str]:
    yield f"## {activity}, {NETWORKS[topology]}\n"
    if not lines:
        yield f"Not yet run: all {len(cells)} cells.\n"
        return
    shown = [line for line in lines if line.get("tried", True)]
    if shown:
        name = f"{topology}-{activity}.svg"
        (folder / name).write_text(picture(f"{activity}, {NETWORKS[topology]}", shown))
        yield f"![Who was primary, who accepted writes, and when]({name})\n"
    yield COLUMNS
    for line in lines:
        yield _row(line)
    tried = {(line["fault"], line["side"]) for line in lines}
    missing = [f"{cell.fault} ({cell.side})" for cell in cells if (cell.fault, cell.side) not in tried]
    yield f"\nNot yet run: {', '.join(missing)}.\n" if missing else ""


def _row(line: Json) -> str:
    outcome = "passed" if line["passed"] else "**FAILED**"
    if not line.get("tried", True):
        return f"| {line['fault']} | {line['side']} | {outcome} | | | | | | | {_plain(line['complaints'])} |"
    notes = _plain([*line["complaints"], *line["notes"]])
    befallen = line["befallen"]
    where = f"{line['side']} ({HOSTNAMES[befallen]})" if befallen in HOSTNAMES else line["side"]
    stable = "" if line["stable_after_s"] is None else f"{line['stable_after_s']:.1f}"
    values = (
        line["fault"], where, outcome, "yes" if line["failovers"] else "no", f"{line['outage_s']:.1f}", stable,
        line["rows"], line["rows_rescued"] or "", line["files"] or "", notes,
    )  # fmt: skip
    return "| " + " | ".join(str(value) for value in values) + " |"


def _plain(sentences: list[str]) -> str:
    return "; ".join(sentences).replace("|", "/").replace("\n", " ")[:300]
