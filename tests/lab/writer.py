"""An application that knows what it was promised: it remembers every row whose commit was acknowledged, and when."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import pymysql

from tests.lab.client import connected, rows
from tests.waiting import wait_for

Json = dict[str, Any]
SCHEMA = "lab_writer"
INSERT = "INSERT INTO lab_writer.acknowledged VALUES (%s, %s)"
TABLE_IS_THERE = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = 'acknowledged'"
SELECT = "SELECT number FROM lab_writer.acknowledged"
RETRY_S = 0.005
"""Pause between tries while nobody takes a write."""
CONNECT_TIMEOUT_S = 1.0
JOIN_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Acknowledged:
    """One row whose commit the server confirmed."""

    number: int
    at_s: float
    """Monotonic clock, when the confirmation came."""


class Writer:
    """Writes one row after another to whichever of the databases takes it, like an application behind a proxy.

    `rate` is in rows per second, as long as the server keeps up with it: what one slow commit has cost, the next rows
    make up for. 0 is as fast as it goes. A row whose outcome is unknown is never repeated and never counted: the next
    try has the next number.
    """

    def __init__(
        self,
        databases: Sequence[Json],
        *,
        rate: float = 0.0,
        timeout_s: float = 3.0,
        first: int | None = None,
        retry_s: float = RETRY_S,
    ) -> None:
        self._databases = list(databases)
        self._pause_s = 1.0 / rate if rate else 0.0
        self._timeout_s = timeout_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
        self._retry_s = retry_s
        # Several writers may follow one another on the same pair: each begins beyond the one before.
        self._number = time.time_ns() // 1000 if first is None else first
        self.acknowledged: list[Acknowledged] = []
        self.last_error = ""

    def __enter__(self) -> Self:
        self.start()
        self.wait_for_progress()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Rows are written from now on, wherever one is taken."""
        self._thread.start()

    def stop(self) -> None:
        """Nothing more is written."""
        self._stop.set()
        self._thread.join(JOIN_TIMEOUT_S)
        assert not self._thread.is_alive(), "the writer does not stop"

    def wait_for_progress(self, count: int = 20, timeout_s: float = 60.0) -> None:
        """At least `count` more rows were acknowledged."""
        wanted = len(self.acknowledged) + count
        try:
            wait_for(lambda: len(self.acknowledged) >= wanted, timeout_s, f"{count} more acknowledged rows")
        except AssertionError as error:
            raise AssertionError(f"{error}; the writer's last error: {self.last_error}") from error

    def longest_pause_s(self) -> float:
        """The longest time between two acknowledgements."""
        times = [each.at_s for each in self.acknowledged]
        return max((after - before for before, after in itertools.pairwise(times)), default=0.0)

    def missing_in(self, database: Json) -> list[int]:
        """The acknowledged rows that this database does not hold. Nothing is acknowledged that is listed here."""
        held = {number for (number,) in rows(database, SELECT)}
        return [each.number for each in self.acknowledged if each.number not in held]

    def _write(self) -> None:
        turn = 0
        while not self._stop.is_set():
            try:
                self._write_to(self._databases[turn % len(self._databases)])
            except (pymysql.Error, OSError) as error:
                self.last_error = f"{type(error).__name__}: {error}"
                turn += 1
                self._stop.wait(self._retry_s)

    def _write_to(self, database: Json) -> None:
        """Rows go to this database until it fails or the writer is stopped."""
        with contextlib.ExitStack() as stack:
            cursor = stack.enter_context(connected(database, CONNECT_TIMEOUT_S))
            cursor.execute("SELECT @@read_only")
            if cursor.fetchone()[0]:
                raise pymysql.OperationalError(1290, "read-only")
            cursor.connection._read_timeout = self._timeout_s
            _ensure_table(cursor)
            due = time.monotonic()
            while not self._stop.is_set():
                due += self._pause_s
                self._number += 1
                cursor.execute(INSERT, (self._number, time.time()))
                self.acknowledged.append(Acknowledged(self._number, time.monotonic()))
                self._stop.wait(max(0.0, due - time.monotonic()))


def _ensure_table(cursor: Any) -> None:
    """The table is there. Where it was before, nothing is written: a statement that defines a table stands in the
    binary log even if it changes nothing, and with it a history can't be rewound."""
    cursor.execute(TABLE_IS_THERE, (SCHEMA,))
    if cursor.fetchone() is None:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {SCHEMA}")
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {SCHEMA}.acknowledged (number BIGINT PRIMARY KEY, written DOUBLE NOT NULL)"
        )
