"""Connections to the node store: short exclusive writes, reads that never wait for them.

WAL lets readers go on while one writes. `synchronous=FULL` makes each commit durable before it returns.
Writes begin with BEGIN IMMEDIATE, so that what a transaction has read can't change before it writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.adapters.store.unchanged import Unchanged
from app.core.errors import LocalFailure

Answer = TypeVar("Answer")
BUSY_TIMEOUT_S = 10.0
POOL_SIZE = 4
POOL_OVERFLOW = 60
"""More threads than this at once wait for a connection, at most BUSY_TIMEOUT_S."""


class Connections:
    """Opens nothing before it is used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        address = f"file:{path}"
        self._engine = create_engine(
            URL.create("sqlite", database=address, query={"mode": "rw", "uri": "true"}),
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_timeout=BUSY_TIMEOUT_S,
            connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        )
        event.listen(self._engine, "connect", _prepare)
        self._unchanged = Unchanged(
            lambda: sqlite3.connect(f"{address}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
        )

    def unchanged(self, name: str, load: Callable[[], Answer]) -> Answer:
        """What `load` returns; from memory while nobody has changed the store since `load` was last called by this
        name. Whoever gets it must not change it."""
        with self._translated():
            return self._unchanged.ask(name, load)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for one SELECT; each further one may see a newer state."""
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def reading_together(self) -> Iterator[Connection]:
        """A connection on which all SELECTs see the same state."""
        with self._translated(), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """An exclusive transaction; durable when the block ends, undone when it raises."""
        with self._translated(), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def close(self) -> None:
        self._unchanged.close()
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._failure(error) from error

    def _failure(self, error: SQLAlchemyError | sqlite3.Error) -> LocalFailure:
        reason = str(getattr(error, "orig", None) or error)
        if isinstance(error, OperationalError | sqlite3.OperationalError) and "locked" in reason:
            return LocalFailure(
                "store-busy",
                "The Node Store Is Busy",
                detail=f"Another process has held the node store for more than {BUSY_TIMEOUT_S:g} s.",
                hint="Try again.",
            )
        return LocalFailure(
            "store-failed",
            "The Node Store Failed",
            detail=f"The node store {self._path} could not be used: {reason}.",
            hint="Check that its disk is there, has room and may be written to.",
        )


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
