"""Two real MariaDB servers for tests: temporary folders, TLS, loopback TCP and sockets, the installed configuration.

The servers run as the distribution's database account and end with the test run, also where that is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from string import Template
from typing import Any

import pymysql

from app.adapters.keys import FileKeys
from app.adapters.mariadb import MariaDB
from app.core.errors import LocalFailure
from app.install.configuration import TEMPLATES
from app.ports import REPLICATION_USER, ReplicationSource
from app.settings import Settings
from tests.fakes.database import Write, WriteState
from tests.ports import free_port
from tests.waiting import wait_for

ACCOUNT = "mysql"
HOST = "127.0.0.1"
CLIENT = "client"
CLIENT_PASSWORD = "a client's password"
REPLICATION_PASSWORD = 'o\'ne \\ "quoted" pass%word ü'
START_S = 60.0
LOOK_S = 0.3
CLOSE_S = 5.0
STOP_S = 20.0
PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb-backup", "mbstream", "mariadb-binlog")
SMALL = """
# For tests: small and quick to start.
innodb_log_file_size = 8M
innodb_buffer_pool_size = 64M
innodb_flush_method = fsync
performance_schema = OFF
pid-file = $folder/pid
log_error = $folder/error.log
bind-address = $host
"""


def unavailable() -> str:
    """Why real servers can't run here, or an empty text."""
    if os.geteuid() != 0:
        return "real database servers are started by root"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


class RealClient:
    """A connection of an application, each statement in a thread so that a hanging one can be looked at."""

    def __init__(self, server: RealServer) -> None:
        self._connection = pymysql.connect(
            host=HOST,
            port=server.port,
            user=CLIENT,
            password=CLIENT_PASSWORD,
            autocommit=True,
            ssl_disabled=True,
        )
        self._threads: list[threading.Thread] = []

    @property
    def alive(self) -> bool:
        try:
            self._connection.ping(reconnect=False)
        except (pymysql.MySQLError, OSError):
            return False
        return True

    def write(self, value: int) -> Write:
        """A write that has begun, and has ended if it does so at once."""
        write = Write(value)
        thread = threading.Thread(target=self._write, args=(write,), daemon=True)
        thread.start()
        thread.join(LOOK_S)
        self._threads.append(thread)
        return write

    def _write(self, write: Write) -> None:
        try:
            self.execute("INSERT INTO app.`rows` VALUES (%s)", write.value)
        except pymysql.MySQLError as error:
            lost = error.args[0] in {0, 1927, 2006, 2013}
            write.state = WriteState.LOST if lost else WriteState.REFUSED
        else:
            write.state = WriteState.ACKNOWLEDGED

    def execute(self, statement: str, *arguments: object) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return cursor.fetchall()

    def lock_tables(self) -> None:
        self.execute("LOCK TABLES app.`rows` WRITE")

    def close(self) -> None:
        # Statements that hang end by this, each with an error of its own; to close what a thread still reads from would
        # break the thread in some other way.
        line = self._connection._sock
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(CLOSE_S)
        with suppress(pymysql.MySQLError):
            self._connection.close()


class RealServer:
    """One server: its folder, its process, and the adapter that is tested on it."""

    def __init__(self, node: str, server_id: int, folder: Path) -> None:
        self.node = node
        self.server_id = server_id
        self.folder = folder
        self.data = folder / "data"
        self.socket = folder / "socket"
        self.port = free_port(HOST)
        self.process: subprocess.Popen[bytes] | None = None
        self.remote: ReplicationSource | None = None
        """What the adapter finds stored as its source."""
        self.keys = FileKeys(Settings(state_dir=folder / "state"))
        self.database = MariaDB(
            socket=self.socket,
            data_dir=self.data,
            account=ACCOUNT,
            node=node,
            source=lambda: self.remote,
        )
        self._clients: list[RealClient] = []

    # the test's hands on it

    def configure(self) -> None:
        self.keys.make_certificate(HOST, self.node)
        values = {
            "database_dir": self.data,
            "database_socket": self.socket,
            "database_port": self.port,
            "server_id": self.server_id,
            "state_dir": self.folder / "state",
            "folder": self.folder,
            "account": ACCOUNT,
            "host": HOST,
        }
        installed = (TEMPLATES / "mariadb.cnf").read_text()
        (self.folder / "my.cnf").write_text(Template(installed + SMALL).substitute(values))

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups", "--pdeathsig=KILL",
             "mariadbd", f"--defaults-file={self.folder / 'my.cnf'}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        wait_for(self._answers, START_S, f"{self.node}'s database to start ({self.folder / 'error.log'})")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "error.log").read_text()[-2000:]
        try:
            self.database.facts()
        except LocalFailure:
            return False
        return True

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, signal_number: int) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal_number)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_S)
        self.process = None

    def pause(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def execute(self, statement: str, *arguments: object) -> Any:
        """By root, without a trace in the binary log."""
        connection = pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True, ssl_disabled=True)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION sql_log_bin = 0")
                cursor.execute(statement, arguments or None)
                return cursor.fetchall()
        finally:
            connection.close()

    def quiet(self) -> None:
        """Running, without clients and without a source."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.remote = None
        self.database.set_semi_sync(False)
        for client in self._clients:
            client.close()
        self._clients.clear()
        self.database.end_replication()

    def reset(self) -> None:
        """As if it had just been installed, once both are quiet: no history, no rows, read-only."""
        for (served,) in self._served():
            with suppress(pymysql.OperationalError):
                self.execute("KILL %s", served)
        wait_for(lambda: not self._served(), 5.0, "replicas to be let go")
        for statement in (
            "SET GLOBAL rpl_semi_sync_slave_enabled = 0",
            "DROP DATABASE IF EXISTS app",
            "DROP DATABASE IF EXISTS hapair",
            f"DROP USER IF EXISTS {REPLICATION_USER}@'%', hapair@localhost, {CLIENT}@'%'",
            "RESET MASTER",
            "SET GLOBAL gtid_slave_pos = ''",
            "SET GLOBAL read_only = 1",
        ):
            self.execute(statement)

    def _served(self) -> Any:
        """Connections of replicas: a server notices that one has gone only when it next has something to send."""
        return self.execute("SELECT id FROM information_schema.processlist WHERE command = 'Binlog Dump'")

    # what the contract tests ask of either kind of server

    def prepare(self, *, password: bool = True) -> None:
        """Schema, accounts and the application's table, as the transactions of a primary."""
        self.database.ensure_accounts(REPLICATION_PASSWORD if password else None)
        connection = pymysql.connect(unix_socket=str(self.socket), user="root", autocommit=True, ssl_disabled=True)
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE app")
            cursor.execute("CREATE TABLE app.`rows` (value INT PRIMARY KEY)")
            cursor.execute(f"CREATE USER {CLIENT}@'%%' IDENTIFIED BY %s", (CLIENT_PASSWORD,))
            cursor.execute(
                "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, LOCK TABLES ON *.* TO %s@'%%'", (CLIENT,)
            )

    def source_for(self, replica: RealServer, *, pinned: bool = True) -> ReplicationSource:
        """How `replica` reaches this server; with `pinned` it knows this server's certificate."""
        authority = replica.folder / "state" / "tls" / "peer.pem"
        certificate = (self if pinned else replica).folder / "state" / "tls" / "certificate.pem"
        authority.write_bytes(certificate.read_bytes())
        return ReplicationSource(HOST, self.port, REPLICATION_USER, REPLICATION_PASSWORD, str(authority))

    def remember_source(self, source: ReplicationSource) -> None:
        self.remote = source

    def open_client(self) -> RealClient:
        client = RealClient(self)
        self._clients.append(client)
        return client

    def rows(self) -> set[int]:
        return {value for (value,) in self.execute("SELECT value FROM app.`rows`")}

    def change_structure(self) -> None:
        client = self.open_client()
        client.execute("ALTER TABLE app.`rows` ADD COLUMN more INT")
        client.close()

    def break_applier(self) -> None:
        """The next change that arrives can't be applied."""
        self.execute("DROP TABLE app.`rows`")

    def clean_up(self) -> None:
        """Staged and moved-aside folders are gone; the data folder is whatever it became."""
        for path in self.folder.iterdir():
            if path.name.startswith(("staging", "aside", "rescue")):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def folder_named(self, name: str) -> str:
        return str(self.folder / name)


RealPair = tuple[RealServer, RealServer]


@contextmanager
def two_servers() -> Iterator[RealPair]:
    """Two installed, configured and running servers; nothing of them is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hapair-database-"))
    folder.chmod(0o755)
    servers: list[RealServer] = []
    try:
        template = folder / "template"
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={template}", f"--user={ACCOUNT}",
             "--auth-root-authentication-method=socket", "--skip-test-db", "--force", "--skip-name-resolve",
             "--innodb-log-file-size=8M"],
            check=True,
            capture_output=True,
        )  # fmt: skip
        for number, node in enumerate(("alpha", "beta"), start=1):
            home = folder / node
            home.mkdir(mode=0o755)
            shutil.chown(home, ACCOUNT, ACCOUNT)
            server = RealServer(node, number, home)
            subprocess.run(["cp", "-a", str(template), str(server.data)], check=True)
            server.configure()
            servers.append(server)
        for server in servers:
            server.start()
        yield servers[0], servers[1]
    finally:
        for server in servers:
            server.kill()
        shutil.rmtree(folder)
