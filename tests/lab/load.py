"""Real load and real content: sysbench from Debian against a host's database, and trees of files of this system."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path
from typing import Any, Self

from tests.lab.client import connected
from tests.lab.control import Lab
from tests.lab.places import LabError

Json = dict[str, Any]
SCHEMA = "sbtest"
TABLES = 2
ROWS = 5000
THREADS = 3
PREPARE_TIMEOUT_S = 180.0
END_TIMEOUT_S = 20.0
COPY_TIMEOUT_S = 300.0
TREES = (Path("/usr/share/doc"), Path(sysconfig.get_paths()["stdlib"]))
"""Tens of thousands of files, links and odd modes that nobody here made up."""


class Sysbench:
    """oltp_read_write in a schema of its own, through the host's forwarded port."""

    def __init__(self, database: Json, *, tables: int = TABLES, table_rows: int = ROWS, threads: int = THREADS) -> None:
        self._database = database
        self._options = [
            "oltp_read_write",
            "--db-driver=mysql",
            f"--mysql-host={database['host']}",
            f"--mysql-port={database['port']}",
            f"--mysql-user={database['user']}",
            f"--mysql-db={SCHEMA}",
            f"--tables={tables}",
            f"--table-size={table_rows}",
            f"--threads={threads}",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """The tables are there and filled."""
        with connected(self._database) as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {SCHEMA}")
        done = subprocess.run(self._command("prepare"), capture_output=True, text=True, timeout=PREPARE_TIMEOUT_S)
        if done.returncode != 0:
            raise LabError(f"sysbench could not prepare its tables: {(done.stdout + done.stderr)[-500:]}")

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command("run", "--time=0", "--mysql-ignore-errors=all"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """No client is left."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(END_TIMEOUT_S)

    def _command(self, act: str, *more: str) -> list[str]:
        """sysbench takes a password on its command line only; this one is the lab's own, drawn for it."""
        return ["sysbench", *self._options, f"--mysql-password={self._database['password']}", *more, act]


def copy_trees(lab: Lab, host: str, trees: tuple[Path, ...] = TREES) -> None:
    """The trees are in the host's mirrored folder, with links, owners and modes as they are."""
    for tree in trees:
        if tree.is_dir():
            command = ("rsync", "--archive", "--hard-links", "--exclude=/site-packages", f"{tree}/")
            lab.check(host, *command, f"/data/files/{tree.name}/", timeout_s=COPY_TIMEOUT_S)
