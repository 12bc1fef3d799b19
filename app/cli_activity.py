"""Commands on the activity log: looking, exporting, checking that it is as it was written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import click
from rich.console import Group, RenderableType
from rich.text import Text

from app.cli_base import EXIT_REFUSED, Tool, command
from app.cli_download import download_to
from app.cli_show import coloured, moment, table

FILTERS = {
    "actor": "Only of this person or token.",
    "action": "Only this act.",
    "node": "Only on the server of this hostname.",
    "outcome": "Only what ended so: done, refused or failed.",
    "subject": "Only about this user, token, rescue or kind of job, or these fields.",
    "since": "Not before this time, as 2026-01-31T12:00:00Z.",
    "until": "Before this time.",
    "search": "Words that all stand in the entry.",
}

Function = TypeVar("Function", bound=Callable[..., Any])


def add_to(main: click.Group) -> None:
    group = click.Group(
        "activity",
        callback=_list_by_default,
        invoke_without_command=True,
        help="Who did or tried what on either server. Without a command: the newest entries.",
    )
    for name, function in (("list", list_activity), ("export", export), ("verify", verify), ("accept", accept)):
        command(group, name)(function)
    # `hapair activity` takes what `hapair activity list` takes.
    group.params = [each for each in group.commands["list"].params if each.name != "help"]
    main.add_command(group)


def _list_by_default(**options: Any) -> None:
    context = click.get_current_context()
    if context.invoked_subcommand is None and isinstance(context.command, click.Group):
        context.invoke(context.command.commands["list"], **options)


def filtered(function: Function) -> Function:
    """The options of the filters."""
    for name, text in reversed(FILTERS.items()):
        function = click.option(f"--{name}", help=text)(function)
    return function


def query_of(options: dict[str, Any]) -> str:
    return urlencode({name: value for name, value in options.items() if value is not None})


@click.option("--limit", type=int, default=20, show_default=True)
@click.option("--before", help="Only entries older than this one.")
@filtered
def list_activity(tool: Tool, **options: Any) -> None:
    """The newest entries; with --search as far back as they must be looked for."""
    found = tool.client.get(f"/activity?{query_of(options)}")
    # A page may end before it is full; here people want it full, however long that takes.
    while found["next"] is not None and len(found["items"]) < options["limit"]:
        rest = options | {"before": found["next"], "limit": options["limit"] - len(found["items"])}
        further = tool.client.get(f"/activity?{query_of(rest)}")
        if further["source"] != found["source"]:
            break
        found = further | {"items": found["items"] + further["items"]}
    tool.show(found, _listed)


def _listed(found: dict[str, Any]) -> RenderableType:
    rows = table(
        ("id", "at", "node", "who", "from", "what", "about", "outcome"),
        [
            (
                entry["id"], moment(entry["at"]), entry["node"], entry["actor"], entry["address"], entry["action"],
                entry["subject"], coloured(entry["outcome"]),
            )
            for entry in found["items"]
        ],
    )  # fmt: skip
    if found["source"] == "pair":
        return rows
    return Group(Text("The common log can't be read: these are this server's own entries.", style="yellow"), rows)


@click.argument("target", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@filtered
def export(tool: Tool, target: Path | None, form: str, **options: Any) -> None:
    """Write all entries with these filters to FILE, which must not be there yet, or to the standard output."""
    path = f"/activity/export?{query_of({'format': form, **options})}"
    if target is None:
        tool.client.download(path, sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return
    download_to(tool, path, target, "The log")


def verify(tool: Tool) -> None:
    """Check each entry of this server's journal and of the common log; exits with 1 where one is not as it was
    written, or the end of a journal is missing."""
    found = [_verified(tool, chain) for chain in tool.client.get("/activity/chains")["items"]]
    tool.show({"items": found, "holds": not any(each["broken"] for each in found)}, _drawn)
    if any(each["broken"] for each in found):
        sys.exit(EXIT_REFUSED)


def _verified(tool: Tool, chain: dict[str, Any]) -> dict[str, Any]:
    """The journal with what was found in it; the first entry that is broken counts."""
    path = f"/activity/chains/{chain['source']}/{quote(chain['node_id'], safe='')}"
    checked = unlinked = 0
    accepted: list[dict[str, Any]] = []
    after: int | None = 0
    broken = None
    while after is not None and broken is None:
        part = tool.client.get(f"{path}?after={after}")
        checked, unlinked = checked + part["checked"], unlinked + part["unlinked"]
        accepted += part["accepted"]
        after, broken = part["next"], part["broken"]
    found = {"checked": checked, "unlinked": unlinked, "accepted": accepted, "broken": broken or chain["broken"]}
    return {**chain, **found}


@click.option("--reason", help="What was found to be the cause; it is asked for otherwise.")
def accept(tool: Tool, reason: str | None) -> None:
    """Accept this server's journal as it is, after looking at what is wrong with it: the alarm ends, and the log keeps
    who accepted it and why. What is wrong stays visible in `verify`."""
    journals = tool.client.get("/activity/chains")["items"]
    own = [_verified(tool, each) for each in journals if each["node_id"] == journals[0]["node_id"]]
    broken = next((each["broken"] for each in own if each["broken"]), None)
    if broken is None:
        tool.show({"items": own, "holds": True}, lambda _: "There is nothing to accept: this server's journal holds.")
        return
    if reason is None:
        reason = click.prompt(f"{broken['reason']}\nWhat was the cause", err=True)
    entry = tool.client.post("/activity/accept", {"entry": broken["entry"], "reason": reason})
    tool.show(entry, lambda found: f"Accepted with entry {found['node_entry']}. The alarm ends within some seconds.")


def _drawn(found: dict[str, Any]) -> RenderableType:
    names = {"node": "its own journal", "pair": "the common log"}
    return table(
        ("journal of", "in", "checked", "", "result"),
        [
            (
                journal["node"], names[journal["source"]], journal["checked"],
                f"{journal['unlinked']} older than the chain" if journal["unlinked"] else "",
                _result(journal),
            )
            for journal in found["items"]
        ],
    )  # fmt: skip


def _result(checked: dict[str, Any]) -> Text:
    lines = [Text(f"accepted: {each['reason']}", style="yellow") for each in checked["accepted"]]
    broken = checked["broken"]
    if broken:
        lines.append(Text(f"BROKEN at entry {broken['entry']}: {broken['reason']}", style="red"))
    else:
        lines.append(Text("holds", style="green") if not lines else Text("all else holds", style="green"))
    return Text("\n").join(lines)
