"""How long writes stop when the primary loses its power: from the last acknowledged row to the next."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figures import RUNS, Figure, median
from tests.bench.servers import QUICK, fresh_pair
from tests.lab.load import Sysbench
from tests.lab.writer import Writer

RATE = 200.0
WINDOW_S = 3.0
ALLOWED_S = 0.5
RECOVERY_TIMEOUT_S = 60.0


def run() -> Iterator[Figure]:
    """The outage at 3 pings x 1 s, with sysbench beside the client whose rows are counted."""
    outages = [_one(number) for number in range(RUNS)]
    lost = sum(missing for _, missing in outages)
    yield median("outage after power cut (window 3 x 1 s)", [pause for pause, _ in outages], "s", WINDOW_S + ALLOWED_S)
    yield Figure("acknowledged rows lost in all power cuts", lost, "rows", 0)


def _one(number: int) -> tuple[float, int]:
    with fresh_pair(f"bench-outage-{number}", QUICK) as servers:
        load = Sysbench(servers.database("a"), threads=1)
        load.prepare()
        with load, Writer(servers.databases, rate=RATE) as writer:
            servers.lab.fault("power-cut", "a")
            writer.wait_for_progress(count=100, timeout_s=RECOVERY_TIMEOUT_S)
        return writer.longest_pause_s(), len(writer.missing_in(servers.database("b")))
