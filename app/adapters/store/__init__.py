"""The node store in SQLite (see app.migrate for how it comes to be). The table rooms are one file each."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from app.adapters.store.alerttests import AlertTestTables
from app.adapters.store.connections import Connections
from app.adapters.store.events import EventTables
from app.adapters.store.history import HistoryTables
from app.adapters.store.identity import IdentityTables
from app.adapters.store.jobs import JobTables
from app.adapters.store.journal import JournalTables
from app.adapters.store.room import RoomTables
from app.ports import Clock


class SqliteNodeStore(
    IdentityTables, JobTables, EventTables, AlertTestTables, JournalTables, HistoryTables, RoomTables
):
    """app.ports.NodeStore; may be used from any number of threads and processes at once."""

    def __init__(self, path: Path, clock: Clock, node_name: Callable[[], str] = socket.gethostname) -> None:
        self._connections = Connections(path)
        self._clock = clock
        self._node_name = node_name

    def close(self) -> None:
        self._connections.close()
