"""Activity logs of millions of entries: the common log in a private MariaDB, a node's journal in SQLite.

Entries are made inside the databases, with the indexes taken away meanwhile; so 10 million take minutes, not hours.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pymysql
from sqlalchemy.engine import URL

from app.adapters.activity import SqlCommonLog
from app.adapters.clock import SystemClock
from app.adapters.store import SqliteNodeStore
from app.migrate import migrate_appliance, migrate_node_store
from tests.contract.mariadb_servers import two_servers

START = datetime(2021, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=15)
"""Between two entries: 10 million are nearly five years."""
CHUNK = 500_000
BUILD_POOL_BYTES = 1024**3
DEFAULT_POOL_BYTES = 128 * 1024**2
"""MariaDB's default, with which the pages are measured: most of the log is not in memory."""
RARE_ACTOR = "someone rare"
"""Has one entry in 100,000."""
RARE_WORD = "needle"
"""Stands in one detail in a million."""

# Of the number n of an entry; both databases know these functions but for joining texts and hexadecimal digits.
ACTOR = (
    "CASE WHEN n % 100000 = 7 THEN 'someone rare' WHEN n % 10 < 3 THEN 'hapair'"
    " WHEN n % 10 < 5 THEN 'token:ansible' ELSE {join('person-', 'n % 40')} END"
)
ACTION = (
    "CASE WHEN n % 100003 = 0 THEN 'swap' WHEN n % 7 = 0 THEN 'login' WHEN n % 7 = 1 THEN 'draft-saved'"
    " WHEN n % 7 = 2 THEN 'apply' ELSE {join('act-', 'n % 25')} END"
)
OUTCOME = "CASE WHEN n % 1009 = 0 THEN 'failed' WHEN n % 13 = 0 THEN 'refused' ELSE 'done' END"
SUBJECT = "CASE WHEN n % 7 = 1 THEN 'HAPingIterations' WHEN n % 20 = 0 THEN {join('user-', 'n % 5000')} ELSE '' END"
HOSTNAME = "CASE WHEN n % 2 = 0 THEN 'alpha' ELSE 'beta' END"
DETAIL = (
    '{join(\'{"changes": [{"field": "HAPingIterations", "from": \', \'n % 30\', \', "to": \', \'n % 17\','
    " '}], \"job\": \"20260102T030405-', 'n', '\", \"word\": \"', \"CASE WHEN n % 1000000 = 499999 THEN 'needle'"
    " WHEN n % 3 = 0 THEN 'often' ELSE 'plain' END\", '\"}')}"
)


def _expression(template: str, *, concat: bool) -> str:
    """The template with its {join(…)} written as the database joins texts."""

    def join(*parts: str) -> str:
        texts = [part if _is_expression(part) else f"'{part}'" for part in parts]
        return f"CONCAT({', '.join(texts)})" if concat else "(" + " || ".join(f"({text})" for text in texts) + ")"

    return re.sub(r"\{(join\(.*\))\}", lambda found: str(eval(found[1], {"join": join})), template, flags=re.DOTALL)  # noqa: S307 - our own text


def _is_expression(part: str) -> bool:
    return part == "n" or part.startswith(("n %", "CASE"))


@contextmanager
def common_log(count: int) -> Iterator[tuple[SqlCommonLog, int]]:
    """The common log with so many entries, on a server of its own with MariaDB's default memory; its process's id."""
    with two_servers() as (server, other):
        other.kill()
        server.database.ensure_accounts()
        url = URL.create(
            "mysql+pymysql", "root", None, "localhost", database="hapair", query={"unix_socket": str(server.socket)}
        )
        migrate_appliance(url)
        connection = pymysql.connect(unix_socket=str(server.socket), user="root", database="hapair", autocommit=True)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_log_bin = 0")
            cursor.execute(f"SET GLOBAL innodb_buffer_pool_size = {BUILD_POOL_BYTES}")
            cursor.execute("SHOW CREATE TABLE activity")
            shape = (cursor.fetchone() or ("", ""))[1]
            keys = re.findall(r"^\s*((?:UNIQUE )?KEY .*?),?$", shape, flags=re.MULTILINE)
            cursor.execute("ALTER TABLE activity " + ", ".join(f"DROP {_key_name(key)}" for key in keys))
            for first in range(1, count + 1, CHUNK):
                cursor.execute(_mariadb_insert(first, min(first + CHUNK - 1, count)))
            for key in keys:
                cursor.execute(f"ALTER TABLE activity ADD {key}")
            cursor.execute("ANALYZE TABLE activity")
            cursor.execute(f"SET GLOBAL innodb_buffer_pool_size = {DEFAULT_POOL_BYTES}")
        assert server.process is not None
        yield SqlCommonLog(url.render_as_string(hide_password=False)), server.process.pid


def _key_name(definition: str) -> str:
    found = re.match(r"(?:UNIQUE )?KEY (`\w+`)", definition)
    if found is None:
        raise ValueError(definition)
    return f"KEY {found[1]}"


def _mariadb_insert(first: int, last: int) -> str:
    columns = "id, node, node_entry, hostname, at, actor, address, action, outcome, subject, chain, detail"
    values = ", ".join(_expression(each, concat=True) for each in (ACTOR, "'192.0.2.7'", ACTION, OUTCOME, SUBJECT))
    at = f"TIMESTAMPADD(SECOND, n * {STEP.seconds}, '{START:%Y-%m-%d}')"
    return (
        f"INSERT INTO activity ({columns}) SELECT n, CONCAT('id-', n % 2), n DIV 2 + 1, {HOSTNAME}, {at}, {values},"  # noqa: S608
        f" SHA2(n, 256), {_expression(DETAIL, concat=True)} FROM (SELECT seq AS n FROM seq_{first}_to_{last}) numbers"
    )


def node_journal(count: int, folder: Path) -> SqliteNodeStore:
    """A node's journal with so many entries."""
    path = folder / "node.db"
    migrate_node_store(path)
    at = f"strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', {int(START.timestamp())} + n * {STEP.seconds}, 'unixepoch')"
    values = ", ".join(
        _expression(each, concat=False) for each in (HOSTNAME, ACTOR, "'192.0.2.7'", ACTION, OUTCOME, SUBJECT, DETAIL)
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'activity' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"  # noqa: S608
            " INSERT INTO activity (id, at, node, actor, address, action, outcome, subject, detail, chain)"
            f" SELECT n, {at}, {values}, printf('%064x', n) FROM numbers"
        )
        for _, statement in indexes:
            connection.execute(statement)
        connection.commit()
    return SqliteNodeStore(path, SystemClock())
