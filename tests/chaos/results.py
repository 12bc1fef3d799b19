"""What is kept of each cell: one JSON line, from which the report is made, also by a later run."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.chaos.cells import Cell
from tests.chaos.course import Course
from tests.chaos.judge import Evidence
from tests.chaos.witness import Sample

Json = dict[str, Any]
GAP_S = 0.75
"""Between two rows of one span of accepted writes; longer is a pause that the picture shows."""


def record(cell: Cell, course: Course, evidence: Evidence, complaints: list[str], seed: int, version: str) -> Json:
    """The line of a cell that was gone through. Times are seconds since its first moment."""
    start_s = course.witness.started_s

    def since(at_s: float | None) -> float | None:
        return None if at_s is None else round(at_s - start_s, 2)

    diverged = evidence.diverged
    return {
        **key_of(cell),
        "seed": seed,
        "version": version,
        "passed": not complaints,
        "complaints": complaints,
        "notes": course.notes,
        "befallen": course.host,
        "primary_before": course.primary,
        "primary_after": evidence.primary,
        "failovers": evidence.failovers,
        "outage_s": round(course.outage_s, 2),
        "stable_after_s": None if evidence.stable_after_s is None else round(evidence.stable_after_s, 2),
        "rows": sum(len(rows) for rows in evidence.acknowledged.values()),
        "rows_rescued": sum(len(rows & evidence.rescued) for rows in diverged.values()),
        "rows_lost": sum(len(rows - evidence.rescued) for rows in diverged.values()) if evidence.primary else None,
        "files": len(evidence.files),
        "files_rescued": len(evidence.files & evidence.files_rescued),
        "fault_at_s": since(course.fault_s),
        "healed_at_s": since(course.healed_s),
        "stable_at_s": since(course.stable.since_s if course.stable is not None else None),
        "ended_at_s": since(course.ended_s),
        "roles": {host: spans_of(each.samples, start_s) for host, each in course.witness.observers.items()},
        "writes": {host: write_spans(rows.values()) for host, rows in evidence.acknowledged.items()},
    }


def key_of(cell: Cell) -> Json:
    return {"topology": cell.topology, "activity": cell.activity, "fault": cell.fault, "side": cell.side}


def cell_of(line: Json) -> Cell:
    return Cell(line["topology"], line["activity"], line["fault"], line["side"])


def spans_of(samples: list[Sample], start_s: float) -> list[list[Any]]:
    """Runs of equal labels: from, until, label."""
    spans: list[list[Any]] = []
    for label, group in itertools.groupby(samples, key=lambda sample: sample.label):
        times = [sample.at_s - start_s for sample in group]
        if spans:
            spans[-1][1] = round(times[0], 2)
        spans.append([round(times[0], 2), round(times[-1], 2), label])
    return spans


def write_spans(times: Iterable[float]) -> list[list[float]]:
    """When rows were acknowledged: from, until."""
    spans: list[list[float]] = []
    for at_s in sorted(times):
        if spans and at_s - spans[-1][1] <= GAP_S:
            spans[-1][1] = round(at_s, 2)
        else:
            spans.append([round(at_s, 2), round(at_s, 2)])
    return spans


class Results:
    """The file of lines; of several lines for one cell the last one counts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, line: Json) -> None:
        """The line is in the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def latest(self) -> dict[Cell, Json]:
        """The last line of each cell."""
        if not self.path.exists():
            return {}
        lines = [json.loads(text) for text in self.path.read_text().splitlines() if text]
        return {cell_of(line): line for line in lines}
