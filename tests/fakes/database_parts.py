"""What fake database servers are made of: changes, clients, data folders, and the network between them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from app.core.positions import Gtid, merge, merge_histories, render

if TYPE_CHECKING:
    from tests.fakes.database import FakeDatabase


class WriteState(StrEnum):
    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    LOST = "lost"
    """The client's connection ended without an answer."""
    REFUSED = "refused"


@dataclass(frozen=True)
class Change:
    """One transaction: one row of one table gets one value."""

    gtid: Gtid
    table: str
    key: str
    value: str
    ddl: bool = False


@dataclass
class Write:
    """What a client knows of its write."""

    value: int
    state: WriteState = WriteState.WAITING
    gtid: Gtid | None = None


class FakeClient:
    """A connection of an application."""

    def __init__(self, server: FakeDatabase) -> None:
        self._server = server
        self.alive = True
        self.holds_lock = False
        server.clients.append(self)

    def write(self, value: int) -> Write:
        """A row with this value is written, as far as the server lets it."""
        write = Write(value)
        if not self.alive or self._server.down or self._server.hung:
            write.state = WriteState.LOST
        elif self._server.read_only:
            write.state = WriteState.REFUSED
        else:
            write.gtid = self._server.commit("app.rows", str(value), str(value), write)
        return write

    def lock_tables(self) -> None:
        self.holds_lock = True

    def close(self) -> None:
        self.alive = False


class FakeNetwork:
    """Servers by address, and the links between them that are cut."""

    def __init__(self) -> None:
        self.servers: dict[tuple[str, int], FakeDatabase] = {}
        self._cut: set[frozenset[str]] = set()

    def cut(self, one: str, other: str) -> None:
        self._cut.add(frozenset((one, other)))

    def heal(self) -> None:
        self._cut.clear()
        self.settle()

    def find(self, seeker: str, host: str, port: int) -> FakeDatabase | None:
        """The server at host:port, if `seeker` (a node's name) can reach it and it answers."""
        server = self.servers.get((host, port))
        if server is None or server.down or server.hung or frozenset((seeker, server.node)) in self._cut:
            return None
        return server

    def settle(self) -> None:
        """Everything that can flow has flowed."""
        for _ in self.servers:  # a chain of replicas is at most as long as there are servers
            for server in self.servers.values():
                server.pull()


@dataclass
class Data:
    """What is in a data folder."""

    base: str = ""
    """The position at which the binary log begins."""
    log: list[Change] = field(default_factory=list)
    tables: dict[str, dict[str, str]] = field(default_factory=dict)

    def position(self) -> str:
        return merge(self.base, render(change.gtid for change in self.log))

    def history(self) -> str:
        return merge_histories(self.base, render(change.gtid for change in self.log))

    def put(self, change: Change) -> None:
        self.log.append(change)
        if not change.ddl:
            self.tables.setdefault(change.table, {})[change.key] = change.value

    def as_bytes(self) -> bytes:
        return json.dumps({"base": self.position(), "tables": self.tables}).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Data:
        document = json.loads(text)
        return cls(base=document["base"], tables=document["tables"])
