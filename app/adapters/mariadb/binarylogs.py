"""What the binary logs hold beyond a position, read by mariadb-binlog."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.adapters.mariadb.connection import Manager, Session
from app.adapters.mariadb.facts import read_history, read_position
from app.core.positions import Gap, difference, reached

UNDOABLE_FLAGS = frozenset({"trans", "waited"})
"""What mariadb-binlog may say of a transaction that flashback can undo."""

_GTID = re.compile(rb"^#\d{6}.*\tGTID (\d+-\d+-\d+)([^\n]*)$")
_QUERY = re.compile(rb"^#\d{6}.*\tQuery\t")
_AT = re.compile(rb"^# at \d+$")
_ROW = re.compile(rb"^### (INSERT INTO|UPDATE|DELETE FROM) `((?:[^`]|``)+)`\.`((?:[^`]|``)+)`$")

Table = tuple[str, str]


@dataclass
class Contents:
    """What a text of mariadb-binlog tells."""

    transactions: int = 0
    rows: Counter[Table] = field(default_factory=Counter)
    changed: set[Table] = field(default_factory=set)
    """Tables of which rows were changed or deleted, not only inserted."""
    obstacle: str = ""
    """The first thing that flashback would not undo, in a sentence."""


def read_contents(lines: Iterable[bytes]) -> Contents:
    """What the text that `mariadb-binlog -vv --base64-output=decode-rows` wrote tells."""
    contents = Contents()
    in_statement = False
    for line in (raw.rstrip(b"\n") for raw in lines):
        if _AT.match(line):
            in_statement = False
        elif in_statement:
            continue
        elif match := _GTID.match(line):
            contents.transactions += 1
            _note_flags(contents, match[1].decode(), match[2].decode())
        elif _QUERY.match(line):
            in_statement = True
            contents.obstacle = contents.obstacle or "A change is recorded as a statement, not as rows."
        elif match := _ROW.match(line):
            table = _name(match[2]), _name(match[3])
            contents.rows[table] += 1
            if match[1] != b"INSERT INTO":
                contents.changed.add(table)
    return contents


def _note_flags(contents: Contents, gtid: str, flags: str) -> None:
    words = {word for word in flags.split() if not word.startswith("cid=")}
    if "ddl" in words:
        contents.obstacle = contents.obstacle or f"Transaction {gtid} changes the structure of the database."
    elif "trans" not in words or words - UNDOABLE_FLAGS:
        contents.obstacle = contents.obstacle or f"Transaction {gtid} can't be rolled back ({flags.strip() or 'none'})."


def _name(quoted: bytes) -> str:
    return quoted.decode(errors="replace").replace("``", "`")


@dataclass(frozen=True)
class Excess:
    """What this server holds beyond a base, and the binary logs in which it is."""

    history: str
    position: str
    gaps: tuple[Gap, ...]
    logs: tuple[Path, ...]


def find_excess(manager: Manager, data_dir: Path, base: str) -> Excess:
    """From the server itself: cheap where there is nothing beyond the base."""
    with manager.session("Reading the binary logs") as session:
        history, position = read_history(session), read_position(session)
        gaps = difference(history, base)
        names = _logs_beyond(session, base) if gaps else []
    return Excess(history, position, gaps, tuple(data_dir / name for name in names))


def _logs_beyond(session: Session, base: str) -> list[str]:
    """The binary logs from the one in which the base is; all where it was in one that has been purged."""
    names = [row["Log_name"] for row in session.rows("SHOW BINARY LOGS")]
    for index in range(len(names) - 1, -1, -1):
        if reached(base, _begins_at(session, names[index])):
            return names[index:]
    return names


def _begins_at(session: Session, name: str) -> str:
    """The position before the first transaction of a binary log."""
    for row in session.rows("SHOW BINLOG EVENTS IN %s LIMIT 3", (name,)):
        if row["Event_type"] == "Gtid_list":
            return str(row["Info"]).strip("[]")
    return ""


def cascading_tables(session: Session, tables: Iterable[Table]) -> list[Table]:
    """Those of the tables whose changes the server carries on to other tables by foreign keys, outside the log."""
    parents = {
        (row["in_schema"], row["parent"])
        for row in session.rows(
            "SELECT unique_constraint_schema AS in_schema, referenced_table_name AS parent"
            " FROM information_schema.referential_constraints"
            " WHERE delete_rule IN ('CASCADE', 'SET NULL') OR update_rule IN ('CASCADE', 'SET NULL')"
        )
    }
    return sorted(parents.intersection(tables))


def reading_command(base: str, logs: Sequence[Path], *options: str) -> list[str]:
    """mariadb-binlog on everything after the base."""
    start = [f"--start-position={base}"] if base else []
    return ["mariadb-binlog", "--no-defaults", *options, *start, *map(str, logs)]
