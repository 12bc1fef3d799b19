"""The local database server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.core.facts import DatabaseFacts
from app.ports.common import Progress

REPLICATION_USER = "hapair_replication"
"""The account that `Database.ensure_accounts` makes, with which the other server replicates and probes."""
REPLICATION_SECRET = "replication-password"  # noqa: S105 - the name under which Keys keeps it
"""The name under which `Keys.secret` keeps the password of that account."""


@dataclass(frozen=True)
class ReplicationSource:
    """Where a replica gets its data from."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    authority: str = ""
    """Path of the PEM file with the source's certificate (its own authority)."""


@dataclass(frozen=True)
class RescueReport:
    """What a former primary alone has, as it was put into a folder before anything is discarded."""

    folder: str
    transactions: int
    rows_by_table: Mapping[str, int]
    """Rows inserted, changed or deleted, by `schema.table`."""
    spans: tuple[str, ...]
    """`domain-server-first…last` for each writer."""
    rewindable: bool
    """Whether `rewind` can undo them: only changes of rows, all in transactional tables, each with a whole old row."""
    obstacle: str
    """Why not, in a sentence; empty where it is rewindable."""
    files: tuple[str, ...]
    """Names within the folder: readable SQL, then the raw binary logs."""
    arrived: int = 0
    """So many more were counted as possible loss, but have reached the other server after all."""


class Database(Protocol):
    """The local MariaDB server, spoken to as its manager over the local socket, each call on a fresh connection
    unless said otherwise. Raises LocalFailure (codes `database-down`, `database-refused`, `database-timeout`).
    """

    def facts(self, timeout_s: float = 2.0) -> DatabaseFacts: ...
    def probe_write(self, term: int, timeout_s: float, *, replicated: bool = True) -> str:
        """A row with the term and the time is committed and durable (the beat row); the transaction's GTID. Fresh
        connection. Where it is not `replicated` it is in no binary log: a server without a standby keeps its history
        as it is. On a read-only server only the first row of a new term is written (a promotion's); else nothing
        changes there. The text is empty where the binary log has got nothing.

        Raises LocalFailure `standby-silent` where the row is durable here and only the standby's acknowledgement is
        missing: the database itself is well."""
        ...

    def data_bytes(self) -> int: ...
    def ensure_accounts(self, replication_password: str | None = None) -> None:
        """The schema `hapair`, its beat table and (with a password) the replication account exist. Idempotent."""
        ...

    def drop_replication_account(self) -> None:
        """Nobody can replicate from this server or probe it any more, and who does is cut off. No transaction is
        written, so that the history stays what the other server has too. Idempotent."""
        ...

    def fence(self, timeout_s: float) -> str:
        """Read-only, client connections closed; returns the position. Also where commits hang in a semi-sync wait or
        LOCK TABLES holds: those are ended, unacknowledged."""
        ...

    def lift(self) -> None:
        """Writable. Idempotent."""
        ...

    def set_semi_sync(self, enabled: bool) -> None:
        """Primary side. On: each commit waits (AFTER_SYNC) for one replica, without end; off: waiting commits go on."""
        ...

    def acknowledged_position(self) -> str:
        """Primary side, while commits wait: up to where they have gone on, so that the standby has everything. What
        still waits is beyond it."""
        ...

    def close_clients(self) -> int:
        """All connections but the system's, replication's and the manager's are closed; how many."""
        ...

    def start_replication(self, source: ReplicationSource, position: str | None = None) -> None:
        """Replicates from `source` over verified TLS by GTID. `position` sets gtid_slave_pos first (after a seed)."""
        ...

    def stop_receiver(self) -> None:
        """Nothing more is received; returns within 0.2 s also when the source is dead."""
        ...

    def drain(self, timeout_s: float) -> str:
        """All that was received is applied; the position. Raises LocalFailure `drain-timeout` with what is missing."""
        ...

    def wait_for(self, position: str, timeout_s: float) -> bool:
        """Whether `position` was applied in time."""
        ...

    def end_replication(self) -> None:
        """Replication is stopped and forgotten (STOP and RESET SLAVE ALL). Only after `drain`."""
        ...

    def probe_remote(self, host: str, port: int, timeout_s: float) -> bool:
        """Whether the primary's database at host:port accepts a fresh connection and a real write (secondary's second
        look at the primary, with the stored replication account). A write that only waits for this standby's
        acknowledgement counts, and so does a server that does not know the account: it lives. Raises LocalFailure
        `database-refused` where no account is stored."""
        ...

    def contains(self, theirs: str, ours: str | None = None) -> bool:
        """Whether the history `ours` (this server's when None) holds every transaction of the position `theirs`."""
        ...

    def reload_certificates(self) -> None: ...

    # seeding
    def send_seed(self, target: int) -> None:
        """A consistent physical copy (mariadb-backup xbstream) is written to that file descriptor, which stays open;
        it ends with its position inside."""
        ...

    def receive_seed(self, chunks: Iterator[bytes], staging: str, progress: Progress) -> str:
        """The stream is unpacked and prepared in the folder `staging`, owned by the server's account and synced to
        disk; returns the GTID position it ends at."""
        ...

    def switch_data(self, staging: str, aside: str) -> None:
        """With the server stopped: the data folder is moved to `aside` and `staging` takes its place, durably.
        Idempotent: may be repeated after a crash at any point."""
        ...

    def switch_back(self, aside: str) -> None:
        """Reverse of switch_data; idempotent."""
        ...

    def discard(self, folder: str) -> None:
        """A staged copy, or data that was moved aside and exists elsewhere too, is gone from the disk. Idempotent.
        Raises LocalFailure (code `not-discardable`) for the data folder itself and for what is not beside it."""
        ...

    # the return of a former primary
    def rescue(self, base_position: str, folder: str, arrived: int = 0) -> RescueReport:
        """Every transaction beyond `base_position` (the other's promotion point) is in `folder`, durably: as SQL for
        people and as raw binary logs. `arrived` goes into the report. The server is running and fenced, or starts
        read-only. Nothing is changed in it; where the folder is whole already, its report is returned. Raises
        LocalFailure `rescue-failed`."""
        ...

    def rewind(self, base_position: str) -> None:
        """The data is as it was at `base_position` and the binary log begins there, so that `start_replication`
        (without a position) goes on from it. Only after `rescue`, on a fenced server; may be repeated after a crash.
        Raises LocalFailure `rewind-refused` (it would not be exact: seed again) or `rewind-failed`."""
        ...
