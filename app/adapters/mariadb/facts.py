"""One look at the server: three short questions on one connection, so that it can be repeated each second."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pymysql

from app.adapters.mariadb.connection import Manager, Session
from app.adapters.mariadb.dialect import NOT_THERE
from app.core.facts import DatabaseFacts, ReplicationFacts
from app.core.positions import merge, merge_histories

ENGINE = "MariaDB"

_VARIABLES = (
    "SELECT @@version AS version, @@global.read_only AS read_only, @@global.gtid_binlog_pos AS binlog_pos,"
    " @@global.gtid_binlog_state AS binlog_state, @@global.gtid_slave_pos AS slave_pos"
)
_STATUS = (
    "SHOW GLOBAL STATUS WHERE variable_name IN ('Uptime', 'Rpl_semi_sync_master_status',"
    " 'Rpl_semi_sync_master_clients', 'Rpl_semi_sync_slave_status')"
)
_BEAT = (
    "SELECT term, TIMESTAMPDIFF(MICROSECOND, at, UTC_TIMESTAMP(6)) / 1000000 AS age_s FROM hapair.beat"
    " ORDER BY at DESC LIMIT 1"
)


def read_facts(manager: Manager, data_dir: Path, timeout_s: float) -> DatabaseFacts:
    """The server as it is now."""
    with manager.session("Looking at the database", timeout_s) as session:
        variables = session.row(_VARIABLES)
        status = {row["Variable_name"].lower(): row["Value"] for row in session.rows(_STATUS)}
        replica = replica_status(session)
        beat = _beat(session)
        process_id = session.server_process_id
    semi_sync_replica = status.get("rpl_semi_sync_slave_status") == "ON"
    return DatabaseFacts(
        engine=ENGINE,
        version=str(variables["version"]),
        uptime_s=float(status["uptime"]),
        process_id=process_id,
        read_only=bool(variables["read_only"]),
        position=merge(variables["binlog_pos"], variables["slave_pos"]),
        binlog_state=_sorted(variables["binlog_state"]),
        semi_sync_enabled=status.get("rpl_semi_sync_master_status") == "ON",
        semi_sync_clients=int(status.get("rpl_semi_sync_master_clients", 0)),
        replication=_replication(replica, data_dir, variables["slave_pos"], semi_sync_replica) if replica else None,
        beat_age_s=float(beat["age_s"]) if beat else None,
        beat_term=int(beat["term"]) if beat else None,
    )


def read_position(session: Session) -> str:
    """The last transaction of each domain that this server holds, whoever wrote it."""
    row = session.row("SELECT @@global.gtid_binlog_pos AS written, @@global.gtid_slave_pos AS applied")
    return merge(row["written"], row["applied"])


def read_history(session: Session) -> str:
    """The last transaction of each writer that this server is known to hold."""
    row = session.row("SELECT @@global.gtid_binlog_state AS written, @@global.gtid_slave_pos AS applied")
    return merge_histories(row["written"], row["applied"])


def replica_status(session: Session) -> dict[str, Any]:
    """The row of SHOW ALL SLAVES STATUS for the connection to the peer; nothing where there is none."""
    for row in session.rows("SHOW ALL SLAVES STATUS"):
        if not row["Connection_name"]:
            return row
    return {}


def _replication(row: dict[str, Any], data_dir: Path, applied_position: str, semi_sync: bool) -> ReplicationFacts:
    return ReplicationFacts(
        receiver_running=row["Slave_IO_Running"] == "Yes",
        applier_running=row["Slave_SQL_Running"] == "Yes",
        receiver_error_number=int(row["Last_IO_Errno"]),
        receiver_error=row["Last_IO_Error"],
        applier_error_number=int(row["Last_SQL_Errno"]),
        applier_error=row["Last_SQL_Error"],
        received_position=_sorted(row["Gtid_IO_Pos"]),
        applied_position=_sorted(applied_position),
        source_host=row["Master_Host"],
        semi_sync=semi_sync,
        heartbeats=int(row["Slave_received_heartbeats"]),
        received_age_s=_age_s(data_dir / row["Relay_Log_File"]) if row["Relay_Log_File"] else None,
    )


def _age_s(file: Path) -> float | None:
    """The server does not tell when it received something last. Its relay log does: each event is handed to the file at
    once, synced or not. An applier that is behind reads an older file; the age is too high then, never too low."""
    try:
        return max(time.time() - file.stat().st_mtime, 0.0)
    except OSError:
        return None


def _sorted(history: str) -> str:
    return merge_histories(history)


def _beat(session: Session) -> dict[str, Any]:
    """The newest row of any node's write probe; nothing where there is none yet."""
    try:
        return session.row(_BEAT)
    except pymysql.ProgrammingError as error:
        if error.args[0] in NOT_THERE:
            return {}
        raise
