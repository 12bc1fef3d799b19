"""The fence: the server read-only, its clients gone, and nothing acknowledged that came too late.

`SET GLOBAL read_only=1` waits for running write statements, for commits that wait for the standby's acknowledgement
(without end where the standby is gone) and for LOCK TABLES. So while one session waits for it, a second one ends
the clients' connections.

The order of that matters. MariaDB commits in groups, and the leader of a group waits for the acknowledgement on behalf
of all. A leader that is killed waits no longer, and then *the others of its group are acknowledged*, although no
standby has them. Hence:

1. Nothing is ended before the read-only session waits for its lock. From then on no new write can begin, so that
   every session that may still commit is older than that; younger ones are left to be refused.
2. The kernel destroys the TCP connections of all of them. Their commits go on waiting, but can tell nobody.
3. They are killed, those that wait for the acknowledgement last (which is what protects clients on the local socket).
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from pymysql import MySQLError

from app.adapters.mariadb.connection import MANAGER_ACCOUNT, Manager, Session
from app.adapters.mariadb.dialect import NO_SUCH_THREAD, timeout
from app.adapters.mariadb.facts import read_position
from app.adapters.mariadb.sockets import destroy_accepted
from app.core.errors import LocalFailure
from app.ports import REPLICATION_USER

ROUND_S = 0.02
"""Between two looks at the sessions."""
MANAGER_GRACE_PART = 0.3
"""Part of the time after which the manager's own sessions elsewhere are ended too, if the fence still waits: one of
them may hold a lock. Before that only those whose commit hangs."""
SPARE_CONNECTIONS = 2
"""By how much max_connections is raised for the moment in which clients have taken all."""

ACKNOWLEDGEMENT = "Waiting for semi-sync ACK from slave"
COMMIT = "Commit"
CLOSING = "Waiting for backup lock"
"""State of the read-only session once no new write can begin."""
_SERVERS_OWN = frozenset({"system user", "event_scheduler", "unauthenticated user"})
_NOT_CLIENTS = frozenset({"Binlog Dump", "Daemon", "Killed"})
_SESSIONS = "SELECT id, user, host, command, state FROM information_schema.processlist WHERE id <> CONNECTION_ID()"

Row = dict[str, Any]


class _Closing(threading.Thread):
    """SET GLOBAL read_only=1 in a session of its own, which may wait."""

    def __init__(self, manager: Manager, timeout_s: float) -> None:
        super().__init__(name="fence", daemon=True)
        self._manager = manager
        self._timeout_s = timeout_s
        self.session_id = 0
        self.failure: LocalFailure | None = None

    def run(self) -> None:
        try:
            with self._manager.session("Making the database read-only", self._timeout_s) as session:
                session.run("SET SESSION lock_wait_timeout = %s", (max(1, math.ceil(self._timeout_s)),))
                self.session_id = session.id
                session.run("SET GLOBAL read_only = 1")
        except LocalFailure as failure:
            self.failure = failure


def fence(manager: Manager, timeout_s: float) -> str:
    """Read-only, clients' connections closed; the position then. Raises LocalFailure `database-timeout`: not fenced."""
    deadline = time.monotonic() + timeout_s
    with manager.session("Fencing the database", timeout_s) as session:
        closing = _Closing(manager, timeout_s)
        closing.start()
        closing.join(ROUND_S)
        if closing.is_alive():
            _end_what_it_waits_for(session, closing, timeout_s, deadline)
        if closing.is_alive():
            raise timeout("Fencing the database", timeout_s)
        if closing.failure is not None:
            raise closing.failure
        for row in _clients(session.rows(_SESSIONS), everyone=False):
            _end(session, row)
        return read_position(session)


def _end_what_it_waits_for(session: Session, closing: _Closing, timeout_s: float, deadline: float) -> None:
    """Clients are ended until the closing session has done its work or the time is over."""
    manager_too_at = deadline - timeout_s * (1 - MANAGER_GRACE_PART)
    port, limit = _port_and_limit(session)
    raised = False
    youngest = 0
    cut: set[int] = set()
    try:
        while closing.is_alive() and time.monotonic() < deadline:
            if closing.session_id == 0 and not raised:
                session.run("SET GLOBAL max_connections = %s", (limit + SPARE_CONNECTIONS,))
                raised = True
            rows = session.rows(_SESSIONS)
            late = time.monotonic() > manager_too_at
            youngest = youngest or _youngest_writer(rows, closing.session_id, whatever=late)
            old = [row for row in rows if row["id"] <= youngest and row["id"] != closing.session_id]
            clients = _clients(old, everyone=late)
            destroy_accepted(port, _remote_ports(clients, cut))
            cut.update(int(row["id"]) for row in clients)
            _end_in_order(session, clients)
            closing.join(ROUND_S)
    finally:
        if raised:
            session.run("SET GLOBAL max_connections = %s", (limit,))


def _youngest_writer(rows: list[Row], closing_id: int, *, whatever: bool) -> int:
    """The highest number of a session that may have begun a write; 0 until the closing session waits for its lock
    (or, with `whatever`, for something else)."""
    state = {int(row["id"]): str(row["state"]) for row in rows}
    return max(state) if whatever or state.get(closing_id, "").startswith(CLOSING) else 0


def _port_and_limit(session: Session) -> tuple[int, int]:
    row = session.row("SELECT @@port AS port, @@global.max_connections AS most")
    return int(row["port"]), int(row["most"])


def _clients(rows: list[Row], *, everyone: bool) -> list[Row]:
    """Those of the sessions that are to end. `everyone`: the manager's other sessions too, whatever they do."""
    return [row for row in rows if _is_client(row, everyone=everyone)]


def _is_client(row: Row, *, everyone: bool) -> bool:
    if row["command"] in _NOT_CLIENTS or row["user"] in _SERVERS_OWN:
        return False
    if row["user"] == REPLICATION_USER and row["command"] == "Sleep":
        return False
    if row["user"] == MANAGER_ACCOUNT and row["host"] == "localhost":
        return everyone or in_commit(row)
    return True


def in_commit(row: Row) -> bool:
    """Whether a session of the process list is in the middle of a commit."""
    return row["command"] == "Query" and row["state"] in {ACKNOWLEDGEMENT, COMMIT}


def _remote_ports(clients: list[Row], cut: set[int]) -> list[int]:
    """The clients' ends of those TCP connections that have not been cut yet."""
    hosts = (str(row["host"]).rpartition(":") for row in clients if int(row["id"]) not in cut)
    return [int(port) for host, _, port in hosts if host and port.isdigit()]


def _end_in_order(session: Session, clients: list[Row]) -> None:
    """Others first; those that wait for the acknowledgement only when there are no others left."""
    others = [row for row in clients if row["state"] != ACKNOWLEDGEMENT]
    for row in others or clients:
        _end(session, row)


def _end(session: Session, row: Row) -> bool:
    try:
        session.run("KILL CONNECTION %s", (int(row["id"]),))
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
    """Connections that are not the system's, replication's or the manager's are closed; how many.

    Those in the middle of a commit are left alone: to end one of them would acknowledge the others of its group.
    """
    with manager.session("Closing the clients' connections") as session:
        clients = _clients(session.rows(_SESSIONS), everyone=False)
        return sum(_end(session, row) for row in clients if not in_commit(row))
