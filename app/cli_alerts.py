"""Commands on alerts: mail server, webhook, custom script, and a trial of each."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from app.cli_base import EXIT_JOB_FAILED, EXIT_REFUSED, Tool, command
from app.cli_show import table

TEST_DEADLINE_S = 120.0
"""Longer than the custom script may take."""
POLL_S = 0.3
EVENTS = ("Failover", "StandbyOffline", "ManualSwitch", "RaiseAlarm", "ClearAlarm", "StandbyOnline")


def add_to(main: click.Group) -> None:
    alerts = click.Group("alerts", help="Where this server's alerts go, and trials of them.")
    for name, function in (
        ("show", show), ("mail", set_mail), ("forget-mail", forget_mail), ("webhook", set_webhook),
        ("forget-webhook", forget_webhook), ("test-mail", test_mail), ("test-webhook", test_webhook),
        ("test-script", test_script), ("check-script", check_script),
    ):  # fmt: skip
        command(alerts, name)(function)
    main.add_command(alerts)


def show(tool: Tool) -> None:
    """Mail server and webhook, without their secrets, and how many events wait to go out."""
    tool.show(tool.client.get("/ha/alerts"), _drawn)


def _drawn(found: dict[str, Any]) -> Any:
    mail, webhook = found["mail"], found["webhook"]
    rows = [
        ("mails to", mail["to"] or "nobody: HAAlertEmail is empty"),
        ("mail server", f"{mail['host']}:{mail['port']}"),
        ("encryption", mail["security"]),
        ("login", mail["username"] or "none"),
        ("password", "set" if mail["password_set"] else "none"),
        ("sender", mail["sender"]),
        ("webhook", "none" if webhook is None else webhook["url"]),
    ]
    if webhook is not None:
        rows.append(("webhook's secret", "set" if webhook["secret_set"] else "none"))
    rows += [("take care", each) for each in mail["warnings"] + (webhook or {}).get("warnings", [])]
    rows += [(f"waiting for {channel}", count) for channel, count in found["waiting"].items()]
    return table(("", ""), rows)


def _save(tool: Tool, path: str, body: dict[str, Any]) -> None:
    """Over the settings as they are now: whoever types a command has not seen them."""
    loaded = tool.client.call("GET", "/ha/alerts")
    tool.show(tool.client.call("PUT", path, body, loaded.etag).body, _drawn)


def _read_secret(what: str) -> str:
    """From the terminal without echo, or the first line of standard input: never from the command line, which others
    on this server can see."""
    if sys.stdin.isatty():
        typed: str = click.prompt(what, hide_input=True, default="", show_default=False, err=True)
        return typed
    return sys.stdin.readline().rstrip("\n")


@click.argument("host")
@click.option("--port", type=click.IntRange(1, 65535), help="587 with starttls, 465 with tls, else 25.")
@click.option("--security", type=click.Choice(["none", "starttls", "tls"]), default="starttls", show_default=True)
@click.option("--sender", required=True, help="The address that the mails come from.")
@click.option("--username", default="", help="The name to log in with.")
@click.option("--password", "asks", is_flag=True, help="Ask for a password, or read it from standard input.")
@click.option("--authority", type=click.File(), help="PEM file that the server's certificate is checked with.")
def set_mail(tool: Tool, host: str, port: int | None, security: str, asks: bool, authority: Any, **more: str) -> None:
    """Set the mail server of this server. A password that is saved already stays unless --password is given."""
    body = {
        "host": host,
        "port": port or {"starttls": 587, "tls": 465, "none": 25}[security],
        "security": security,
        "authority": authority.read() if authority else "",
        **more,
        **({"password": _read_secret("Password")} if asks else {}),
    }
    _save(tool, "/ha/alerts/mail", body)


def forget_mail(tool: Tool) -> None:
    """Back to the mail server that the installation was given."""
    tool.client.call("DELETE", "/ha/alerts/mail")
    tool.show({"forgotten": "mail"}, lambda _: "The mail settings are forgotten.")


@click.argument("url")
@click.option("--secret", "asks", is_flag=True, help="Ask for the signing secret, or read it from standard input.")
@click.option("--authority", type=click.File(), help="PEM file that the receiver's certificate is checked with.")
def set_webhook(tool: Tool, url: str, asks: bool, authority: Any) -> None:
    """Set where each event is posted. A secret that is saved already stays unless --secret is given."""
    body = {"url": url, "authority": authority.read() if authority else ""}
    if asks:
        body["secret"] = _read_secret("Secret")
    _save(tool, "/ha/alerts/webhook", body)


def forget_webhook(tool: Tool) -> None:
    """Post events nowhere any more."""
    tool.client.call("DELETE", "/ha/alerts/webhook")
    tool.show({"forgotten": "webhook"}, lambda _: "The webhook is forgotten.")


@click.option("--to", default="", help="Instead of HAAlertEmail.")
def test_mail(tool: Tool, to: str) -> None:
    """Send a test mail and say how it went."""
    _follow(tool, tool.client.post("/ha/alerts/mail/test", {"to": to} if to else {}))


def test_webhook(tool: Tool) -> None:
    """Post a test event to the webhook and say how it went."""
    _follow(tool, tool.client.post("/ha/alerts/webhook/test"))


@click.argument("event", type=click.Choice(EVENTS))
@click.option("--file", "file", type=click.Path(path_type=Path, dir_okay=False), help="Instead of the saved script.")
def test_script(tool: Tool, event: str, file: Path | None) -> None:
    """Run the custom script with sample parameters of EVENT and show what it said."""
    body = {"event": event}
    if file is not None:
        body["script"] = _text_of(file)
    _follow(tool, tool.client.post("/ha/alerts/script/test", body))


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} can't be read: {error}.") from error


def _follow(tool: Tool, started: dict[str, Any]) -> None:
    """Waits for the end of the trial, shows it, and exits with 5 where it failed."""
    test = started["test"]
    deadline = time.monotonic() + TEST_DEADLINE_S
    while test["state"] in {"queued", "running"} and time.monotonic() < deadline:
        time.sleep(POLL_S)
        test = tool.client.get(f"/ha/alerts/tests/{test['id']}")
    tool.show(test, _outcome)
    if test["state"] != "done":
        sys.exit(EXIT_JOB_FAILED)


def _outcome(test: dict[str, Any]) -> str:
    result = test["result"] or {"detail": "The monitor of this server has not made it yet; does hapair-monitor run?"}
    lines = [f"{test['channel']}: {test['state']}. {result.get('detail', '')}", result.get("hint", "")]
    return "\n".join(filter(None, [*lines, result.get("output", "")]))


@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def check_script(tool: Tool, file: Path) -> None:
    """What bash and shellcheck find in FILE; exits with 1 where it has errors. Nothing is run."""
    found = tool.client.post("/ha/alerts/script/check", {"script": _text_of(file)})
    tool.show(found, _findings)
    if not found["ok"]:
        sys.exit(EXIT_REFUSED)


def _findings(found: dict[str, Any]) -> str:
    lines = [
        f"{each['line']}:{each['column']}: {each['level']}: {each['message']} ({each['code']})"
        for each in found["findings"]
    ]
    return "\n".join([*lines, *found["notes"]]) or "Nothing was found."
