"""The fence: the server read-only, its clients gone, and nothing acknowledged that came too late.

`SET GLOBAL read_only=1` waits for running write statements, for commits that wait for the standby's acknowledgement
(without end where the standby is gone) and for LOCK TABLES. So while one session waits for it, a second one ends
the clients' connections again and again. A commit that was ended like that may still be in the data, but its client
has been told nothing: the server shuts the client's socket before it wakes the commit.
"""

from __future__ import annotations

import math
import threading
import time

from pymysql import MySQLError

from app.adapters.mariadb.connection import MANAGER_ACCOUNT, Manager, Session
from app.adapters.mariadb.dialect import NO_SUCH_THREAD, timeout
from app.adapters.mariadb.facts import read_position
from app.core.errors import LocalFailure
from app.ports import REPLICATION_USER

ROUND_S = 0.02
"""Between two rounds of ending connections."""
MANAGER_GRACE_PART = 0.3
"""Part of the time after which the manager's own sessions elsewhere are ended too, if the fence still waits: one of
them may hold a lock. Before that only those whose commit hangs."""

_CLIENTS = (
    "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND id <> %(spared)s"
    " AND command NOT IN ('Binlog Dump', 'Daemon', 'Killed')"
    " AND user NOT IN ('system user', 'event_scheduler', 'unauthenticated user')"
    " AND NOT (user = %(replication)s AND command = 'Sleep')"
    " AND (%(everyone)s OR NOT (user = %(manager)s AND host = 'localhost')"
    " OR (command = 'Query' AND state IN ('Waiting for semi-sync ACK from slave', 'Commit')))"
)


class _Closing(threading.Thread):
    """SET GLOBAL read_only=1 in a session of its own, which may wait."""

    def __init__(self, manager: Manager, deadline: float) -> None:
        super().__init__(name="fence", daemon=True)
        self._manager = manager
        self._deadline = deadline
        self.session_id = 0
        self.failure: LocalFailure | None = None

    def run(self) -> None:
        left = max(ROUND_S, self._deadline - time.monotonic())
        try:
            with self._manager.session("Making the database read-only", left) as session:
                self.session_id = session.id
                session.run("SET SESSION lock_wait_timeout = %s", (max(1, math.ceil(left)),))
                session.run("SET GLOBAL read_only = 1")
        except LocalFailure as failure:
            self.failure = failure


def fence(manager: Manager, timeout_s: float) -> str:
    """Read-only, clients' connections closed; the position then. Raises LocalFailure `database-timeout`: not fenced."""
    started = time.monotonic()
    deadline = started + timeout_s
    with manager.session("Fencing the database", timeout_s) as session:
        closing = _Closing(manager, deadline)
        closing.start()
        closing.join(ROUND_S)
        while closing.is_alive() and time.monotonic() < deadline:
            late = time.monotonic() - started > timeout_s * MANAGER_GRACE_PART
            end_clients(session, spared=closing.session_id, everyone=late and closing.session_id > 0)
            closing.join(ROUND_S)
        if closing.is_alive():
            raise timeout("Fencing the database", timeout_s)
        if closing.failure is not None:
            raise closing.failure
        end_clients(session)
        return read_position(session)


def end_clients(session: Session, *, spared: int = 0, everyone: bool = False) -> int:
    """Connections of clients are ended; how many. `everyone`: the manager's other sessions too, but `spared`."""
    choice = {
        "spared": spared,
        "everyone": everyone,
        "manager": MANAGER_ACCOUNT,
        "replication": REPLICATION_USER,
    }
    return sum(_end(session, int(row["id"])) for row in session.rows(_CLIENTS, choice))


def _end(session: Session, connection_id: int) -> bool:
    try:
        session.run("KILL CONNECTION %s", (connection_id,))
    except MySQLError as error:
        if error.args[0] == NO_SUCH_THREAD:
            return False
        raise
    return True


def lift(manager: Manager) -> None:
    """Writable."""
    with manager.session("Making the database writable") as session:
        session.run("SET GLOBAL read_only = 0")


def close_clients(manager: Manager) -> int:
    """All connections but the system's, replication's and the manager's are closed; how many."""
    with manager.session("Closing the clients' connections") as session:
        return end_clients(session)
