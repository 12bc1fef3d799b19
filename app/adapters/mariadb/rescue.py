"""What a former primary alone has is kept before anything else: as SQL for people, and as raw binary logs.

The folder is filled under another name and renamed when it is whole and on disk. From then on it is never touched
again: a repeat gives the first report, for after a rewind there is nothing left in the server to rescue.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from app.adapters.durable import sync_folder, write_file
from app.adapters.mariadb.binarylogs import (
    Contents,
    Excess,
    cascading_tables,
    find_excess,
    read_contents,
    reading_command,
)
from app.adapters.mariadb.connection import Manager
from app.adapters.mariadb.programs import run
from app.core.errors import LocalFailure
from app.core.positions import contains
from app.ports import RescueReport

SQL = "transactions.sql"
REPORT = "report.json"
READ_S = 3600.0
SYNC_S = 600.0
_FAILED = (
    "rescue-failed",
    "This Server's Own Transactions Could Not Be Saved",
    "Nothing was discarded. See that there is space for a copy of the binary logs, then try again.",
)


def rescue(manager: Manager, data_dir: Path, base: str, folder: Path, arrived: int = 0) -> RescueReport:
    """Each transaction beyond `base` is in `folder`, durably."""
    if (folder / REPORT).exists():
        return _stored(folder)
    excess = find_excess(manager, data_dir, base)
    partial = folder.with_name(f"{folder.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    try:
        partial.mkdir(parents=True, mode=0o700)
        files = _copied(excess, partial)
        contents = _written(base, excess, partial)
        report = RescueReport(
            folder=str(folder),
            transactions=contents.transactions,
            rows_by_table={".".join(table): count for table, count in sorted(contents.rows.items())},
            spans=tuple(str(gap) for gap in excess.gaps),
            rewindable=not (obstacle := find_obstacle(manager, base, excess, contents)),
            obstacle=obstacle,
            files=(SQL, *files) if excess.gaps else (),
            arrived=arrived,
        )
        write_file(partial / REPORT, json.dumps({"base": base, **asdict(report)}, indent=1).encode(), 0o600)
        run(["sync", "--file-system", str(partial)], failed=_FAILED, timeout_s=SYNC_S)
        partial.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        code, title, hint = _FAILED
        raise LocalFailure(code, title, detail=str(error), hint=hint) from error
    return report


def find_obstacle(manager: Manager, base: str, excess: Excess, contents: Contents) -> str:
    """Why flashback would not lead exactly to the base, in a sentence; empty where it would."""
    if not contains(excess.history, base):
        return f"This server does not know the position {base}: it may lack transactions as well."
    if contents.obstacle:
        return contents.obstacle
    with manager.session("Looking for foreign keys") as session:
        image = session.row("SELECT @@global.binlog_row_image AS image")["image"]
        cascading = cascading_tables(session, contents.changed)
    if image != "FULL":
        return "The binary log holds only parts of the old rows (binlog_row_image)."
    if cascading:
        return f"Foreign keys carried changes of {'.'.join(cascading[0])} on to other tables, outside the binary log."
    return ""


def _copied(excess: Excess, folder: Path) -> list[str]:
    for log in excess.logs:
        shutil.copyfile(log, folder / log.name)
    return [log.name for log in excess.logs]


def _written(base: str, excess: Excess, folder: Path) -> Contents:
    if not excess.gaps:
        return Contents()
    copies = [folder / log.name for log in excess.logs]
    command = reading_command(base, copies, "-vv", "--base64-output=decode-rows")
    run(command, failed=_FAILED, timeout_s=READ_S, output=folder / SQL)
    with (folder / SQL).open("rb") as lines:
        return read_contents(lines)


def _stored(folder: Path) -> RescueReport:
    document = json.loads((folder / REPORT).read_text())
    return RescueReport(
        folder=str(folder),
        transactions=document["transactions"],
        rows_by_table=document["rows_by_table"],
        spans=tuple(document["spans"]),
        rewindable=document["rewindable"],
        obstacle=document["obstacle"],
        files=tuple(document["files"]),
        arrived=document.get("arrived", 0),
    )
