"""What was read from the node store, kept as long as nobody has changed the store.

The monitor asks the same few questions many times a minute, and the answers seldom change. SQLite's `data_version`
(https://www.sqlite.org/pragma.html#pragma_data_version) tells on one connection whether any other has committed
since, in this process or in another, for about a hundredth of what a query through SQLAlchemy costs.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import TypeVar, cast

Answer = TypeVar("Answer")


class Unchanged:
    """Answers by name. `open_connection` gives a connection that is used for nothing else."""

    def __init__(self, open_connection: Callable[[], sqlite3.Connection]) -> None:
        self._open = open_connection
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._answers: dict[str, tuple[int, object]] = {}

    def ask(self, name: str, load: Callable[[], Answer]) -> Answer:
        """What `load` returns, or returned since the last change. Whoever gets it must not change it.

        Raises sqlite3.Error where the store can't be read, and whatever `load` raises.
        """
        with self._lock:
            version = self._version()
            known = self._answers.get(name)
        if known is not None and known[0] == version:
            return cast("Answer", known[1])
        # The version was read first: a change meanwhile makes the answer be loaded once more, never kept too long.
        answer = load()
        with self._lock:
            self._answers[name] = (version, answer)
        return answer

    def close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            self._answers.clear()
        if connection is not None:
            connection.close()

    def _version(self) -> int:
        if self._connection is None:
            self._connection = self._open()
            self._answers.clear()
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
