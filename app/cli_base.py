"""What all commands share: the API's client, JSON or people's form, and the exit codes (told in app.cli)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

from app import cli_show
from app.cli_client import CallFailed, Client, NoAnswer, choose_target
from app.settings import read_settings

EXIT_REFUSED, EXIT_UNREACHABLE, EXIT_FORBIDDEN, EXIT_JOB_FAILED, EXIT_NOT_STABLE = 1, 3, 4, 5, 6
FORBIDDEN = frozenset({401, 403})

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Tool:
    """What each command works with."""

    client: Client
    as_json: bool

    def show(self, found: Any, render: Callable[[Any], Any]) -> None:
        """`found` as JSON, or as `render` draws it."""
        if self.as_json:
            click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            cli_show.out.print(render(found))


def command(group: click.Group, name: str) -> Callable[[Command], click.Command]:
    """A command of the group that gets the Tool, knows --json and turns errors into exit codes."""

    def decorate(function: Command) -> click.Command:
        @group.command(name, help=function.__doc__)
        @click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
        @wraps(function)
        def wrapper(as_json: bool, **arguments: Any) -> None:
            context = click.get_current_context()
            with_errors(lambda: function(Tool(client_of(context), as_json), **arguments), as_json)

        return wrapper

    return decorate


def client_of(context: click.Context) -> Client:
    options = context.find_root().params
    return Client(choose_target(read_settings(), options["url"], options["token_file"], options["ca"]))


def with_errors(act: Callable[[], None], as_json: bool) -> None:
    """Runs it; says what went wrong and exits with the code for it."""
    try:
        act()
    except CallFailed as error:
        if as_json:
            click.echo(json.dumps(error.problem, indent=2, ensure_ascii=False))
        else:
            cli_show.problem(error.problem)
        sys.exit(EXIT_FORBIDDEN if error.problem.get("status") in FORBIDDEN else EXIT_REFUSED)
    except NoAnswer as error:
        cli_show.problem({"title": "No Answer", "detail": str(error)})
        sys.exit(EXIT_UNREACHABLE)
