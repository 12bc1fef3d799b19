"""What the pair costs those who write: transactions a second of sysbench, flat out, side by side in one run."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.figures import RUNS, Figure, median
from tests.bench.servers import QUICK, bring_up_standalone
from tests.lab.load import Sysbench
from tests.lab.servers import Servers

SPAN_S = 10.0
SETTLING_S = 2.0
"""Between a change and the span that is measured after it."""
COMMITS = "SHOW GLOBAL STATUS LIKE 'Com_commit'"
EACH_EVENT = 1


def run() -> Iterator[Figure]:
    """A server by itself, then as primary of a pair, in turns with a secondary that syncs each event of its relay log,
    which hapair does not ask of it."""
    with bring_up_standalone("bench-writes") as servers:
        load = Sysbench(servers.database("a"))
        load.prepare()
        with load:
            alone = [_rate(servers) for _ in range(RUNS)]
        servers.pair(QUICK)
        configured = int(_sql(servers, "b", "SELECT @@GLOBAL.sync_relay_log"))
        paired: dict[int, list[float]] = {configured: [], EACH_EVENT: []}
        with load:
            for _ in range(RUNS):
                for sync, rates in paired.items():
                    _sql(servers, "b", f"SET GLOBAL sync_relay_log = {sync}")
                    rates.append(_rate(servers))
    yield median("transactions a second: one server by itself", alone, "/s")
    yield median("transactions a second: primary of a pair", paired[configured], "/s")
    yield median("the same, were the relay log synced at each event", paired[EACH_EVENT], "/s")


def _rate(servers: Servers) -> float:
    time.sleep(SETTLING_S)
    before, started = _commits(servers), time.monotonic()
    time.sleep(SPAN_S)  # the span that is measured
    return (_commits(servers) - before) / (time.monotonic() - started)


def _commits(servers: Servers) -> int:
    return int(_sql(servers, "a", COMMITS).split()[1])


def _sql(servers: Servers, host: str, statement: str) -> str:
    return servers.lab.check(host, "mariadb", "--skip-column-names", "--execute", statement)
