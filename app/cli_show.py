"""How the command line shows things to people."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 200
"""Columns where nobody looks through a terminal: nothing should be folded then."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(highlight=False, stderr=True, width=None if sys.stderr.isatty() else PIPE_WIDTH)

COLOURS = {
    "stable": "green", "standalone": "white", "initialized": "blue", "synchronizing": "blue", "degraded": "yellow",
    "fenced": "red", "conflict": "red", "succeeded": "green", "running": "blue", "queued": "blue", "failed": "red",
    "reverted": "yellow", "done": "green", "pass": "green", "warn": "yellow", "fail": "red", "undone": "yellow",
    "undoing": "yellow", "refused": "yellow",
}  # fmt: skip
BAR_WIDTH = 24
UNITS = ("B", "kB", "MB", "GB", "TB")


def coloured(word: str) -> Text:
    return Text(word, style=COLOURS.get(word, ""))


def table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    """Rows of plain text (never markup) or of renderables."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        found.add_column(head, overflow="fold")
    for row in rows:
        found.add_row(*(each if isinstance(each, (Text, Table, ProgressBar)) else escape(_plain(each)) for each in row))
    return found


def _plain(value: Any) -> str:
    if value is None:
        return ""
    text = str(value)
    return "".join(character if character.isprintable() else " " for character in text)


def moment(text: str | None) -> str:
    """A time of the API for people."""
    return "" if text is None else datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def size(count: float | None) -> str:
    """A number of bytes for people."""
    if count is None:
        return ""
    for unit in UNITS:
        if count < 1000 or unit == UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


def problem(document: dict[str, Any]) -> None:
    """What went wrong and what to do, on standard error."""
    err.print(Text(document.get("title", ""), style="bold red"))
    for part in ("detail", "hint"):
        if document.get(part):
            err.print(_plain(document[part]), markup=False)
    for name, sentences in (document.get("errors") or {}).items():
        for sentence in sentences:
            err.print(f"  {_plain(name)}: {_plain(sentence)}", markup=False)


def status(found: dict[str, Any]) -> RenderableType:
    """The pair at a glance."""
    servers = [_server("this server", found["node"])]
    if found["peer"]:
        servers.append(_server("other server", found["peer"]))
    failover = found["failover"]
    lines: list[RenderableType] = [
        Text.assemble("Status: ", coloured(found["status"]), f"   term {found['term']}"),
        table(("", "hostname", "role", "address", "writes"), servers),
    ]
    lines += [Text(f"- {_plain(reason['text'])}") for reason in found["reasons"]]
    if found["peer"]:
        lines.append(Text("Failover: ready" if failover["ready"] else "Failover: not ready"))
        lines += [Text(f"- {_plain(reason['text'])}") for reason in failover["reasons"]]
        if failover["lost_bound"]:
            lines.append(Text(f"A failover now would lose: {_plain(failover['lost_bound'])}"))
    if (found.get("rescues") or {}).get("count"):
        lines.append(Text(f"Rescues on this server: {found['rescues']['count']} (hapair rescues)"))
    if found.get("job"):
        lines.append(Text(f"Job {found['job']['kind']} ({found['job']['id']}) is {found['job']['state']}."))
    return Group(*lines)


def _server(which: str, server: dict[str, Any]) -> tuple[Any, ...]:
    writes = {True: "accepts writes", False: "read-only", None: "not known"}[server["writable"]]
    return which, server["hostname"], server["role"], server["address"], writes


def config(found: dict[str, Any]) -> RenderableType:
    """Applied values and, beside them, what the draft changes."""
    changed = {change["field"]: change["to"] for change in found["changes"]}
    rows = []
    for each in found["fields"]:
        name, unit = each["name"], f" {each['unit']}" if each["unit"] else ""
        new = Text(f"→ {_short(changed[name])}{unit}", style="yellow") if name in changed else ""
        rows.append((name, f"{_short(found['applied'][name])}{unit if found['applied'][name] != '' else ''}", new))
    lines: list[RenderableType] = [Text(f"State: {found['state']}"), table(("field", "applied", "draft"), rows)]
    if found["failed"]:
        lines.append(Text(f"Last APPLY failed: {_plain(found['failed'])}", style="red"))
    return Group(*lines)


def _short(value: Any) -> str:
    text = str(value).strip() if not isinstance(value, bool) else ("yes" if value else "no")
    first, _, rest = text.partition("\n")
    return f"{first} … ({len(text.encode())} bytes)" if rest else first


def job(found: dict[str, Any]) -> RenderableType:
    """A job with its steps; a bar where a step counts bytes."""
    steps = Table(box=None, pad_edge=False, show_header=False)
    for step in found["steps"]:
        steps.add_row(
            coloured(step["state"]), Text(_plain(step["title"])), _progress(step), Text(_plain(step["detail"]))
        )
    head = Text.assemble(f"Job {found['kind']} ({found['id']}): ", coloured(found["state"]))
    lines: list[RenderableType] = [head, steps]
    if found["message"]:
        lines.append(Text(_plain(found["message"])))
    return Group(*lines)


def _progress(step: dict[str, Any]) -> RenderableType:
    done, total = step["progress"]["done"], step["progress"]["total"]
    if total:
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=total, completed=min(done, total), width=BAR_WIDTH), f"{size(done)} of {size(total)}"
        )
        return bar
    return Text(size(done) if done else "")
