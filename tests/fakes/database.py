"""Database servers in memory: histories by GTID, replication between them, waiting commits, a fence.

They keep the promises of the port, and pass the same contract tests as the real adapter. A `FakeNetwork` joins the
servers of a test; data flows at once wherever a link is up, a receiver runs and an applier runs. What a test wants to
go wrong it sets on the server: `hung`, `write_failure`, `applier_paused`, `break_applier`, or on the network: `cut`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime

from app.core.errors import LocalFailure
from app.core.facts import DatabaseFacts, ReplicationFacts
from app.core.positions import Gtid, contains, merge, parse, reached, render
from app.ports import REPLICATION_USER, ReplicationSource, RescueReport
from tests.fakes.clock import FakeClock
from tests.fakes.database_copies import FakeCopies
from tests.fakes.database_parts import Change as Change
from tests.fakes.database_parts import Data
from tests.fakes.database_parts import FakeClient as FakeClient
from tests.fakes.database_parts import FakeNetwork as FakeNetwork
from tests.fakes.database_parts import Write as Write
from tests.fakes.database_parts import WriteState as WriteState

BEAT = "hapair.beat"
PROBE = "hapair.probe"
ACCOUNTS = "mysql.global_priv"


class FakeDatabase(FakeCopies):
    """The port Database. It starts as a real one does: running, read-only, empty."""

    def __init__(
        self,
        node: str = "alpha",
        *,
        server_id: int = 1,
        network: FakeNetwork | None = None,
        host: str | None = None,
        port: int = 3306,
        clock: FakeClock | None = None,
        remote_source: Callable[[], ReplicationSource | None] = lambda: None,
    ) -> None:
        self.node = node
        self.server_id = server_id
        self.network = network or FakeNetwork()
        self.network.servers[(host or node, port)] = self
        self.clock = clock or FakeClock()
        self._remote_source = remote_source
        self._started_at = self.clock.monotonic()
        self._process_id = 1000
        self.data = Data()
        self.folders: dict[str, Data] = {}
        """Staged and moved-aside data folders by path."""
        self.read_only = True
        self.down = False
        self.hung = False
        self.write_failure: LocalFailure | None = None
        """Raised by each write probe while it is set (a full disk, say)."""
        self.semi_sync = False
        self.clients: list[FakeClient] = []
        self.waiting: list[Write] = []
        self.source: ReplicationSource | None = None
        self.receiving = False
        self.applier_error = ""
        self.applier_paused = False
        self.receiver_error = ""
        self.heartbeats = 0
        self.relay: list[Change] = []
        self.received_at: datetime | None = None
        """When something came into the relay log."""
        self.rescues: dict[str, RescueReport] = {}
        """Reports of rescues by folder."""
        self.calls: list[str] = []
        """Names of the port's methods that change something, in the order of their calls."""

    # what a test does to the server

    def stop(self) -> None:
        """As `service stop mariadb` or a crash does: clients gone, nothing acknowledged."""
        self.down = True
        self._drop_clients()

    def start(self) -> None:
        """As `service start mariadb` does: read-only, replication goes on."""
        self.down = self.hung = False
        self.read_only = True
        self.semi_sync = False
        self._started_at = self.clock.monotonic()
        self._process_id += 1
        self.receiving = self.source is not None
        self.network.settle()

    def open_client(self) -> FakeClient:
        if self.down or self.hung:
            raise ConnectionRefusedError(f"{self.node}'s database is down")
        return FakeClient(self)

    @property
    def password(self) -> str | None:
        """Of the replication account: data like any other, so it is replicated and seeded too."""
        return self.data.tables.get(ACCOUNTS, {}).get(REPLICATION_USER)

    def rows(self) -> set[int]:
        """Values that applications have written."""
        return {int(value) for value in self.data.tables.get("app.rows", {}).values()}

    def break_applier(self, error: str) -> None:
        """The applier stops at the next change with this error."""
        self.applier_error = error

    def commit(self, table: str, key: str, value: str, write: Write | None = None, *, ddl: bool = False) -> Gtid:
        """A transaction of this server's own is in its log, and goes wherever it can."""
        sequence = max((gtid.sequence for gtid in parse(self.data.position())), default=0) + 1
        change = Change(Gtid(0, self.server_id, sequence), table, key, value, ddl)
        self.data.put(change)
        if write is not None:
            write.gtid = change.gtid
            self.waiting.append(write)
        self.network.settle()
        self._acknowledge()
        return change.gtid

    def pull(self) -> None:
        """Whatever this server can receive and apply right now, it has."""
        if self.down or self.hung:
            return
        if self.source is not None and self.receiving:
            self._receive(self.source)
        while self.relay and not self.applier_paused and not self.applier_error:
            self.data.put(self.relay.pop(0))

    # the port

    def facts(self, timeout_s: float = 2.0) -> DatabaseFacts:
        self._asked(timeout_s)
        self.network.settle()
        beat_term, beat_age_s = self._newest_beat()
        return DatabaseFacts(
            engine="MariaDB",
            version="10.11.0-fake",
            uptime_s=self.clock.monotonic() - self._started_at,
            process_id=self._process_id,
            read_only=self.read_only,
            position=self.data.position(),
            binlog_state=self.data.history(),
            semi_sync_enabled=self.semi_sync,
            semi_sync_clients=len(self._replicas()),
            replication=self._replication_facts(),
            beat_age_s=beat_age_s,
            beat_term=beat_term,
        )

    def probe_write(self, term: int, timeout_s: float, *, replicated: bool = True) -> str:
        self._asked(timeout_s)
        if self.write_failure is not None:
            raise self.write_failure
        self.ensure_accounts()
        if self.read_only and any(text and json.loads(text)[0] >= term for text in self.data.tables[BEAT].values()):
            return ""
        if not replicated:
            self.data.tables[BEAT][self.node] = json.dumps([term, self.clock.now().isoformat()])
            return ""
        write = Write(0)
        self.commit(BEAT, self.node, json.dumps([term, self.clock.now().isoformat()]), write)
        if write.state is WriteState.WAITING:
            self.waiting.remove(write)
            raise LocalFailure("standby-silent", "Writes Wait for the Standby", detail=f"for {timeout_s:g} s")
        return self.facts().position

    def probe_remote(self, host: str, port: int, timeout_s: float) -> bool:
        source = self._remote_source() or self.source
        if source is None:
            raise LocalFailure("database-refused", "The Primary's Database Can't Be Asked")
        server = self.network.find(self.node, host, port)
        if server is not None and server.password != source.password:
            return True
        if server is None or server.read_only or server.write_failure:
            return False
        write = Write(0)
        server.commit(PROBE, self.node, server.clock.now().isoformat(), write)
        if write in server.waiting:
            server.waiting.remove(write)
        return True

    def data_bytes(self) -> int:
        return len(self.data.as_bytes())

    def ensure_accounts(self, replication_password: str | None = None) -> None:
        self._asked()
        if BEAT not in self.data.tables:
            self.data.tables[BEAT] = {}
            if self.source is None:
                self.commit(BEAT, "", "", ddl=True)
        if replication_password is not None and replication_password != self.password:
            self.commit(ACCOUNTS, REPLICATION_USER, replication_password)

    def drop_replication_account(self) -> None:
        self._asked()
        self.calls.append("drop_replication_account")
        self.data.tables.get(ACCOUNTS, {}).pop(REPLICATION_USER, None)

    def fence(self, timeout_s: float) -> str:
        self._asked(timeout_s)
        self.calls.append("fence")
        self.read_only = True
        self._drop_clients()
        return self.data.position()

    def lift(self) -> None:
        self._asked()
        self.calls.append("lift")
        self.read_only = False

    def set_semi_sync(self, enabled: bool) -> None:
        self._asked()
        self.calls.append(f"set_semi_sync {enabled}")
        self.semi_sync = enabled
        self._acknowledge()

    def acknowledged_position(self) -> str:
        self._asked()
        waiting = {str(write.gtid) for write in self.waiting}
        return merge(self.data.base, render(each.gtid for each in self.data.log if str(each.gtid) not in waiting))

    def close_clients(self) -> int:
        self._asked()
        closed = sum(client.alive for client in self.clients)
        self._drop_clients()
        return closed

    def start_replication(self, source: ReplicationSource, position: str | None = None) -> None:
        self._asked()
        self.calls.append("start_replication")
        self.semi_sync = False
        if position is not None:
            self._begin_history(position)
        self.relay.clear()  # as a GTID replica does when its threads start
        self.source = source
        self.receiving = True
        self.receiver_error = self.applier_error = ""
        self.network.settle()

    def stop_receiver(self) -> None:
        self._asked()
        self.calls.append("stop_receiver")
        self.receiving = False

    def drain(self, timeout_s: float) -> str:
        self._asked(timeout_s)
        self.pull()
        if self.relay:
            raise LocalFailure(
                "drain-timeout",
                "Received Changes Are Not Applied Yet",
                detail=self.applier_error or f"{len(self.relay)} changes are missing",
            )
        return self.data.position()

    def wait_for(self, position: str, timeout_s: float) -> bool:
        self._asked(timeout_s)
        self.network.settle()
        if reached(self.data.position(), position):
            return True
        self.clock.sleep(timeout_s)
        self.network.settle()
        return reached(self.data.position(), position)

    def end_replication(self) -> None:
        self._asked()
        self.calls.append("end_replication")
        self.source = None
        self.receiving = False
        self.relay.clear()

    def contains(self, theirs: str, ours: str | None = None) -> bool:
        if ours is None:
            self._asked()
            ours = self.data.history()
        return contains(ours, theirs)

    def reload_certificates(self) -> None:
        self._asked()
        self.calls.append("reload_certificates")

    # inside

    def _drop_clients(self) -> None:
        for client in self.clients:
            client.alive = False
        self.clients.clear()
        for write in self.waiting:
            write.state = WriteState.LOST
        self.waiting.clear()

    def _replicas(self) -> list[FakeDatabase]:
        return [
            server
            for server in self.network.servers.values()
            if server.source is not None
            and server.receiving
            and not (server.down or server.hung or server.receiver_error)
            and self.network.find(server.node, server.source.host, server.source.port) is self
        ]

    def _acknowledge(self) -> None:
        if self.down or self.hung:
            return
        for write in list(self.waiting):
            held = any(write.gtid and reached(replica.received(), str(write.gtid)) for replica in self._replicas())
            if not self.semi_sync or held:
                write.state = WriteState.ACKNOWLEDGED
                self.waiting.remove(write)

    def received(self) -> str:
        """Position up to which changes have been received."""
        return merge(self.data.position(), render(change.gtid for change in self.relay))

    def _receive(self, source: ReplicationSource) -> None:
        primary = self.network.find(self.node, source.host, source.port)
        if primary is None or primary is self:
            return
        self.heartbeats += 1
        if primary.password != source.password:
            self.receiver_error = "Access denied for the replication account"
            return
        if not contains(primary.data.history(), self.received()) or not reached(self.received(), primary.data.base):
            self.receiver_error = "connecting slave requested to start from a GTID that is not in the master's binlog"
            return
        self.receiver_error = ""
        mine = self.received()
        fresh = [change for change in primary.data.log if not reached(mine, str(change.gtid))]
        self.relay.extend(fresh)
        if fresh:
            self.received_at = self.clock.now()
        primary._acknowledge()

    def _newest_beat(self) -> tuple[int | None, float | None]:
        beats: Iterable[str] = self.data.tables.get(BEAT, {}).values()
        newest = max((json.loads(beat) for beat in beats), key=lambda beat: str(beat[1]), default=None)
        if newest is None:
            return None, None
        return int(newest[0]), (self.clock.now() - datetime.fromisoformat(newest[1])).total_seconds()

    def _replication_facts(self) -> ReplicationFacts | None:
        if self.source is None:
            return None
        primary = self.network.find(self.node, self.source.host, self.source.port)
        running = self.receiving and primary is not None and not self.receiver_error
        return ReplicationFacts(
            receiver_running=running,
            applier_running=not self.applier_error,
            receiver_error_number=1236 if self.receiver_error else 0,
            receiver_error=self.receiver_error,
            applier_error_number=1062 if self.applier_error else 0,
            applier_error=self.applier_error,
            received_position=self.received(),
            applied_position=self.data.position(),
            source_host=self.source.host,
            semi_sync=running and primary is not None and primary.semi_sync,
            heartbeats=self.heartbeats,
            received_age_s=None if self.received_at is None else (self.clock.now() - self.received_at).total_seconds(),
        )
