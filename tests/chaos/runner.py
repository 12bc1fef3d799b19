"""Cells one after the other on one lab, which is replaced where a cell leaves it broken."""

from __future__ import annotations

import subprocess
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.chaos import pairs
from tests.chaos.cells import Cell
from tests.chaos.judge import judge
from tests.chaos.results import Results, key_of, record
from tests.chaos.trial import heal, run
from tests.chaos.witness import TROUBLES
from tests.lab.places import PROJECT
from tests.lab.servers import Servers, last_words

Json = dict[str, Any]
LOG_LINES = 400
RECOVER_S = 30.0
LAB_TRIES = 3
SAID_LENGTH = 300
CELLS_PER_LAB = 40
"""A new lab after so many: the disks hold what set-ups have moved aside, and logs grow."""


class Runner:
    """Goes through cells and keeps a line of each."""

    def __init__(self, results: Results, failures: Path, seed: int) -> None:
        self._results = results
        self._failures = failures
        self._seed = seed
        self._version = version()
        self._servers: Servers | None = None
        self._topology = ""
        self._used = 0

    def go(self, cells: Iterable[Cell]) -> int:
        """Every cell has been gone through; returns how many have failed."""
        failed = 0
        planned = list(cells)
        try:
            for number, cell in enumerate(planned, 1):
                started_s = time.monotonic()
                line = self._try(cell)
                failed += not line["passed"]
                self._results.add(line)
                word = "passed" if line["passed"] else "FAILED"
                how = "; ".join(line["complaints"])[:SAID_LENGTH]
                _say(f"{number}/{len(planned)} {word} {cell.key} in {time.monotonic() - started_s:.0f} s {how}")
        finally:
            self._drop()
        return failed

    def _try(self, cell: Cell) -> Json:
        """The line of one cell. What goes wrong is written down, and the next cell begins on a pair that is well."""
        try:
            servers = self._pair(cell.topology)
            course, evidence = run(cell, servers, self._seed)
        except TROUBLES as error:
            trace = traceback.format_exc()
            self._keep_logs(cell, trace)
            self._drop()
            return self._broken(cell, f"The cell could not be tried: {str(error)[:400]}")
        complaints = judge(cell, evidence)
        line = record(cell, course, evidence, complaints, self._seed, self._version)
        if complaints:
            self._keep_logs(cell, "\n".join([*complaints, "", repr(line)]))
        self._leave_well(servers)
        return line

    def _broken(self, cell: Cell, complaint: str) -> Json:
        return {
            **key_of(cell), "seed": self._seed, "version": self._version, "passed": False, "tried": False,
            "complaints": [complaint],
        }  # fmt: skip

    def _pair(self, topology: str) -> Servers:
        """A stable pair in that topology. Raises what the last of several tries to make one raised."""
        if self._servers is not None and (self._topology != topology or self._used >= CELLS_PER_LAB):
            self._drop()
        tries = 0
        while self._servers is None:
            tries += 1
            try:
                self._servers, self._topology, self._used = pairs.new_pair(topology), topology, 0
            except TROUBLES as error:
                _say(f"no lab: {str(error)[:SAID_LENGTH]}")
                if tries == LAB_TRIES:
                    raise
        self._used += 1
        return self._servers

    def _leave_well(self, servers: Servers) -> None:
        """The pair is stable and nothing is kept aside, or the lab is gone."""
        try:
            heal(servers)
            pairs.await_stable(servers, RECOVER_S)
            pairs.remove_rescues(servers)
        except TROUBLES as error:
            _say(f"the lab is replaced: {str(error)[:SAID_LENGTH]}")
            self._drop()

    def _keep_logs(self, cell: Cell, text: str) -> None:
        """What happened, and the ends of the servers' logs, for people."""
        self._failures.mkdir(parents=True, exist_ok=True)
        logs = last_words(self._servers.lab, LOG_LINES) if self._servers is not None else ""
        (self._failures / f"{cell.key.replace('/', '-')}.txt").write_text(f"{text}\n\n{logs}\n")

    def _drop(self) -> None:
        if self._servers is not None:
            pairs.remove(self._servers)
            self._servers = None


def version() -> str:
    """The commit that is checked out, with a plus sign where the checkout differs from it."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=PROJECT, capture_output=True, text=True, timeout=10
    )
    return found.stdout.strip() or "unknown"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
