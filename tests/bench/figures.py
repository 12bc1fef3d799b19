"""What a benchmark reports: medians of repeated runs, with their spread, and ratios taken in one run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True)
class Figure:
    """One line of the report."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    """What the figure is to stay under; None where there is no bar."""
    detail: str = ""

    @property
    def holds(self) -> bool:
        return self.bar is None or self.value <= self.bar

    def line(self) -> str:
        bar = "" if self.bar is None else f"  bar {self.bar:g}  {'holds' if self.holds else 'DOES NOT HOLD'}"
        return f"{self.name:<58}{self.value:>10.3f} {self.unit:<4}{bar}  {self.detail}".rstrip()


def median(name: str, values: Sequence[float], unit: str, bar: float | None = None) -> Figure:
    """The median of the runs, with all of them beside it."""
    spread = ", ".join(f"{value:.3f}" for value in sorted(values))
    return Figure(name, statistics.median(values), unit, bar, f"of {len(values)}: {spread}")
