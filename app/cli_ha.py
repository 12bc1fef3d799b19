"""Commands on the pair: status, configuration, APPLY and the other acts, jobs, events."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.live import Live

from app import cli_show
from app.cli_base import EXIT_JOB_FAILED, EXIT_NOT_STABLE, Tool, command
from app.cli_client import NoAnswer
from app.cli_show import coloured, moment, table
from app.core.fields import BY_NAME, Kind

WELL = frozenset({"stable", "standalone"})
TRUTHS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
STREAM_TRIES = 5
"""A stream that breaks off is opened again this often: the API restarts with some jobs."""


def add_to(main: click.Group) -> None:
    for name, function in COMMANDS.items():
        command(main, name)(function)
    main.add_command(_config_group())


@click.option("--check", is_flag=True, help="Exit with 6 unless the status is stable or standalone.")
def show_status(tool: Tool, check: bool) -> None:
    """How the pair is."""
    found = tool.client.get("/ha/status")
    tool.show(found, cli_show.status)
    if check and found["status"] not in WELL:
        sys.exit(EXIT_NOT_STABLE)


def generate_fingerprint(tool: Tool) -> None:
    """Generate the Peer Authentication Fingerprint, on the primary-to-be."""
    found = tool.client.post("/ha/fingerprint")
    tool.show(found, lambda each: each["HAPeerFingerprint"])


def preflight(tool: Tool) -> None:
    """Check what APPLY would check first; nothing is changed."""
    found = tool.client.post("/ha/preflight")
    tool.show(
        found,
        lambda each: table(
            ("result", "check", ""),
            [(coloured(check["result"]), check["id"], check["detail"]) for check in each["checks"]],
        ),
    )
    if any(check["result"] == "fail" for check in found["checks"]):
        sys.exit(1)


def follows(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--follow", is_flag=True, help="Stay and show the progress until the job has ended.")(function)


def confirms(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--confirm", help="The name of the server, instead of typing it.")(function)


@follows
@confirms
def apply(tool: Tool, follow: bool, confirm: str | None) -> None:
    """APPLY the saved draft."""
    begin(tool, "/ha/apply", {} if confirm is None else {"confirm": confirm}, follow)


@follows
def retry(tool: Tool, follow: bool) -> None:
    """Start the last failed job again."""
    begin(tool, "/ha/retry", {}, follow)


@follows
def swap(tool: Tool, follow: bool) -> None:
    """Swap the roles, on the primary; nothing is lost."""
    begin(tool, "/ha/swap", {}, follow)


@follows
@confirms
def takeover(tool: Tool, follow: bool, confirm: str | None) -> None:
    """Make this secondary the primary by force."""
    begin(tool, "/ha/takeover", {"confirm": asked(tool, confirm)}, follow)


@follows
@confirms
def resume(tool: Tool, follow: bool, confirm: str | None) -> None:
    """Let a fenced primary write again without asking the other server."""
    begin(tool, "/ha/resume", {"confirm": asked(tool, confirm)}, follow)


@follows
@confirms
@click.option("--keep", type=click.Choice(["this", "peer"]), required=True, help="Whose history goes on.")
def resolve(tool: Tool, follow: bool, confirm: str | None, keep: str) -> None:
    """After a conflict of two primaries: choose whose history goes on."""
    begin(tool, "/ha/resolve", {"confirm": asked(tool, confirm), "keep": keep}, follow)


@click.option("--minutes", type=int, default=60, show_default=True)
@click.option("--end", is_flag=True, help="End it now.")
def maintenance(tool: Tool, minutes: int, end: bool) -> None:
    """Hold failover back while a server is worked on."""
    body = {"enabled": False} if end else {"enabled": True, "minutes": minutes}
    found = tool.client.post("/ha/maintenance", body)
    until = found["maintenance_until"]
    tool.show(found, lambda _: f"Maintenance until {moment(until)}." if until else "Maintenance has ended.")


@click.option("--limit", type=int, default=20, show_default=True)
@click.option("--before", help="Only entries older than this one.")
def events(tool: Tool, limit: int, before: str | None) -> None:
    """The event log, newest first."""
    found = tool.client.get(paged("/ha/events", limit, before))
    tool.show(
        found,
        lambda each: table(
            ("id", "at", "node", "event", "parameters"),
            [
                (event["id"], moment(event["at"]), event["node"], event["kind"], " ".join(event["parameters"]))
                for event in each["items"]
            ],
        ),
    )


@click.option("--limit", type=int, default=20, show_default=True)
@click.option("--before", help="Only jobs older than this one.")
@click.option("--id", "job_id", help="One job with its steps.")
@click.option("--follow", is_flag=True, help="With --id: show its progress until it has ended.")
def jobs(tool: Tool, limit: int, before: str | None, job_id: str | None, follow: bool) -> None:
    """Jobs, newest first, or one of them."""
    if job_id is not None:
        found = tool.client.get(f"/jobs/{job_id}")
        if follow:
            end(tool, follow_job(tool, found))
        else:
            tool.show(found, cli_show.job)
        return
    tool.show(
        tool.client.get(paged("/jobs", limit, before)),
        lambda each: table(
            ("id", "kind", "state", "by", "created"),
            [
                (job["id"], job["kind"], coloured(job["state"]), job["actor"], moment(job["created_at"]))
                for job in each["items"]
            ],
        ),
    )


def system(tool: Tool) -> None:
    """This server."""
    tool.show(tool.client.get("/system"), lambda found: table(("", ""), found.items()))


def paged(path: str, limit: int, before: str | None) -> str:
    return f"{path}?limit={limit}" + (f"&before={before}" if before is not None else "")


def asked(tool: Tool, confirm: str | None) -> str:
    """The name of the server as the person typed it."""
    if confirm is not None:
        return confirm
    hostname = tool.client.get("/system")["hostname"]
    typed: str = click.prompt(f"This can't be taken back. Type {hostname} to go on", err=True)
    return typed


def begin(tool: Tool, path: str, body: dict[str, Any], follow: bool) -> None:
    """Starts a job and, if asked to, stays until it has ended."""
    job = tool.client.post(path, body)["job"]
    if follow:
        end(tool, follow_job(tool, job))
    else:
        tool.show(job, lambda each: f"Job {each['kind']} ({each['id']}) is on its way: hapair jobs --id {each['id']}")


def follow_job(tool: Tool, job: dict[str, Any]) -> dict[str, Any]:
    """The job when it has ended, its steps drawn meanwhile."""
    with Live(cli_show.job(job), console=cli_show.err, transient=True) as live:
        for tries_left in reversed(range(STREAM_TRIES)):
            try:
                for newer in tool.client.follow(f"/jobs/{job['id']}/stream"):
                    job = newer
                    live.update(cli_show.job(job))
            except NoAnswer:
                if not tries_left:
                    raise
            if job["state"] not in {"queued", "running"}:
                break
    return job


def end(tool: Tool, job: dict[str, Any]) -> None:
    tool.show(job, cli_show.job)
    if job["state"] != "succeeded":
        sys.exit(EXIT_JOB_FAILED)


# --- configuration ------------------------------------------------------------------------------------------------


def _config_group() -> click.Group:
    group = click.Group("config", help="The HA configuration.")
    for name, function in (("show", show_config), ("set", set_config), ("discard", discard_config)):
        command(group, name)(function)
    return group


def show_config(tool: Tool) -> None:
    """Applied configuration and draft."""
    tool.show(tool.client.get("/ha/config"), cli_show.config)


@click.argument("assignments", nargs=-1, required=True, metavar="FIELD=VALUE…")
def set_config(tool: Tool, assignments: tuple[str, ...]) -> None:
    """Save a draft with these fields changed. FIELD= takes a field back to its default, FIELD=@FILE reads a file."""
    reply = tool.client.call("GET", "/ha/config")
    wanted = {change["field"]: change["to"] for change in reply.body["changes"]}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"{assignment} is not FIELD=VALUE.")
        wanted[name] = value_of(name, text)
    tool.show(tool.client.call("PUT", "/ha/config/draft", wanted, reply.etag).body, cli_show.config)


def value_of(name: str, text: str) -> Any:
    """The value in the field's type; what can't be one goes to the server as text, which says why not."""
    if text == "":
        return None
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{text[1:]} can't be read: {error}") from error
    declared = BY_NAME.get(name)
    if declared is not None and declared.kind is Kind.INTEGER and text.lstrip("-").isdecimal():
        return int(text)
    if declared is not None and declared.kind is Kind.BOOLEAN:
        return TRUTHS.get(text.lower(), text)
    return text


def discard_config(tool: Tool) -> None:
    """Discard the draft."""
    reply = tool.client.call("GET", "/ha/config")
    tool.show(tool.client.call("DELETE", "/ha/config/draft", etag=reply.etag).body, cli_show.config)


COMMANDS: dict[str, Callable[..., None]] = {
    "status": show_status,
    "fingerprint": generate_fingerprint,
    "preflight": preflight,
    "apply": apply,
    "retry": retry,
    "swap": swap,
    "takeover": takeover,
    "resume": resume,
    "resolve": resolve,
    "maintenance": maintenance,
    "events": events,
    "jobs": jobs,
    "system": system,
}
