"""Semi-synchronous replication on the primary's side: a commit is acknowledged when the standby has it.

AFTER_SYNC: the transaction is in the binary log here and in the standby's relay log before anyone sees it. There is
no fallback by time inside the server: whether the standby is out of the pair is the monitor's to decide and record.
"""

from __future__ import annotations

from app.adapters.mariadb.connection import Manager

ENDLESS_MS = 4_294_967_295_000
"""136 years, as much as some drivers' and the server's arithmetic take."""


def set_semi_sync(manager: Manager, enabled: bool) -> None:
    """On: each commit waits for one replica, without end. Off: waiting commits go on and are acknowledged."""
    with manager.session("Changing how commits wait for the standby") as session:
        if enabled:
            session.run("SET GLOBAL rpl_semi_sync_master_timeout = %s", (ENDLESS_MS,))
            session.run("SET GLOBAL rpl_semi_sync_master_wait_no_slave = 1")
            session.run("SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC")
        session.run("SET GLOBAL rpl_semi_sync_master_enabled = %s", (int(enabled),))
