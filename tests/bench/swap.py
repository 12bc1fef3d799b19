"""How long clients can't write during a swap, at a moderate rate and flat out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

from tests.bench.figures import RUNS, Figure, median
from tests.bench.servers import QUICK, fresh_pair
from tests.lab.load import Sysbench
from tests.lab.servers import Servers
from tests.lab.writer import Writer

RATE = 160.0
PAUSE_AT_RATE_S = 0.1
PAUSE_FLAT_OUT_S = 0.5
SWAP_TIMEOUT_S = 120.0


def run() -> Iterator[Figure]:
    """The longest time between two acknowledged rows around a swap, medians of several swaps of one pair."""
    with fresh_pair("bench-swap", QUICK) as servers:
        calm = [_one(servers, number, under_load=False) for number in range(RUNS)]
        Sysbench(servers.database("a" if RUNS % 2 == 0 else "b")).prepare()
        busy = [_one(servers, number + RUNS, under_load=True) for number in range(RUNS)]
    yield median("swap: write pause at 160 writes/s", [pause for pause, _ in calm], "s", PAUSE_AT_RATE_S)
    yield median("swap: write pause under sysbench flat out", [pause for pause, _ in busy], "s", PAUSE_FLAT_OUT_S)
    yield Figure("acknowledged rows lost in all swaps", sum(lost for _, lost in calm + busy), "rows", 0)


def _one(servers: Servers, number: int, *, under_load: bool) -> tuple[float, int]:
    primary, secondary = ("a", "b") if number % 2 == 0 else ("b", "a")
    load = Sysbench(servers.database(primary)) if under_load else nullcontext()
    order = [servers.database(primary), servers.database(secondary)]
    with load, Writer(order, rate=RATE) as writer:
        api = servers.apis[primary]
        job = api.ask("POST", "/ha/swap", {"confirm": servers.hosts[primary]["hostname"]})["job"]
        api.finish(job["id"] if isinstance(job, dict) else job, SWAP_TIMEOUT_S)
        writer.wait_for_progress()
    for host in (primary, secondary):
        servers.apis[host].wait_status("stable", SWAP_TIMEOUT_S)
    return writer.longest_pause_s(), len(writer.missing_in(servers.database(secondary)))
