"""Semi-synchronous replication on the primary's side: a commit is acknowledged when the standby has it.

AFTER_SYNC: the transaction is in the binary log here and in the standby's relay log before anyone sees it. There is
no fallback by time inside the server: whether the standby is out of the pair is the monitor's to decide and record.
"""

from __future__ import annotations

from app.adapters.mariadb.connection import Manager
from app.core.positions import merge

ENDLESS_MS = 4_294_967_295_000
"""136 years, as much as some drivers' and the server's arithmetic take."""
ASKING_S = 2.0
"""To find the GTID of a place in a binary log, the server reads that log from its beginning."""


def set_semi_sync(manager: Manager, enabled: bool) -> None:
    """On: each commit waits for one replica, without end. Off: waiting commits go on and are acknowledged."""
    with manager.session("Changing how commits wait for the standby") as session:
        if enabled:
            session.run("SET GLOBAL rpl_semi_sync_master_timeout = %s", (ENDLESS_MS,))
            session.run("SET GLOBAL rpl_semi_sync_master_wait_no_slave = 1")
            session.run("SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC")
        session.run("SET GLOBAL rpl_semi_sync_master_enabled = %s", (int(enabled),))


def acknowledged_position(manager: Manager) -> str:
    """The last transaction that was committed, as a position.

    Its place in the binary log is Binlog_snapshot_file and Binlog_snapshot_position, which the server moves on after
    the wait for the acknowledgement (with AFTER_SYNC) and before the next commits may wait. gtid_binlog_pos is beyond
    it: that counts what is written and waits.
    """
    with manager.session("Seeing what the standby has acknowledged", ASKING_S) as session:
        place = {
            row["Variable_name"].lower(): row["Value"]
            for row in session.rows("SHOW GLOBAL STATUS LIKE 'Binlog_snapshot_%'")
        }
        found = session.row(
            "SELECT BINLOG_GTID_POS(%s, %s) AS position",
            (place["binlog_snapshot_file"], int(place["binlog_snapshot_position"])),
        )
    return merge(found["position"] or "")
