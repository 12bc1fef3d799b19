"""The pair that the cells run on: made, parted, made again, and known to be well."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from typing import Any

from tests.chaos.witness import TROUBLES
from tests.lab.acts import change_role, discard_drafts, wait_parted
from tests.lab.client import ENDED
from tests.lab.network import HOSTS
from tests.lab.pairing import Timing, primary_draft, secondary_draft
from tests.lab.servers import Servers, bring_up
from tests.waiting import wait_for

Json = dict[str, Any]
TIMING = Timing(ping_interval=1, ping_iterations=3)
STABLE_S = 90.0
SETTLED_S = 90.0
POLL_S = 0.2
PAIR_TRIES = 3
STEADY_S = 1.0
"""One lost ping after a cut that is just over makes a pair unstable for a moment."""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Stable:
    """A stable pair."""

    primary: str
    since_s: float
    """Of the monotonic clock."""


def new_pair(topology: str) -> Servers:
    """A lab with a stable pair in it."""
    servers = bring_up(f"chaos-{os.getpid()}-{next(_numbers)}", topology=topology)
    try:
        set_up(servers)
        await_stable(servers)
    except BaseException:
        remove(servers)
        raise
    return servers


def remove(servers: Servers) -> None:
    """The lab is gone."""
    servers.close()
    servers.lab.down()


def save_drafts(servers: Servers) -> None:
    """Both servers have the draft of a pair with `a` as primary. One failover may follow another at once here."""
    fingerprint = servers.apis["a"].ask("POST", "/ha/fingerprint")["HAPeerFingerprint"]
    servers.apis["a"].save_draft(primary_draft(servers.hosts, fingerprint, TIMING))
    servers.apis["b"].save_draft(secondary_draft(servers.hosts, fingerprint, TIMING) | {"HAAntiFlappingTime": 0})


def set_up(servers: Servers) -> None:
    """The manual's workflow has been gone through once; AssertionError or OSError says where it ended."""
    save_drafts(servers)
    for host in HOSTS:
        servers.apis[host].finish(servers.apis[host].apply())


def part(servers: Servers, primary: str) -> None:
    """Both servers are standalone, without drafts."""
    change_role(servers, primary, "standalone")
    wait_parted(servers)
    discard_drafts(servers)


def stable_primary(servers: Servers) -> str | None:
    """The key of the primary of a pair in which both servers say `stable` and that a failover would work; or None."""
    seen: dict[str, Json] = {}
    for host in HOSTS:
        try:
            seen[host] = servers.apis[host].status()
        except TROUBLES:
            return None
    roles = {status["node"]["role"]: host for host, status in seen.items()}
    well = all(status["status"] == "stable" and status["failover"]["ready"] for status in seen.values())
    return roles["primary"] if well and set(roles) == {"primary", "secondary"} else None


def await_stable(servers: Servers, timeout_s: float = STABLE_S) -> Stable:
    """The pair has been stable for a while; since when, and who its primary is. AssertionError says how it is
    otherwise."""
    first: Stable | None = None

    def steady() -> Stable | None:
        nonlocal first
        primary = stable_primary(servers)
        if primary is None:
            first = None
        elif first is None or first.primary != primary:
            first = Stable(primary, time.monotonic())
        return first if first is not None and time.monotonic() - first.since_s >= STEADY_S else None

    try:
        found = wait_for(steady, timeout_s, "a stable pair", POLL_S)
    except AssertionError as error:
        raise AssertionError(f"{error}; {describe(servers)}") from error
    if found is None:
        raise AssertionError("the pair is not stable")
    return found


def describe(servers: Servers) -> str:
    """How both servers are, in a line for each."""
    lines = []
    for host in HOSTS:
        try:
            status = servers.apis[host].status()
            reasons = ", ".join(reason["code"] for reason in status["reasons"])
            ready = "ready" if status["failover"]["ready"] else [each["code"] for each in status["failover"]["reasons"]]
            lines.append(f"{host}: {status['node']['role']} {status['status']} ({reasons}), failover {ready}")
        except TROUBLES as error:
            lines.append(f"{host}: {type(error).__name__}: {error}")
    return "; ".join(lines)


def boot_all(servers: Servers) -> None:
    """No host is off."""
    for host, found in servers.lab.ask("info")["hosts"].items():
        if not found["on"]:
            servers.lab.fault("boot", host)


def conclude_set_up(servers: Servers) -> tuple[str, Stable]:
    """What became of a set-up that was disturbed; the pair is stable afterwards.

    `completed`: nobody had to help. `repeated`: the servers were left with the old configuration or one of them with
    the new one, and the manual's RETRY and APPLY made the pair. `begun again`: through standalone, as the manual says.
    """
    wait_for(lambda: _jobs_ended(servers), SETTLED_S, "the end of the jobs", POLL_S)
    if _is_made(servers):
        return "completed", await_stable(servers)
    for _ in range(PAIR_TRIES):
        if (stable := _repeat(servers)) is not None:
            return "repeated", stable
    return "begun again", begin_again(servers)


def _is_made(servers: Servers) -> bool:
    """Whether both servers are in the pair."""
    try:
        roles = {servers.apis[host].status()["node"]["role"] for host in HOSTS}
        states = {servers.apis[host].ask("GET", "/ha/config")["state"] for host in HOSTS}
    except TROUBLES:
        return False
    return roles == {"primary", "secondary"} and states == {"applied"}


def _jobs_ended(servers: Servers) -> bool:
    for host in HOSTS:
        jobs = servers.apis[host].ask("GET", "/jobs")["items"]
        if any(job["state"] not in ENDED for job in jobs):
            return False
    return True


def _repeat(servers: Servers) -> Stable | None:
    """The pair that APPLY or RETRY on each server that has a draft has made; None where they did not."""
    try:
        for host in HOSTS:
            api = servers.apis[host]
            state = api.ask("GET", "/ha/config")["state"]
            if state == "applied":
                continue
            if state == "failed":
                api.finish(str(api.ask("POST", "/ha/retry")["job"]["id"]))
            else:
                api.finish(api.apply())
        return await_stable(servers)
    except TROUBLES:
        return None


def begin_again(servers: Servers) -> Stable:
    """The stable pair, after each server was made standalone by itself."""
    discard_drafts(servers)
    for host in HOSTS:
        if servers.apis[host].status()["node"]["role"] != "standalone":
            change_role(servers, host, "standalone")
    wait_parted(servers)
    discard_drafts(servers)
    set_up(servers)
    return await_stable(servers)


def remove_rescues(servers: Servers) -> None:
    """Nothing is kept aside any more, so that the disks don't fill over many cells."""
    for host in HOSTS:
        api = servers.apis[host]
        for rescue in api.ask("GET", "/ha/rescues")["items"]:
            api.call("DELETE", f"/ha/rescues/{rescue['id']}", {"confirm": rescue["id"]})
