"""Commands on access: activity, tokens, users."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import quote, urlencode

import click
from rich.console import Group, RenderableType
from rich.text import Text

from app.cli_base import Tool, command
from app.cli_show import coloured, moment, table


def add_to(main: click.Group) -> None:
    command(main, "activity")(activity)
    tokens = click.Group("token", help="Tokens for automation, of this server.")
    for name, function in (("list", list_tokens), ("make", make_token), ("withdraw", withdraw_token)):
        command(tokens, name)(function)
    users = click.Group("user", help="Administrators of both servers.")
    for name, user_function in (
        ("list", list_users), ("add", add_user), ("password", set_password), ("remove", remove_user),
    ):  # fmt: skip
        command(users, name)(user_function)
    main.add_command(tokens)
    main.add_command(users)


@click.option("--limit", type=int, default=20, show_default=True)
@click.option("--before", help="Only entries older than this one.")
@click.option("--actor", help="Only of this person or token.")
@click.option("--action", help="Only of this kind.")
@click.option("--node", help="Only on the server of this hostname.")
def activity(tool: Tool, **filters: Any) -> None:
    """Who did or tried what on either server, newest first."""
    query = urlencode({name: value for name, value in filters.items() if value is not None})
    tool.show(
        tool.client.get(f"/activity?{query}"),
        _activity,
    )


def _activity(found: dict[str, Any]) -> RenderableType:
    rows = table(
        ("id", "at", "node", "who", "from", "what", "outcome"),
        [
            (e["id"], moment(e["at"]), e["node"], e["actor"], e["address"], e["action"], coloured(e["outcome"]))
            for e in found["items"]
        ],
    )
    if found["source"] == "pair":
        return rows
    return Group(Text("The common log can't be read: these are this server's own entries.", style="yellow"), rows)


def list_tokens(tool: Tool) -> None:
    """All tokens, without their values."""
    tool.show(
        tool.client.get("/tokens"),
        lambda found: table(
            ("id", "label", "scope", "made by", "last used"),
            [(t["id"], t["label"], t["scope"], t["created_by"], moment(t["last_used_at"])) for t in found["items"]],
        ),
    )


@click.argument("label")
@click.option("--scope", type=click.Choice(["read", "operate", "configure"]), default="read", show_default=True)
def make_token(tool: Tool, label: str, scope: str) -> None:
    """Make a token; it is printed this once."""
    found = tool.client.post("/tokens", {"label": label, "scope": scope})
    tool.show(found, lambda each: each["token"])


@click.argument("token_id")
def withdraw_token(tool: Tool, token_id: str) -> None:
    """Withdraw a token."""
    tool.client.call("DELETE", f"/tokens/{quote(token_id, safe='')}")
    tool.show({"withdrawn": token_id}, lambda _: "Withdrawn.")


def list_users(tool: Tool) -> None:
    """All administrators."""
    tool.show(
        tool.client.get("/users"),
        lambda found: table(
            ("name", "since", "password of"),
            [(u["name"], moment(u["created_at"]), moment(u["password_changed_at"])) for u in found["items"]],
        ),
    )


def typed_password() -> str:
    """The password from the terminal, typed twice, or from the first line of standard input."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    return sys.stdin.readline().rstrip("\n")


@click.argument("name")
def add_user(tool: Tool, name: str) -> None:
    """Add an administrator; the password is asked for, or read from standard input."""
    found = tool.client.post("/users", {"name": name, "password": typed_password()})
    tool.show(found, lambda each: f"{each['name']} is an administrator now.")


@click.argument("name")
def set_password(tool: Tool, name: str) -> None:
    """Set a user's password; it is asked for, or read from standard input."""
    tool.client.call("PUT", f"/users/{quote(name, safe='')}/password", {"password": typed_password()})
    tool.show({"changed": name}, lambda _: "The password is changed.")


@click.argument("name")
def remove_user(tool: Tool, name: str) -> None:
    """Remove an administrator."""
    tool.client.call("DELETE", f"/users/{quote(name, safe='')}")
    tool.show({"removed": name}, lambda _: f"{name} is removed.")
