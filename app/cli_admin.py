"""Commands on access: tokens, users."""

from __future__ import annotations

import sys
from urllib.parse import quote

import click

from app.cli_base import Tool, command
from app.cli_show import moment, table
from app.core.access import TOKEN_DAYS, UserRole

ROLES = tuple(str(role) for role in UserRole)


def add_to(main: click.Group) -> None:
    tokens = click.Group("token", help="Tokens for automation, of this server.")
    for name, function in (("list", list_tokens), ("make", make_token), ("withdraw", withdraw_token)):
        command(tokens, name)(function)
    users = click.Group("user", help="Administrators and auditors of both servers; changed on the primary.")
    for name, user_function in (
        ("list", list_users), ("add", add_user), ("password", set_password), ("role", set_role),
        ("totp-reset", reset_second_factor), ("revoke", end_sessions), ("remove", remove_user),
    ):  # fmt: skip
        command(users, name)(user_function)
    main.add_command(tokens)
    main.add_command(users)


def list_tokens(tool: Tool) -> None:
    """All tokens, without their values."""
    tool.show(
        tool.client.get("/tokens"),
        lambda found: table(
            ("id", "label", "scope", "made by", "last used", "ends"),
            [
                (
                    token["id"],
                    token["label"],
                    token["scope"],
                    token["created_by"],
                    moment(token["last_used_at"]),
                    ends(token["expires_at"]),
                )
                for token in found["items"]
            ],
        ),
    )


def ends(expires_at: str | None) -> str:
    return "never" if expires_at is None else moment(expires_at)


@click.argument("label")
@click.option("--scope", type=click.Choice(["read", "operate", "configure"]), default="read", show_default=True)
@click.option("--days", type=int, default=TOKEN_DAYS, show_default=True, help="It ends after so many.")
@click.option("--forever", is_flag=True, help="It does not end before it is withdrawn.")
def make_token(tool: Tool, label: str, scope: str, days: int, forever: bool) -> None:
    """Make a token; it is printed this once."""
    wanted = {"label": label, "scope": scope, "expires_in_days": None if forever else days}
    found = tool.client.post("/tokens", wanted)
    tool.show(found, lambda each: each["token"])


@click.argument("token_id")
def withdraw_token(tool: Tool, token_id: str) -> None:
    """Withdraw a token."""
    tool.client.call("DELETE", f"/tokens/{quote(token_id, safe='')}")
    tool.show({"withdrawn": token_id}, lambda _: "Withdrawn.")


def list_users(tool: Tool) -> None:
    """All users."""
    tool.show(
        tool.client.get("/users"),
        lambda found: table(
            ("name", "role", "second factor", "sessions here", "since", "password of"),
            [
                (
                    user["name"], user["role"], "yes" if user["totp"] else "no", user["sessions"],
                    moment(user["created_at"]),
                    "to be changed" if user["password_change_needed"] else moment(user["password_changed_at"]),
                )
                for user in found["items"]
            ],
        ),
    )  # fmt: skip


def typed_password() -> str:
    """The password from the terminal, typed twice, or from the first line of standard input."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    return sys.stdin.readline().rstrip("\n")


@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True)
def add_user(tool: Tool, name: str, role: str) -> None:
    """Add a user, who must change the password at the first log-in; it is asked for, or read from standard input."""
    found = tool.client.post("/users", {"name": name, "password": typed_password(), "role": role})
    tool.show(found, lambda each: f"{each['name']} is an {each['role']} now and must change the password first.")


@click.argument("name")
def set_password(tool: Tool, name: str) -> None:
    """Set a user's password, to be changed at the next log-in; it is asked for, or read from standard input."""
    tool.client.call("PUT", f"{of_user(name)}/password", {"password": typed_password()})
    tool.show({"changed": name}, lambda _: f"The password is set; {name} must change it at the next log-in.")


@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
def set_role(tool: Tool, name: str, role: str) -> None:
    """Make a user an administrator or an auditor; their sessions end."""
    found = tool.client.call("PUT", f"{of_user(name)}/role", {"role": role}).body
    tool.show(found, lambda each: f"{each['name']} is an {each['role']} now.")


@click.argument("name")
def reset_second_factor(tool: Tool, name: str) -> None:
    """Take away a user's second factor: for who has lost the device and the recovery codes."""
    tool.client.call("DELETE", f"{of_user(name)}/totp")
    tool.show({"reset": name}, lambda _: f"{name} logs in by password alone now.")


@click.argument("name")
def end_sessions(tool: Tool, name: str) -> None:
    """End all sessions of a user."""
    found = tool.client.call("DELETE", f"{of_user(name)}/sessions").body
    where = "on both servers" if found["both_servers"] else f"on this server only. {found['detail']}"
    tool.show(found, lambda each: f"{each['ended']} sessions ended here; all of {name}'s end {where}")


@click.argument("name")
def remove_user(tool: Tool, name: str) -> None:
    """Remove a user; the last administrator stays."""
    tool.client.call("DELETE", of_user(name))
    tool.show({"removed": name}, lambda _: f"{name} is removed.")


def of_user(name: str) -> str:
    return f"/users/{quote(name, safe='')}"
