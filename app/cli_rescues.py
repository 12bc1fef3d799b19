"""Commands on rescues: what is kept aside on a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from app import cli_show
from app.cli_base import Tool, command
from app.cli_download import download_to
from app.cli_show import moment, table


def add_to(main: click.Group) -> None:
    rescues = click.Group(
        "rescues",
        callback=list_by_default,
        invoke_without_command=True,
        help="What is kept aside on this server, because there may be no other copy. Without a command: the list.",
    )
    for name, function in (("list", list_rescues), ("show", show), ("download", download), ("remove", remove)):
        command(rescues, name)(function)
    main.add_command(rescues)


def list_by_default() -> None:
    context = click.get_current_context()
    if context.invoked_subcommand is None and isinstance(context.command, click.Group):
        context.invoke(context.command.commands["list"], as_json=False)


def path_of(rescue_id: str) -> str:
    return f"/ha/rescues/{quote(rescue_id, safe='')}"


def list_rescues(tool: Tool) -> None:
    """All rescues, newest first."""
    tool.show(
        tool.client.get("/ha/rescues"),
        lambda found: table(
            ("id", "kind", "at", "transactions", "files", "size"),
            [
                (
                    rescue["id"],
                    rescue["kind"],
                    moment(rescue["at"]),
                    rescue["transactions"],
                    rescue["files"],
                    cli_show.size(rescue["bytes"]),
                )
                for rescue in found["items"]
            ],
        ),
    )


@click.argument("rescue_id", metavar="ID")
def show(tool: Tool, rescue_id: str) -> None:
    """One rescue."""
    tool.show(tool.client.get(path_of(rescue_id)), _drawn)


def _drawn(found: dict[str, Any]) -> Any:
    rows = [(name, found[name]) for name in ("id", "kind", "reason", "path", "term", "transactions", "files")]
    rows += [("at", moment(found["at"])), ("size", cli_show.size(found["bytes"]))]
    rows += [("counted as lost, but arrived", found["arrived"])] if found["arrived"] else []
    rows += [("still growing", "yes")] if found["growing"] else []
    rows += [("not rewound because", found["obstacle"])] if found["obstacle"] else []
    rows += [(f"rows of {name}", count) for name, count in found["rows_by_table"].items()]
    rows += [
        (f"holds {each['name']}", f"{each['files']} files, {cli_show.size(each['bytes'])}")
        for each in found["contents"]
    ]
    return table(("", ""), rows)


@click.argument("rescue_id", metavar="ID")
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
def download(tool: Tool, rescue_id: str, target: Path) -> None:
    """Write a rescue as a gzipped tar to FILE, which must not be there yet."""
    download_to(tool, f"{path_of(rescue_id)}/download", target, "The rescue")


@click.argument("rescue_id", metavar="ID")
@click.option("--confirm", help="The id once more; asked for where it is missing.")
def remove(tool: Tool, rescue_id: str, confirm: str | None) -> None:
    """Remove a rescue for good."""
    if confirm is None:
        confirm = click.prompt(f"This can't be taken back. Type {rescue_id} to go on", err=True)
    tool.client.call("DELETE", path_of(rescue_id), {"confirm": confirm})
    tool.show({"removed": rescue_id}, lambda _: f"{rescue_id} is removed.")
