"""One cell, on a running pair: the fault, its end, and what both servers hold afterwards."""

from __future__ import annotations

import random
import time

from tests.chaos import pairs
from tests.chaos.activities import ACTIVITY, prepare_sysbench
from tests.chaos.cells import BOTH, KILL, PRIMARY, Cell
from tests.chaos.course import Course
from tests.chaos.findings import BURST_PREFIX, failovers, gather
from tests.chaos.judge import Evidence
from tests.chaos.witness import TROUBLES, Witness
from tests.lab.acts import other
from tests.lab.network import HOSTS
from tests.lab.servers import Servers
from tests.waiting import wait_for

BEFORE_S = {
    "idle": (0.2, 1.0),
    "sysbench": (0.5, 2.0),
    "set-up": (0.2, 9.0),
    "swap": (0.0, 1.5),
    "file-burst": (0.3, 2.0),
}
"""From the beginning of an activity to the fault: drawn between the two."""
SHORT_S, LONG_S = 6.0, 13.0
"""How long a fault lasts: longer than the detection window of 3 s; the long one is longer than the 10 s after which a
primary goes on without its standby, too."""
KILLED_S = 2.0
"""After a SIGKILL nothing has to be healed: the service comes back by itself."""
GOES_ON_ROWS = 5
GOES_ON_S = 30.0
TROUBLE_LENGTH = 800


def run(cell: Cell, servers: Servers, seed: int) -> tuple[Course, Evidence]:
    """The cell has been gone through. What went wrong in it stands in the evidence.

    Raises only where the pair was not well before the fault.
    """
    primary = _prepare(cell, servers)
    befallen = cell.side if cell.side == BOTH else primary if cell.side == PRIMARY else other(primary)
    known = failovers(servers)
    witness = Witness(servers, ("a",) if cell.activity == "set-up" else HOSTS)
    seen = Course(befallen, primary, witness)
    with witness:
        wait_for(lambda: witness.acknowledged(primary) >= GOES_ON_ROWS, GOES_ON_S, "the first rows")
        try:
            _disturb(cell, servers, seen, cell.draw(seed))
        except TROUBLES as error:
            seen.trouble.append(str(error)[:TROUBLE_LENGTH])
            heal(servers)
        if seen.stable is not None:
            seen.writes_on = _goes_on(witness)
        seen.ended_s = time.monotonic()
    return seen, gather(servers, seen, known)


def _prepare(cell: Cell, servers: Servers) -> str:
    """The pair is as the activity needs it; returns the primary's key, which for a set-up is the one that will be."""
    primary = pairs.await_stable(servers).primary
    if cell.activity == "set-up":
        pairs.part(servers, primary)
        return "a"
    if cell.activity == "sysbench":
        prepare_sysbench(servers, primary)
        pairs.await_stable(servers)
    return primary


def _disturb(cell: Cell, servers: Servers, seen: Course, draw: random.Random) -> None:
    """The fault has come and gone while the pair was busy, and the pair is stable; AssertionError where it isn't."""
    before_s, lasting_s = draw.uniform(*BEFORE_S[cell.activity]), _hold_s(cell, draw)
    name = f"{BURST_PREFIX}{seen.witness.first}"
    with ACTIVITY[cell.activity](servers, seen.primary, name) as seen.busy:
        time.sleep(before_s)
        seen.fault_s = time.monotonic()
        inflict(servers, cell, seen.host)
        time.sleep(lasting_s)
        seen.busy.end_burst()
        heal(servers)
        seen.healed_s = time.monotonic()
        if cell.activity != "set-up":
            seen.stable = pairs.await_stable(servers)
    if cell.activity == "set-up":
        how, seen.stable = pairs.conclude_set_up(servers)
        seen.notes.append(how)


def _hold_s(cell: Cell, draw: random.Random) -> float:
    """How long the fault lasts."""
    if cell.fault.startswith(KILL):
        return KILLED_S
    return LONG_S if cell.may_diverge or cell.fault == "disk-full" else draw.choice((SHORT_S, LONG_S))


def inflict(servers: Servers, cell: Cell, host: str) -> None:
    """The fault has begun."""
    if cell.fault.startswith(KILL):
        servers.lab.fault("kill", host, cell.fault.removeprefix(KILL))
    elif cell.side == BOTH:
        servers.lab.fault(cell.fault)
    else:
        servers.lab.fault(cell.fault, host)


def heal(servers: Servers) -> None:
    """Every fault is over, and both hosts are on."""
    servers.lab.fault("heal")
    pairs.boot_all(servers)


def _goes_on(witness: Witness) -> frozenset[str]:
    """Who accepts rows now."""
    before = {host: witness.acknowledged(host) for host in witness.writers}

    def takers() -> frozenset[str]:
        return frozenset(host for host, count in before.items() if witness.acknowledged(host) >= count + GOES_ON_ROWS)

    try:
        return wait_for(takers, GOES_ON_S, "rows on the stable pair")
    except AssertionError:
        return frozenset()
