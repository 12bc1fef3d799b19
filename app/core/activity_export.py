"""The activity log as a file for other programs: CSV and JSON lines, an entry at a time.

A spreadsheet takes a cell that begins with certain characters for a formula and calculates it. What people and
strangers typed stands in the log, so such a cell gets an apostrophe in front, which makes it text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC

from app.core.activity import Entry

CSV, JSON_LINES = "csv", "jsonl"
FORMATS = (CSV, JSON_LINES)
COLUMNS = (
    "at", "node", "actor", "address", "action", "subject", "outcome", "detail", "node_id", "node_entry", "chain",
)  # fmt: skip
FORMULA_BEGINNINGS = frozenset("=+-@\t\r\n\0|%＝＋－＠")  # noqa: RUF001 - the wide forms are formulas too


def lines(entries: Iterable[Entry], form: str) -> Iterator[str]:
    """The file's lines with their ends; with CSV the first one names the columns."""
    if form == JSON_LINES:
        for entry in entries:
            yield json.dumps(_values(entry) | {"detail": entry.detail}, ensure_ascii=False) + "\n"
        return
    yield _row(COLUMNS)
    for entry in entries:
        values = _values(entry)
        yield _row(harmless(str(values[name])) for name in COLUMNS)


def harmless(cell: str) -> str:
    """The cell as text for a spreadsheet, whatever it begins with."""
    visible = cell.lstrip(" \N{NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}")
    return f"'{cell}" if visible[:1] in FORMULA_BEGINNINGS and visible else cell


def _values(entry: Entry) -> dict[str, object]:
    return {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "node": entry.node,
        "actor": entry.actor,
        "address": entry.address,
        "action": entry.action,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "detail": json.dumps(entry.detail, ensure_ascii=False, sort_keys=True),
        "node_id": entry.node_id,
        "node_entry": entry.node_entry,
        "chain": entry.chain,
    }


def _row(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
