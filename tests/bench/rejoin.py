"""How long an old primary takes to be the secondary of a stable pair again, by what it has that the pair never had."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.figures import RUNS, Figure, median
from tests.bench.servers import QUICK, fresh_pair
from tests.lab import histories
from tests.lab.acts import SETTLE_S, other, primary_of, wait_stable
from tests.lab.servers import Servers
from tests.waiting import wait_for

CLEAN_S = 15.0
REJOIN_S = 120.0
CASES = (
    ("1 transaction ahead, rewound", histories.transactions(1)),
    ("1,000 transactions ahead, rewound", histories.transactions(1000)),
    ("1,000 files ahead", histories.files(1000)),
    ("a DDL ahead, the whole database copied anew", histories.table_change),
)


def run() -> Iterator[Figure]:
    """Power cuts without divergence, then one rejoin of each kind; what was rescued is compared with the promise."""
    with fresh_pair("bench-rejoin", QUICK) as servers:
        histories.set_field(servers, HAAntiFlappingTime=0)
        clean = [_clean(servers) for _ in range(RUNS)]
        yield median("rejoin without divergence, from the database's start", clean, "s", CLEAN_S)
        wrong = 0
        for name, ahead in CASES:
            returned = histories.diverge(servers, ahead)
            wrong += not returned.kept_its_promise
            detail = f"{returned.report['transactions']} transactions rescued, {returned.promised} promised"
            yield Figure(f"rejoin: {name}", returned.seconds, "s", detail=detail)
    yield Figure("rejoins whose status had promised another number", wrong, "", 0)


def _clean(servers: Servers) -> float:
    """Seconds from the moment at which the returning server's database answers until both servers say stable."""
    old = primary_of(servers)
    new = other(old)
    servers.lab.fault("power-cut", old)
    servers.apis[new].wait_status("degraded", SETTLE_S, role="primary")
    servers.lab.fault("boot", old)
    wait_for(lambda: _answers(servers, old), SETTLE_S, "the database of the server that comes back")
    began = time.monotonic()
    wait_stable(servers, new, REJOIN_S)
    return time.monotonic() - began


def _answers(servers: Servers, host: str) -> bool:
    return servers.lab.run(host, "mariadb", "-e", "SELECT 1").returncode == 0
