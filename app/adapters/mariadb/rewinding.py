"""Undoing what a former primary alone has, row by row, in the reverse order.

mariadb-binlog --flashback turns each insert into a delete and so on. It drops what it can't turn without a word, so
everything is looked through first. A replay that was cut off makes the next try fail (a row is there that should not
be, or is missing) or lead to the same rows, never to others: then the server is seeded again.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from app.adapters.mariadb.binarylogs import Excess, find_excess, read_contents, reading_command
from app.adapters.mariadb.connection import MANAGER_ACCOUNT, Manager
from app.adapters.mariadb.programs import program, run
from app.adapters.mariadb.replication import begin_history, stop_receiver
from app.adapters.mariadb.rescue import find_obstacle
from app.core.errors import LocalFailure
from app.core.positions import merge_histories, parse, render

READ_S = 3600.0
REPLAY_S = 3600.0
_FAILED = (
    "rewind-failed",
    "This Server Could Not Be Rewound",
    "Its own transactions are in the rescue folder. Seed it again from the primary.",
)


def rewind(manager: Manager, data_dir: Path, base: str) -> None:
    """The data is as it was at `base`, and the binary log begins there."""
    excess = find_excess(manager, data_dir, base)
    _check(manager, base, excess)
    stop_receiver(manager)
    with manager.session("Stopping replication") as session:
        session.run("STOP SLAVE")
    if excess.gaps:
        _replay_backwards(manager, base, excess)
    with manager.session("Beginning the history anew") as session:
        begin_history(session, base, known_history(excess.history, base))


def known_history(history: str, base: str) -> str:
    """What remains known of a history when everything beyond the position `base` is gone."""
    shared = {gtid.domain: gtid.sequence for gtid in parse(base)}
    return merge_histories(base, render(gtid for gtid in parse(history) if gtid.sequence <= shared.get(gtid.domain, 0)))


def _check(manager: Manager, base: str, excess: Excess) -> None:
    with manager.session("Seeing that the database is read-only") as session:
        if not session.row("SELECT @@global.read_only AS read_only")["read_only"]:
            raise _refused("It is writable. Only a fenced server can be rewound.")
    with tempfile.TemporaryDirectory(prefix="hapair-rewind-") as folder:
        text = Path(folder) / "transactions.sql"
        text.touch()
        if excess.gaps:
            command = reading_command(base, excess.logs, "-vv", "--base64-output=decode-rows")
            run(command, failed=_FAILED, timeout_s=READ_S, output=text)
        with text.open("rb") as lines:
            obstacle = find_obstacle(manager, base, excess, read_contents(lines))
    if obstacle:
        raise _refused(obstacle)


def _replay_backwards(manager: Manager, base: str, excess: Excess) -> None:
    reading = reading_command(base, excess.logs, "--flashback")
    replaying = [
        "mariadb", "--no-defaults", "--batch", "--binary-mode", f"--socket={manager.path}",
        f"--user={MANAGER_ACCOUNT}", "--init-command=SET SESSION sql_log_bin = 0",
    ]  # fmt: skip
    with program(reading, stdout=subprocess.PIPE) as (reader, _):
        run(replaying, failed=_FAILED, timeout_s=REPLAY_S, stdin=reader.stdout or subprocess.DEVNULL)
        if reader.wait(READ_S) != 0:
            code, title, hint = _FAILED
            raise LocalFailure(code, title, detail="mariadb-binlog could not read the binary logs.", hint=hint)


def _refused(detail: str) -> LocalFailure:
    return LocalFailure(
        "rewind-refused",
        "This Server Can't Be Rewound Exactly",
        detail=detail,
        hint="Seed it again from the primary; its own transactions are in the rescue folder.",
    )
