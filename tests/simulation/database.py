"""A database server of the fake world: an ordered log of transactions, a relay log, semi-sync, read-only.

A transaction is a number; the world knows who wrote it, when, and whether the client was told that it is safe.
`log` survives a crash (it is synced before a commit returns), `relay` does not (relay_log_recovery).
"""

from __future__ import annotations

from dataclasses import dataclass, field

DISCONNECT_NOTICED_S = 8.0
"""A server notices a replica that vanished without a word after this time."""
ERROR_DIVERGED = 1236
ERROR_UNREACHABLE = 2003


@dataclass
class Server:
    """One database server."""

    up: bool = True
    full: bool = False
    """Its disk is full: reads work, writes hang."""
    read_only: bool = True
    semi_sync: bool = False
    log: list[int] = field(default_factory=list)
    relay: list[tuple[int, float]] = field(default_factory=list)
    """Received, not applied yet: (transaction, time received)."""
    waiting: list[tuple[int, int]] = field(default_factory=list)
    """Commits that wait for the replica's acknowledgement: (length of the log with it, transaction)."""
    follows: bool = False
    """It replicates from the other server."""
    receiving: bool = False
    """The receiver is to run."""
    connected: bool = False
    error_number: int = 0
    started_at: float = 0.0
    process_id: int = 1000
    stream_alive_at: float | None = None
    replica_seen_at: float | None = None
    """As a source: when the other server's replica last took something from here."""

    def start(self, now: float) -> None:
        """The server runs: read-only, without semi-sync, its relay log purged."""
        self.up = True
        self.read_only = True
        self.semi_sync = False
        self.relay = []
        self.waiting = []
        self.connected = False
        self.receiving = self.follows
        self.started_at = now
        self.process_id += 1
        self.replica_seen_at = None

    def stop(self) -> None:
        """The server is gone; commits that waited were never acknowledged, but are in its log."""
        self.up = False
        self.waiting = []
        self.connected = False

    @property
    def position(self) -> int:
        """Length of the history that was received."""
        return len(self.log) + len(self.relay)

    def history(self) -> list[int]:
        return self.log + [transaction for transaction, _ in self.relay]

    def append(self, transaction: int) -> bool:
        """The transaction is in the log; whether its commit returns at once."""
        self.log.append(transaction)
        if self.semi_sync:
            self.waiting.append((len(self.log), transaction))
            return False
        return True

    def acknowledge(self, length: int) -> list[int]:
        """The replica holds the first `length` transactions; the commits that return now."""
        done = [transaction for needed, transaction in self.waiting if needed <= length]
        self.waiting = [each for each in self.waiting if each[0] > length]
        return done

    def set_semi_sync(self, enabled: bool) -> list[int]:
        """Whether commits wait; the commits that return because they no longer do."""
        self.semi_sync = enabled
        if enabled:
            return []
        done = [transaction for _, transaction in self.waiting]
        self.waiting = []
        return done

    def fence(self) -> None:
        """Read-only; clients are closed, so commits that waited are never acknowledged."""
        self.read_only = True
        self.waiting = []

    def clients(self, now: float) -> int:
        """Replicas that acknowledge, as this server knows."""
        seen = self.replica_seen_at
        return 1 if seen is not None and now - seen < DISCONNECT_NOTICED_S else 0

    def apply(self, until: float) -> None:
        """What was received up to `until` is applied."""
        while self.relay and self.relay[0][1] <= until:
            self.log.append(self.relay.pop(0)[0])
