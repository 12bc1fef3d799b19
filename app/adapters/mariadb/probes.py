"""Real writes that prove a database server: this one's, and the primary's as seen from the secondary."""

from __future__ import annotations

from pymysql import MySQLError

from app.adapters.mariadb.connection import Manager, remote_session
from app.adapters.mariadb.dialect import NO_SUCH_THREAD, TIMEOUT
from app.core.errors import LocalFailure
from app.ports import ReplicationSource

DIAGNOSIS_PART = 0.2
"""Part of a probe's time that is kept for finding out what it hangs in."""
DIAGNOSIS_S = 0.3
"""Bound of that part."""

_BEAT = (
    "INSERT INTO hapair.beat (node, term, at) VALUES (%s, %s, UTC_TIMESTAMP(6))"
    " ON DUPLICATE KEY UPDATE term = VALUES(term), at = VALUES(at)"
)
_PROBE = "INSERT INTO hapair.probe (node, at) VALUES (%s, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE at = VALUES(at)"


def probe_write(manager: Manager, node: str, term: int, timeout_s: float) -> None:
    """This node's beat row carries the term and the time, durably.

    A probe that hangs is ended in the server too, or they would pile up. Where all that it waits for is the standby's
    acknowledgement, the error says so: the row is on disk then, and the database is well.
    """
    diagnosis_s = min(DIAGNOSIS_S, timeout_s * DIAGNOSIS_PART)
    connection_id = 0
    try:
        with manager.session("Writing the probe row", timeout_s - diagnosis_s) as session:
            connection_id = session.id
            session.run(_BEAT, (node, term))
    except LocalFailure as failure:
        if failure.code == TIMEOUT.code and connection_id and _end_hung(manager, connection_id, diagnosis_s):
            raise _standby_silent(timeout_s) from failure
        raise


def probe_remote(source: ReplicationSource, host: str, port: int, node: str, timeout_s: float) -> bool:
    """Whether the server at host:port takes a fresh connection and a real write by the replication account."""
    target = ReplicationSource(host, port, source.user, source.password, source.authority)
    try:
        with remote_session(target, timeout_s) as session:
            session.run(_PROBE, (node,))
    except LocalFailure:
        return False
    return True


def _end_hung(manager: Manager, connection_id: int, timeout_s: float) -> bool:
    """The hung probe's connection is ended; whether commits were waiting for the standby's acknowledgement."""
    try:
        with manager.session("Ending a hung probe", timeout_s) as session:
            waiting = session.row("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_wait_sessions'")
            try:
                session.run("KILL CONNECTION %s", (connection_id,))
            except MySQLError as error:
                if error.args[0] != NO_SUCH_THREAD:
                    raise
    except LocalFailure:
        return False
    return int(waiting.get("Value", 0)) > 0


def _standby_silent(timeout_s: float) -> LocalFailure:
    return LocalFailure(
        "standby-silent",
        "Writes Wait for the Standby",
        detail=f"The probe row is on disk, but the standby has not acknowledged it within {timeout_s:g} s.",
        hint="The database itself is well. Writes go on when the standby is back or has been let out of the pair.",
    )
