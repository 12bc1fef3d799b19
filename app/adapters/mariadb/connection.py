"""Connections that can't outlive their time, and whose errors are ours.

The manager is root over the local socket: the server knows it by the operating system's word (unix_socket), so
there is no password. A hung server answers nothing, a frozen one still accepts connections, and a driver's own
time-outs count each packet anew. So each session has one deadline: when it comes, the socket is shut down under
the driver, whatever it waits for.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from app.adapters.mariadb.dialect import TOO_MANY_CONNECTIONS, failure, timeout
from app.core.errors import LocalFailure
from app.ports import ReplicationSource

MANAGER_ACCOUNT = "root"
STATEMENT_S = 10.0
"""Bound of a session of short statements where the caller names none."""
FULL_HOUSE_S = 0.02
"""Between two tries while clients have taken all connections."""
CREDENTIALS = struct.Struct("3i")
"""Process, user and group of a local socket's other end: struct ucred of unix(7)."""
NO_CONNECTION = 2002
LOST_CONNECTION = 2013

Arguments = Sequence[object] | Mapping[str, object] | None


class Session:
    """One open connection, in autocommit."""

    def __init__(self, connection: pymysql.Connection[DictCursor], server_process_id: int) -> None:
        self._connection = connection
        self.id = int(connection.thread_id())  # type: ignore[no-untyped-call]
        """The server's number of this connection."""
        self.server_process_id = server_process_id
        """The process that listens at the other end of a local socket; 0 for one that is not on this host."""

    def run(self, statement: str, arguments: Arguments = None) -> int:
        """The statement is carried out; how many rows it changed."""
        with self._connection.cursor() as cursor:
            return cursor.execute(statement, arguments)

    def rows(self, statement: str, arguments: Arguments = None) -> list[dict[str, Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return list(cursor.fetchall())

    def row(self, statement: str, arguments: Arguments = None) -> dict[str, Any]:
        """The first row, or nothing by name."""
        rows = self.rows(statement, arguments)
        return rows[0] if rows else {}


class Manager:
    """Opens sessions of the manager on the local socket."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def session(self, doing: str, timeout_s: float = STATEMENT_S) -> Iterator[Session]:
        """A session for what `doing` says; it ends, come what may, when the time is over.

        Where clients have taken all connections it waits for one: the server keeps one more for its manager, but
        clients that try again and again take that for moments too.
        Raises LocalFailure: `database-down`, `database-refused` or `database-timeout`.
        """
        deadline = time.monotonic() + timeout_s
        with _translated(doing, timeout_s) as expired, ExitStack() as opened:
            while True:
                try:
                    session = self._open(opened, deadline - time.monotonic(), expired)
                    break
                except pymysql.OperationalError as error:
                    if error.args[0] not in TOO_MANY_CONNECTIONS or time.monotonic() + FULL_HOUSE_S >= deadline:
                        raise
                    time.sleep(FULL_HOUSE_S)
            yield session

    def _open(self, opened: ExitStack, timeout_s: float, expired: threading.Event) -> Session:
        with ExitStack() as attempt:
            connection = _local_socket(self.path, timeout_s)
            attempt.enter_context(_bounded(connection, timeout_s, expired))
            session = attempt.enter_context(_session(connection, timeout_s, user=MANAGER_ACCOUNT, ssl_disabled=True))
            opened.push(attempt.pop_all())
        return session


@contextmanager
def remote_session(source: ReplicationSource, timeout_s: float) -> Iterator[Session]:
    """A session on another server with the replication account, over TLS verified by its pinned certificate."""
    doing = f"Asking the database at {source.host}"
    with _translated(doing, timeout_s) as expired:
        context = ssl.create_default_context(cafile=source.authority)
        connection = socket.create_connection((source.host, source.port), timeout=timeout_s)
        with _bounded(connection, timeout_s, expired):
            account = {"user": source.user, "password": source.password.encode()}
            with _session(connection, timeout_s, host=source.host, ssl=context, **account) as session:
                yield session


@contextmanager
def _session(connection: socket.socket, timeout_s: float, **how: Any) -> Iterator[Session]:
    spoken: pymysql.Connection[DictCursor] = pymysql.connect(
        autocommit=True,
        charset="utf8mb4",
        cursorclass=DictCursor,
        read_timeout=timeout_s,
        write_timeout=timeout_s,
        defer_connect=True,
        **how,
    )
    try:
        spoken.connect(connection)
        yield Session(spoken, _process_id(connection))
    finally:
        if spoken.open:
            spoken.close()


def _process_id(connection: socket.socket) -> int:
    """As the kernel names it (SO_PEERCRED)."""
    if connection.family is not socket.AF_UNIX:
        return 0
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(credentials)[0])


def _local_socket(path: Path, timeout_s: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


@contextmanager
def _bounded(connection: socket.socket, timeout_s: float, expired: threading.Event) -> Iterator[None]:
    """The connection is shut down when the time is over; it is closed at the end.

    A second descriptor is kept for that, because TLS takes the first one over.
    """
    handle = connection.dup()

    def end() -> None:
        expired.set()
        try:
            handle.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has been closed by the other side in the same moment
            return

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()
        connection.close()


@contextmanager
def _translated(doing: str, timeout_s: float) -> Iterator[threading.Event]:
    expired = threading.Event()
    started = time.monotonic()
    try:
        yield expired
    except LocalFailure:
        raise
    except TimeoutError as error:
        raise timeout(doing, timeout_s) from error
    except (pymysql.MySQLError, OSError) as error:
        if expired.is_set() or time.monotonic() - started >= timeout_s:
            raise timeout(doing, timeout_s) from error
        number, message = _number_and_message(error)
        raise failure(number, message, doing) from error


def _number_and_message(error: Exception) -> tuple[int, str]:
    if isinstance(error, pymysql.MySQLError) and len(error.args) > 1 and isinstance(error.args[0], int):
        return error.args[0], str(error.args[1])
    if isinstance(error, OSError):
        return NO_CONNECTION, error.strerror or str(error)
    return LOST_CONNECTION, str(error)
