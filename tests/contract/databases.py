"""What the contract tests of databases do with either kind of server, fake or real."""

from __future__ import annotations

from tests.contract.fake_servers import FakeServer
from tests.contract.mariadb_servers import RealServer
from tests.fakes.database import Write, WriteState
from tests.waiting import wait_for

Server = FakeServer | RealServer
Servers = tuple[Server, Server]
CAUGHT_UP_S = 30.0
SOON_S = 30.0
"""A deadline for what happens within a moment, but for a busy machine."""


def caught_up(primary: Server, replica: Server) -> None:
    position = primary.database.facts().position
    assert replica.database.wait_for(position, CAUGHT_UP_S), replica.database.facts()


def ended(write: Write) -> WriteState:
    """How the write has ended."""
    wait_for(lambda: write.state is not WriteState.WAITING, SOON_S, "the end of a write")
    return write.state


def written(server: Server, *values: int) -> None:
    """The values are acknowledged."""
    client = server.open_client()
    for value in values:
        assert ended(client.write(value)) is WriteState.ACKNOWLEDGED
    client.close()


def refusal(server: Server) -> WriteState:
    """How a write on a fresh connection ends."""
    client = server.open_client()
    try:
        return ended(client.write(999))
    finally:
        client.close()
