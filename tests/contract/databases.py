"""What the contract tests of databases do with either kind of server, fake or real."""

from __future__ import annotations

from tests.contract.fake_servers import FakeServer
from tests.contract.mariadb_servers import RealServer
from tests.fakes.database import WriteState

Server = FakeServer | RealServer
Servers = tuple[Server, Server]
CAUGHT_UP_S = 10.0


def caught_up(primary: Server, replica: Server) -> None:
    position = primary.database.facts().position
    assert replica.database.wait_for(position, CAUGHT_UP_S), replica.database.facts()


def written(server: Server, *values: int) -> None:
    """The values are acknowledged."""
    client = server.open_client()
    for value in values:
        assert client.write(value).state is WriteState.ACKNOWLEDGED
    client.close()


def refusal(server: Server) -> WriteState:
    """How a write on a fresh connection ends."""
    client = server.open_client()
    try:
        return client.write(999).state
    finally:
        client.close()
