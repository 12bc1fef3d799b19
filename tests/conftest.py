"""Fixtures for everybody: labs that live as long as a test module, and die with pytest however it ends."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from tests.lab.pairing import Timing
from tests.lab.servers import Servers, bring_up

MakeServers = Callable[..., Servers]
QUICK = Timing(ping_interval=1, ping_iterations=3)
"""A detection window of three seconds."""

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def make_servers() -> Iterator[MakeServers]:
    """Makes labs: `make_servers(topology="routed", paired=False)`. All are gone when the module's tests are done."""
    made: list[Servers] = []

    def make(*, topology: str = "same", paired: bool = True, timing: Timing = QUICK) -> Servers:
        servers = bring_up(f"test-{os.getpid()}-{next(_numbers)}", topology=topology)
        made.append(servers)
        if paired:
            servers.pair(timing)
        return servers

    yield make
    for servers in made:
        servers.close()
        servers.lab.down()


@pytest.fixture(scope="module", params=["same", "routed"])
def topology(request: pytest.FixtureRequest) -> str:
    """Both servers in one subnet, then in two."""
    return str(request.param)


@pytest.fixture(scope="module")
def standalone(make_servers: MakeServers, topology: str) -> Servers:
    """Two standalone servers, shared by the tests of a module, which leave them standalone."""
    return make_servers(topology=topology, paired=False)


@pytest.fixture(scope="module")
def pair(make_servers: MakeServers, topology: str) -> Servers:
    """A stable pair, shared by the tests of a module, which leave it stable."""
    return make_servers(topology=topology)
