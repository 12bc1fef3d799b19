"""Labs that benchmarks run in: made for one measurement, gone after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.pairing import Timing
from tests.lab.servers import Servers, bring_up

QUICK = Timing(ping_interval=1, ping_iterations=3)


@contextmanager
def bring_up_standalone(name: str) -> Iterator[Servers]:
    """Two standalone servers."""
    servers = bring_up(f"{name}-{os.getpid()}")
    try:
        yield servers
    finally:
        servers.close()
        servers.lab.down()


@contextmanager
def fresh_pair(name: str, timing: Timing) -> Iterator[Servers]:
    """A stable pair, `a` the primary."""
    with bring_up_standalone(name) as servers:
        servers.pair(timing)
        yield servers
