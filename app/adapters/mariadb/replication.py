"""The replica's side: follow, stop, drain, forget.

The order of a promotion matters: a GTID replica throws its relay logs away when its threads start again, so what was
received must be applied before anything is started or pointed elsewhere.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from app.adapters.durable import sync_folder
from app.adapters.mariadb.connection import STATEMENT_S, Manager, Session
from app.adapters.mariadb.dialect import timeout
from app.adapters.mariadb.facts import read_position, replica_status
from app.adapters.mariadb.sockets import destroy_connections
from app.core.errors import LocalFailure
from app.core.positions import merge, merge_histories, parse, reached, render
from app.ports import ReplicationSource

CONNECT_RETRY_S = 1
HEARTBEAT_S = 1
STOP_PATIENCE_S = 0.03
"""STOP SLAVE takes 2 ms where the source answers; after this time it is taken for dead."""
DESTROY_ROUND_S = 0.02
WAIT_ROUND_S = 0.25
"""One wait for the applier, after which it is asked whether it still runs."""
WAIT_SLACK_S = 2.0
"""How much longer the session lives than the server may wait inside it."""

SOURCE_FILES = ("master.info", "multi-master.info", "relay-log.info", "relay.index")
"""Where the server keeps whom it follows. It does not sync them itself before thousands of changes."""

_CHANGE_MASTER = (
    "CHANGE MASTER TO MASTER_HOST = %s, MASTER_PORT = %s, MASTER_USER = %s, MASTER_PASSWORD = %s,"
    " MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = %s, MASTER_HEARTBEAT_PERIOD = %s,"
    " MASTER_SSL = 1, MASTER_SSL_CA = %s, MASTER_SSL_VERIFY_SERVER_CERT = 1"
)


def start_replication(manager: Manager, data_dir: Path, source: ReplicationSource, position: str | None) -> None:
    """This server follows `source`. With a position its own binary log starts anew there (after a seed); without one
    it goes on from all that it holds, also from what it wrote itself as primary, which gtid_slave_pos alone omits: so
    a server with transactions that the source never had is refused instead of skipping over them.

    As primary it no longer waits for acknowledgements, or its applier would wait for a standby that it hasn't. Whom it
    follows is on disk on return. What an earlier start has left is forgotten first: after a power cut its files can be
    empty, and the server then refuses every CHANGE MASTER (error 1201).
    """
    stop_receiver(manager)
    with manager.session("Starting replication", STATEMENT_S) as session:
        session.run("STOP SLAVE")
        session.run("RESET SLAVE ALL")
        session.run("SET GLOBAL rpl_semi_sync_master_enabled = 0")
        if position is not None:
            begin_history(session, position)
        else:
            session.run("SET GLOBAL gtid_slave_pos = %s", (read_position(session),))
        session.run("SET GLOBAL rpl_semi_sync_slave_enabled = 1")
        session.run(
            _CHANGE_MASTER,
            (
                source.host,
                source.port,
                source.user,
                source.password,
                CONNECT_RETRY_S,
                HEARTBEAT_S,
                source.authority,
            ),
        )
        session.run("START SLAVE")
    _sync_source_files(data_dir)


def _sync_source_files(data_dir: Path) -> None:
    for name in SOURCE_FILES:
        try:
            descriptor = os.open(data_dir / name, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(data_dir)


def begin_history(session: Session, position: str, history: str | None = None) -> None:
    """The binary log is empty and continues from `position`, as if all of `history` had been written here."""
    session.run("RESET MASTER")
    session.run("SET GLOBAL gtid_binlog_state = %s", (merge_histories(history or position),))
    session.run("SET GLOBAL gtid_slave_pos = %s", (merge(position),))


class _Stopping(threading.Thread):
    """STOP SLAVE IO_THREAD in a session of its own, which may wait for a dead source."""

    def __init__(self, manager: Manager) -> None:
        super().__init__(name="stop-receiver", daemon=True)
        self._manager = manager
        self.failure: LocalFailure | None = None

    def run(self) -> None:
        try:
            with self._manager.session("Stopping the replication receiver", STATEMENT_S) as session:
                session.run("STOP SLAVE IO_THREAD")
        except LocalFailure as failure:
            self.failure = failure


def stop_receiver(manager: Manager) -> None:
    """Nothing more is received. Idempotent, also where this server replicates from nobody.

    At its end a semi-sync receiver opens a connection to the source to end the old one there, and with a dead source
    STOP SLAVE waits 2 s for that. The kernel is told to give such a connection up (SOCK_DESTROY), which leaves
    nothing behind that would have to be removed.
    """
    with manager.session("Looking at replication") as session:
        replica = replica_status(session)
    if not replica:
        return
    stopping = _Stopping(manager)
    stopping.start()
    stopping.join(STOP_PATIENCE_S)
    deadline = time.monotonic() + STATEMENT_S
    while stopping.is_alive() and time.monotonic() < deadline:
        destroy_connections(replica["Master_Host"], int(replica["Master_Port"]))
        stopping.join(DESTROY_ROUND_S)
    if stopping.is_alive():
        raise timeout("Stopping the replication receiver", STATEMENT_S)
    if stopping.failure is not None:
        raise stopping.failure


def drain(manager: Manager, timeout_s: float) -> str:
    """All that was received is applied; the position. Raises LocalFailure `drain-timeout`."""
    deadline = time.monotonic() + timeout_s
    with manager.session("Applying what was received", timeout_s + WAIT_SLACK_S) as session:
        replica = replica_status(session)
        received = merge_histories(replica["Gtid_IO_Pos"]) if replica else ""
        while not _applied(session, received, min(WAIT_ROUND_S, max(0.0, deadline - time.monotonic()))):
            replica = replica_status(session)
            stopped = replica.get("Slave_SQL_Running") != "Yes"
            if stopped or time.monotonic() >= deadline:
                raise _not_drained(session, received, replica, stopped)
        return read_position(session)


def wait_for(manager: Manager, position: str, timeout_s: float) -> bool:
    """Whether `position` was applied in time."""
    wanted = render(parse(position))
    with manager.session("Waiting for a position", timeout_s + WAIT_SLACK_S) as session:
        return _applied(session, wanted, timeout_s)


def end_replication(manager: Manager) -> None:
    """Replication is stopped and forgotten. Idempotent."""
    stop_receiver(manager)
    with manager.session("Ending replication") as session:
        session.run("STOP SLAVE")
        session.run("RESET SLAVE ALL")


def _applied(session: Session, position: str, timeout_s: float) -> bool:
    if not position or reached(read_position(session), position):
        return True
    row = session.row("SELECT MASTER_GTID_WAIT(%s, %s) AS outcome", (position, timeout_s))
    return bool(row["outcome"] == 0)


def _not_drained(session: Session, received: str, replica: dict[str, object], stopped: bool) -> LocalFailure:
    why = f"the applier stopped: {replica.get('Last_SQL_Error') or 'no error given'}" if stopped else "time is over"
    return LocalFailure(
        "drain-timeout",
        "Received Changes Are Not Applied Yet",
        detail=f"Received up to {received}, applied up to {read_position(session)}; {why}.",
        hint="Nothing is lost: the received changes are on this server's disk. See the replication error, then retry.",
    )
