"""Room for the node store's own writes, so that it still works when its disk is full.

A server whose disk is full must still be able to record a fence or that it gives its role up. SQLite overwrites in
place what its files have allocated: pages on the free list of the database file, and the write-ahead log up to the
length that it once had. So a big row is written once and taken away again; what it needed stays with the files.
"""

from __future__ import annotations

from app.adapters.store.connections import Connections

ROOM_BYTES = 6 * 1024 * 1024
"""More than the 1000 pages after which SQLite writes its log back and begins it anew."""

_FILL = """INSERT INTO notes (key, value) VALUES ('room', '"' || hex(zeroblob(?)) || '"')"""
_CLEAR = "DELETE FROM notes WHERE key = 'room'"


class RoomTables:
    _connections: Connections

    def keep_room(self) -> None:
        with self._connections.writing() as connection:
            connection.exec_driver_sql(_CLEAR)
            connection.exec_driver_sql(_FILL, (ROOM_BYTES // 2,))
        with self._connections.writing() as connection:
            connection.exec_driver_sql(_CLEAR)
        with self._connections.reading() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(RESTART)")
