"""The fake database behind the same hands as the real servers of `mariadb_servers`."""

from __future__ import annotations

from app.ports import REPLICATION_USER, ReplicationSource
from tests.fakes.database import FakeClient, FakeDatabase, FakeNetwork

PORT = 3306
PASSWORD = "a replication password"


class FakeServer:
    def __init__(self, node: str, server_id: int, network: FakeNetwork) -> None:
        self.node = node
        self.server_id = server_id
        self.port = PORT
        self._remote: ReplicationSource | None = None
        self.database = FakeDatabase(
            node, server_id=server_id, network=network, host=node, port=PORT, remote_source=lambda: self._remote
        )

    def prepare(self, *, password: bool = True) -> None:
        self.database.ensure_accounts(PASSWORD if password else None)

    def source_for(self, replica: FakeServer, *, pinned: bool = True) -> ReplicationSource:
        return ReplicationSource(self.node, PORT, REPLICATION_USER, PASSWORD if pinned else "a stranger's")

    def remember_source(self, source: ReplicationSource) -> None:
        self._remote = source

    def open_client(self) -> FakeClient:
        return self.database.open_client()

    def rows(self) -> set[int]:
        self.database.network.settle()
        return self.database.rows()

    def change_structure(self) -> None:
        self.database.commit("app.rows", "", "", ddl=True)

    def break_applier(self) -> None:
        self.database.break_applier("Table 'app.rows' doesn't exist")

    def clean_up(self) -> None:
        self.database.folders.clear()
        self.database.rescues.clear()

    def folder_named(self, name: str) -> str:
        return f"/{self.node}/{name}"

    def stop(self) -> None:
        self.database.stop()

    def kill(self) -> None:
        self.database.stop()

    def start(self) -> None:
        self.database.start()
