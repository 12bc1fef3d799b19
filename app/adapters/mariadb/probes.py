"""Real writes that prove a database server: this one's, and the primary's as seen from the secondary.

A write that waits for the standby's acknowledgement hangs in a server that is well, and no time-out of the server ends
that wait. To kill it is forbidden: it may wait on behalf of clients' commits, which would then be acknowledged without
a standby (see fencing). So a probe that hangs is left where it is, and as long as it is there no other is sent: to
know what it hangs in is the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from app.adapters.mariadb.connection import Arguments, Manager, Session, remote_session
from app.adapters.mariadb.dialect import LOGIN_REFUSED, TIMEOUT, timeout
from app.core.errors import LocalFailure
from app.ports import ReplicationSource

STANDBY_SILENT = "standby-silent"
DIAGNOSIS_PART = 0.2
"""Part of a probe's time that is kept for finding out what it hangs in."""
DIAGNOSIS_S = 0.3
"""Bound of that part."""

Open = Callable[[str, float], AbstractContextManager[Session]]
"""Opens a session for a purpose and a time."""

_BEAT = (
    "INSERT INTO hapair.beat (node, term, at) SELECT %(node)s, %(term)s, UTC_TIMESTAMP(6) FROM DUAL"
    " WHERE @@GLOBAL.read_only = 0 OR NOT EXISTS (SELECT 1 FROM hapair.beat AS known WHERE known.term >= %(term)s)"
    " ON DUPLICATE KEY UPDATE term = VALUES(term), at = VALUES(at)"
)
"""The manager may write on a read-only server, and there only the first row of a new term is wanted: a probe that comes
while a swap closes the database would else be a transaction that the new primary never gets."""
_HUNG = (
    "SELECT id FROM information_schema.processlist"
    " WHERE id <> CONNECTION_ID() AND user = SUBSTRING_INDEX(USER(), '@', 1)"
    " AND (info LIKE 'INSERT INTO hapair.beat %' OR info LIKE 'INSERT INTO hapair.probe %') LIMIT 1"
)
_PROBE = "INSERT INTO hapair.probe (node, at) VALUES (%s, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE at = VALUES(at)"


def probe_write(manager: Manager, node: str, term: int, timeout_s: float, *, replicated: bool) -> str:
    """This node's beat row carries the term and the time, durably; the transaction's GTID. On a read-only server that
    knows the term already nothing is written."""
    return _write(manager.session, _BEAT, {"node": node, "term": term}, timeout_s, logged=replicated)


def probe_remote(source: ReplicationSource, host: str, port: int, node: str, timeout_s: float) -> bool:
    """Whether the server at host:port takes a fresh connection and a real write by the replication account.

    A write that only waits for this standby's acknowledgement counts as taken: the server is well. So does a server,
    known by its certificate, that refuses the account: it lives, and has ended the pair, or never knew of it. To take
    over from it would make a second primary.
    """
    target = ReplicationSource(host, port, source.user, source.password, source.authority)

    def open_session(_: str, session_timeout_s: float) -> AbstractContextManager[Session]:
        return remote_session(target, session_timeout_s)

    try:
        _write(open_session, _PROBE, (node,), timeout_s)
    except LocalFailure as failure:
        return failure.code in (STANDBY_SILENT, LOGIN_REFUSED.code)
    return True


def _write(open_session: Open, statement: str, arguments: Arguments, timeout_s: float, *, logged: bool = True) -> str:
    diagnosis_s = min(DIAGNOSIS_S, timeout_s * DIAGNOSIS_PART)
    try:
        with open_session("Writing the probe row", timeout_s - diagnosis_s) as session:
            if session.row(_HUNG):
                raise timeout("Writing the probe row: an earlier one still hangs", timeout_s)
            if not logged:
                session.run("SET SESSION sql_log_bin = 0")
            session.run(statement, arguments)
            return str(session.row("SELECT @@SESSION.last_gtid AS gtid").get("gtid") or "")
    except LocalFailure as failure:
        if failure.code == TIMEOUT.code and _waits_for_standby(open_session, diagnosis_s):
            raise _standby_silent(timeout_s) from failure
        raise


def _waits_for_standby(open_session: Open, timeout_s: float) -> bool:
    """Whether commits are waiting for the standby's acknowledgement."""
    try:
        with open_session("Seeing what a probe hangs in", timeout_s) as session:
            waiting = session.row("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_wait_sessions'")
    except LocalFailure:
        return False
    return int(waiting.get("Value", 0)) > 0


def _standby_silent(timeout_s: float) -> LocalFailure:
    return LocalFailure(
        STANDBY_SILENT,
        "Writes Wait for the Standby",
        detail=f"The probe row is on disk, but the standby has not acknowledged it within {timeout_s:g} s.",
        hint="The database itself is well. Writes go on when the standby is back or has been let out of the pair.",
    )
