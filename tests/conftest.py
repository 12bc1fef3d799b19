"""Fixtures for everybody: labs that live as long as a test module, and die with pytest however it ends."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.lab.acts import recover
from tests.lab.pairing import Timing
from tests.lab.places import LabError
from tests.lab.servers import Servers, bring_up, last_words

MakeServers = Callable[..., Servers]
QUICK = Timing(ping_interval=1, ping_iterations=3, anti_flapping_s=0)
"""A detection window of three seconds, and a failover whenever one is due: tests that share a pair follow one another
sooner than failovers of their own may."""

LOG_LINES = 25
"""Of each service, in the report of a failed test."""

_numbers = itertools.count(1)

# The same examples each time and everywhere; others with --hypothesis-profile=default.
settings.register_profile("hapair", derandomize=True, database=None)
settings.load_profile("hapair")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What uses servers runs one after the other in one process, beside which others may run all the rest."""
    for item in items:
        if any(item.get_closest_marker(name) for name in ("lab", "browser")):
            item.add_marker(pytest.mark.xdist_group("servers"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """A failed test that used servers shows the ends of their logs: the servers are gone when somebody reads it."""
    report = yield
    if report.failed:
        used = getattr(item, "funcargs", {}).values()
        for servers in {id(each): each for each in used if isinstance(each, Servers)}.values():
            report.sections.append((f"logs of {servers.lab.name}", last_words(servers.lab, LOG_LINES)))
    return report


@pytest.fixture(scope="module")
def make_servers() -> Iterator[MakeServers]:
    """Makes labs: `make_servers(topology="routed", paired=False)`. All are gone when the module's tests are done."""
    made: list[Servers] = []

    def make(*, topology: str = "same", paired: bool = True, timing: Timing = QUICK) -> Servers:
        servers = _bring_up(topology)
        made.append(servers)
        if paired:
            servers.pair(timing)
        return servers

    yield make
    for servers in made:
        _remove(servers)


def _bring_up(topology: str) -> Servers:
    return bring_up(f"test-{os.getpid()}-{next(_numbers)}", topology=topology)


def _remove(servers: Servers) -> None:
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


@pytest.fixture(scope="session")
def _pairs() -> Iterator[dict[str, Servers]]:
    """The pairs that tests share, by topology."""
    made: dict[str, Servers] = {}
    yield made
    for servers in made.values():
        _remove(servers)


@pytest.fixture
def pair(_pairs: dict[str, Servers], topology: str) -> Servers:
    """A stable pair, shared by all tests that leave it stable; one that was left broken is replaced."""
    found = _pairs.get(topology)
    if found is not None:
        try:
            recover(found)
        except (AssertionError, OSError, LabError):
            _remove(_pairs.pop(topology))
    if topology not in _pairs:
        servers = _pairs[topology] = _bring_up(topology)
        servers.pair(QUICK)
    return _pairs[topology]
