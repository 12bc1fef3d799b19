"""The Database port, gathered: each method's work is in the module of its idea."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from app.adapters.mariadb import (
    accounts,
    facts,
    fencing,
    folders,
    probes,
    replication,
    rescue,
    rewinding,
    seeding,
    semisync,
)
from app.adapters.mariadb.connection import Manager
from app.core.errors import LocalFailure
from app.core.facts import DatabaseFacts
from app.core.positions import contains, merge
from app.ports import Progress, ReplicationSource, RescueReport


class MariaDB:
    """The local MariaDB server. Nothing is connected or started by making one.

    `node` names this node in its beat and probe rows (at most 64 characters). `source` gives where and with what
    secret this node replicates from, for the look at the primary; None where it has none.
    """

    def __init__(
        self,
        *,
        socket: Path,
        data_dir: Path,
        account: str,
        node: str,
        source: Callable[[], ReplicationSource | None],
    ) -> None:
        self._manager = Manager(socket)
        self._data_dir = data_dir
        self._account = account
        self._node = node
        self._source = source

    def facts(self, timeout_s: float = 2.0) -> DatabaseFacts:
        return facts.read_facts(self._manager, self._data_dir, timeout_s)

    def probe_write(self, term: int, timeout_s: float, *, replicated: bool = True) -> str:
        return probes.probe_write(self._manager, self._node, term, timeout_s, replicated=replicated)

    def probe_remote(self, host: str, port: int, timeout_s: float) -> bool:
        source = self._source()
        if source is None:
            raise LocalFailure(
                "database-refused",
                "The Primary's Database Can't Be Asked",
                detail="This server has no stored replication account.",
                hint="It gets one when it is set up as secondary.",
            )
        return probes.probe_remote(source, host, port, self._node, timeout_s)

    def data_bytes(self) -> int:
        return seeding.data_bytes(self._data_dir)

    def ensure_accounts(self, replication_password: str | None = None) -> None:
        accounts.ensure_accounts(self._manager, replication_password)

    def drop_replication_account(self) -> None:
        accounts.drop_replication_account(self._manager)

    def fence(self, timeout_s: float) -> str:
        return fencing.fence(self._manager, timeout_s)

    def lift(self) -> None:
        fencing.lift(self._manager)

    def close_clients(self) -> int:
        return fencing.close_clients(self._manager)

    def set_semi_sync(self, enabled: bool) -> None:
        semisync.set_semi_sync(self._manager, enabled)

    def acknowledged_position(self) -> str:
        return semisync.acknowledged_position(self._manager)

    def start_replication(self, source: ReplicationSource, position: str | None = None) -> None:
        replication.start_replication(self._manager, self._data_dir, source, position)

    def stop_receiver(self) -> None:
        replication.stop_receiver(self._manager)

    def drain(self, timeout_s: float) -> str:
        return replication.drain(self._manager, timeout_s)

    def wait_for(self, position: str, timeout_s: float) -> bool:
        return replication.wait_for(self._manager, position, timeout_s)

    def end_replication(self) -> None:
        replication.end_replication(self._manager)

    def contains(self, theirs: str, ours: str | None = None) -> bool:
        if ours is None:
            with self._manager.session("Reading the database's history") as session:
                ours = facts.read_history(session)
        return contains(ours, theirs)

    def reload_certificates(self) -> None:
        with self._manager.session("Reloading the database's certificates") as session:
            session.run("FLUSH SSL")

    def send_seed(self, target: int) -> None:
        seeding.send_seed(self._manager.path, self._data_dir, target)

    def receive_seed(self, chunks: Iterator[bytes], staging: str, progress: Progress) -> str:
        return seeding.receive_seed(chunks, Path(staging), progress, account=self._account, like=self._data_dir)

    def switch_data(self, staging: str, aside: str) -> None:
        folders.switch_data(self._manager, self._data_dir, Path(staging), Path(aside))

    def switch_back(self, aside: str) -> None:
        folders.switch_back(self._manager, self._data_dir, Path(aside))

    def discard(self, folder: str) -> None:
        folders.discard(self._data_dir, Path(folder))

    def rescue(self, base_position: str, folder: str, arrived: int = 0) -> RescueReport:
        return rescue.rescue(self._manager, self._data_dir, merge(base_position), Path(folder), arrived)

    def rewind(self, base_position: str) -> None:
        rewinding.rewind(self._manager, self._data_dir, merge(base_position))
