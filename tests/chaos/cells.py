"""The matrix: which fault, while the pair does what, on which server, in which network; and what the rules promise.

A fault of one server is tried on the primary and on the secondary. Which of the two hosts that is depends on the
failovers before, so that in a run of many cells each host is met in each role.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

from tests.lab.network import TOPOLOGIES

SERVICES = ("mariadb", "monitor", "sshd", "redis", "worker", "api")
KILL = "kill-"
KILLS = tuple(f"{KILL}{service}" for service in SERVICES)
ONE_SIDED = ("power-cut", "pause", "isolate", "one-way", "drop-ping", *KILLS, "disk-full", "slow")
MUTUAL = ("cut-peer", "gateway-down")
FAULTS = (*ONE_SIDED, *MUTUAL)
ACTIVITIES = ("idle", "sysbench", "set-up", "swap", "file-burst")
PRIMARY, SECONDARY, BOTH = "primary", "secondary", "both"
SIDES = (PRIMARY, SECONDARY, BOTH)
CUTS = frozenset({"cut-peer", "one-way", "slow"})
"""Faults of the line between two servers that both see their gateway: each may go on by itself."""
PRIMARY_GONE = frozenset({"power-cut", "pause", "isolate"})
BLOCK = 20
"""Cells on one lab before the other topology has its turn."""
UNCERTAIN = frozenset({"disk-full", "kill-mariadb", "slow"})
"""On the primary: whether the standby takes over depends on how soon the primary is well again."""


class Failover(Enum):
    """What the failover rules say of a cell."""

    MUST = "must"
    NEVER = "never"
    MAY = "may"


@dataclass(frozen=True, order=True)
class Cell:
    """One experiment."""

    topology: str
    activity: str
    fault: str
    side: str

    @property
    def key(self) -> str:
        return f"{self.topology}/{self.activity}/{self.fault}/{self.side}"

    @property
    def arguments(self) -> str:
        """What selects just this cell on the command line."""
        return f"--topology {self.topology} --while {self.activity} --fault {self.fault} --host {self.side}"

    def draw(self, seed: int) -> random.Random:
        """The cell's own random choices: the same for the same seed, whatever ran before."""
        return random.Random(f"{seed}/{self.key}")

    @property
    def failover(self) -> Failover:
        """Whether the standby takes over by itself."""
        if self.activity in ("set-up", "swap"):
            return Failover.MAY
        if self.fault in ("cut-peer", "one-way"):
            return Failover.MUST
        if self.fault == "slow":
            return Failover.MAY
        if self.side == PRIMARY and self.fault in PRIMARY_GONE:
            return Failover.MUST
        if self.side == PRIMARY and self.fault in UNCERTAIN:
            return Failover.MAY
        return Failover.NEVER

    @property
    def may_diverge(self) -> bool:
        """Whether two histories are what the mode `availability` allows, once the primary has announced that it goes
        on alone."""
        return self.fault in CUTS


def all_cells() -> list[Cell]:
    """The whole matrix, one topology after the other."""
    return [
        Cell(topology, activity, fault, side)
        for topology in TOPOLOGIES
        for activity in ACTIVITIES
        for fault in FAULTS
        for side in ((BOTH,) if fault in MUTUAL else (PRIMARY, SECONDARY))
    ]


def in_order(cells: list[Cell], seed: int) -> list[Cell]:
    """The cells in the order of a run: shuffled, with the topologies taking turns block by block (a lab has one), so
    that a run that is broken off has tried something of everything."""
    shuffled = list(cells)
    random.Random(seed).shuffle(shuffled)
    blocks: list[tuple[int, int, list[Cell]]] = []
    for number, topology in enumerate(TOPOLOGIES):
        own = [cell for cell in shuffled if cell.topology == topology]
        blocks += [(start, number, own[start : start + BLOCK]) for start in range(0, len(own), BLOCK)]
    return [cell for _, _, block in sorted(blocks) for cell in block]


def part_of(cells: list[Cell], part: int, parts: int) -> list[Cell]:
    """Every `parts`-th cell, beginning with number `part` (from 1)."""
    return cells[part - 1 :: parts]
