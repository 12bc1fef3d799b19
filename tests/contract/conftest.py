"""Database servers that several contract tests share; the real ones are started once, when a test first asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.databases import Servers, caught_up
from tests.contract.fake_servers import FakeServer
from tests.contract.mariadb_servers import RealServer, two_servers, unavailable
from tests.fakes.database import FakeNetwork


@pytest.fixture(scope="session")
def real_servers() -> Iterator[tuple[RealServer, RealServer]]:
    if reason := unavailable():
        pytest.skip(reason)
    with two_servers() as servers:
        yield servers


@pytest.fixture(params=["fake", "real"])
def database_servers(request: pytest.FixtureRequest) -> Servers:
    if request.param == "fake":
        network = FakeNetwork()
        return FakeServer("alpha", 1, network), FakeServer("beta", 2, network)
    alpha, beta = request.getfixturevalue("real_servers")
    for server in (alpha, beta):
        server.quiet()
    for server in (alpha, beta):
        server.reset()
    return alpha, beta


@pytest.fixture
def database_pair(database_servers: Servers) -> Servers:
    """The first is a writable primary, the second its caught-up replica."""
    primary, replica = database_servers
    primary.prepare()
    primary.database.lift()
    replica.database.start_replication(primary.source_for(replica))
    caught_up(primary, replica)
    return primary, replica
