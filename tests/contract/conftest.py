"""Servers that several contract tests share. The real databases are started once, when a test first asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.databases import Servers, caught_up
from tests.contract.fake_servers import FakeServer
from tests.contract.mariadb_servers import RealPair, two_servers, unavailable
from tests.contract.peer_side import RealSide
from tests.contract.trees import Trees
from tests.fakes.database import FakeNetwork


def as_installed(servers: RealPair) -> RealPair:
    """Nothing is left of the test before; both are quiet before either history is cut."""
    for server in servers:
        server.quiet()
    for server in servers:
        server.reset()
    return servers


def replicate(servers: Servers) -> None:
    """The second is the caught-up replica of the first."""
    primary, replica = servers
    replica.database.start_replication(primary.source_for(replica))
    caught_up(primary, replica)


@pytest.fixture(scope="session")
def real_servers() -> Iterator[RealPair]:
    if reason := unavailable():
        pytest.skip(reason)
    with two_servers() as servers:
        yield servers


@pytest.fixture(params=["fake", "real"])
def database_servers(request: pytest.FixtureRequest) -> Servers:
    if request.param == "fake":
        network = FakeNetwork()
        return FakeServer("alpha", 1, network), FakeServer("beta", 2, network)
    return as_installed(request.getfixturevalue("real_servers"))


@pytest.fixture
def database_pair(database_servers: Servers) -> Servers:
    """The first is a writable primary, the second its caught-up replica."""
    primary, _ = database_servers
    primary.prepare()
    primary.database.lift()
    replicate(database_servers)
    return database_servers


@pytest.fixture
def mariadb_servers(real_servers: RealPair) -> RealPair:
    """The first is writable and prepared, the second as it was installed."""
    as_installed(real_servers)
    real_servers[0].prepare()
    real_servers[0].database.lift()
    return real_servers


@pytest.fixture
def mariadb_pair(mariadb_servers: RealPair) -> RealPair:
    """The second is the caught-up replica of the first."""
    replicate(mariadb_servers)
    return mariadb_servers


@pytest.fixture(scope="module")
def mirrored_trees() -> Iterator[Trees]:
    made = Trees()
    yield made
    made.servers.close()


@pytest.fixture
def trees(mirrored_trees: Trees) -> Trees:
    """Both trees are empty, and nothing is watched."""
    mirrored_trees.reset()
    return mirrored_trees


@pytest.fixture
def real_side() -> Iterator[RealSide]:
    side = RealSide("127.0.0.71")
    yield side
    side.servers.close()
