"""Commands on the console's TLS certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli_base import Tool, command
from app.cli_show import moment, table
from app.core.certificates import CERTIFICATE_LENGTH_MAX, KEY_LENGTH_MAX

FILE = click.Path(path_type=Path, dir_okay=False, exists=True, readable=True)


def add_to(main: click.Group) -> None:
    group = click.Group("certificate", help="The TLS certificate that browsers get from this server.")
    for name, function in (("show", show), ("replace", replace), ("renew", renew)):
        command(group, name)(function)
    main.add_command(group)


def show(tool: Tool) -> None:
    """The certificate in use."""
    tool.show(tool.client.get("/system/certificate"), _drawn)


@click.argument("certificate", type=FILE)
@click.argument("key", type=FILE)
def replace(tool: Tool, certificate: Path, key: Path) -> None:
    """Use CERTIFICATE (PEM: the server's own, then its chain) with KEY (PEM, without a password)."""
    body = {"certificate": _text(certificate, CERTIFICATE_LENGTH_MAX), "key": _text(key, KEY_LENGTH_MAX)}
    tool.show(tool.client.call("PUT", "/system/certificate", body).body, _drawn)


def renew(tool: Tool) -> None:
    """Make a new one here; browsers have to be given its authority (`--json` prints it)."""
    tool.show(tool.client.post("/system/certificate/renew", {}), _drawn)


def _text(path: Path, length_max: int) -> str:
    with path.open("rb") as file:
        content = file.read(length_max + 1)
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path} is not PEM text.") from error
    if not 0 < len(text) <= length_max:
        raise click.UsageError(f"{path} must have 1 to {length_max} characters.")
    return text


def _drawn(found: dict[str, Any]) -> Any:
    rows = [(name, found[name]) for name in ("subject", "issuer", "fingerprint")]
    rows += [("names", ", ".join(found["names"])), ("from", moment(found["not_before"]))]
    rows += [("until", f"{moment(found['not_after'])} ({found['days_left']} days)")]
    rows += [("made here", "yes" if found["made_here"] else "no")]
    return table(("", ""), rows)
