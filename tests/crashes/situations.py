"""What is there before a job of the matrix begins, how it is begun, and what counts as the old and the new pair."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.crashes.matrix import Combination
from tests.lab.acts import change_role, discard_drafts, other, primary_of, tear_down, wait_parted, wait_stable
from tests.lab.client import Api, connected, is_writable
from tests.lab.network import HOSTNAMES, HOSTS
from tests.lab.pairing import Timing, primary_draft, secondary_draft
from tests.lab.servers import Servers
from tests.waiting import wait_for

Json = dict[str, Any]
TIMING = Timing(ping_interval=1, ping_iterations=20)
"""A window that no kill of the matrix outlasts: what is tried here is the job, not the failover."""
STABLE_S = 120.0
ALONE_S = 60.0
ROWS = 50
PAIR_JOBS = frozenset({"swap", "settings", "takeover", "rejoin", "teardown"})
"""Jobs of a pair; the others begin on standalone servers."""
AHEAD_ROWS = frozenset({"rescue", "rewind", "follow-as-secondary"})
"""Steps of a rejoin that are tried with transactions that only the old primary has."""
AHEAD_STRUCTURE = frozenset({"copy-database", "switch-database"})
"""The same with a changed table, which can't be rewound, so that the data is copied anew."""


def prepare(servers: Servers, wanted: Combination) -> str:
    """The pair (or the two servers) is as it must be before the job; the key of the host on which the job will run."""
    kind = wanted.job.kind
    discard_drafts(servers)
    if kind in PAIR_JOBS:
        primary = ensure_pair(servers)
        return primary if wanted.job.role.value == "primary" else other(primary)
    ensure_parted(servers)
    draft_both(servers)
    if kind == "setup-secondary":
        servers.apis["a"].finish(servers.apis["a"].apply())
        return "b"
    return "a"


def ensure_pair(servers: Servers) -> str:
    """A stable pair; the key of its primary."""
    roles = {host: servers.apis[host].status()["node"]["role"] for host in HOSTS}
    if "standalone" in roles.values():
        ensure_parted(servers)
        servers.pair(TIMING)
        return "a"
    primary = primary_of(servers)
    wait_stable(servers, primary, STABLE_S)
    return primary


def ensure_parted(servers: Servers) -> None:
    """Two standalone servers, whatever they were before."""
    roles = {host: servers.apis[host].status()["node"]["role"] for host in HOSTS}
    if sorted(roles.values()) == ["primary", "secondary"]:
        primary = primary_of(servers)
        wait_stable(servers, primary, STABLE_S)
        tear_down(servers)
    for host in HOSTS:
        if servers.apis[host].status()["node"]["role"] != "standalone":
            change_role(servers, host, "standalone")
    discard_drafts(servers)
    wait_parted(servers)
    forget_what_is_kept_aside(servers)


def forget_what_is_kept_aside(servers: Servers) -> None:
    """Each set-up keeps the secondary's own data, until somebody says otherwise: the disk of a lab is soon full."""
    for host in HOSTS:
        api = servers.apis[host]
        # Root's part of a worker that has just begun answers a moment later.
        found = wait_for(partial(_answered, api, "/ha/rescues"), ALONE_S, f"the rescues of {host}")
        for kept in found["items"]:
            api.call("DELETE", f"/ha/rescues/{kept['id']}", {"confirm": kept["id"]})


def _answered(api: Api, path: str) -> Json | None:
    answer = api.call("GET", path)
    return answer.body if answer.status == 200 else None


def draft_both(servers: Servers) -> None:
    """The manual's steps before the first APPLY."""
    fingerprint = servers.apis["a"].ask("POST", "/ha/fingerprint")["HAPeerFingerprint"]
    servers.apis["a"].save_draft(primary_draft(servers.hosts, fingerprint, TIMING))
    servers.apis["b"].save_draft(secondary_draft(servers.hosts, fingerprint, TIMING))


def begin(servers: Servers, wanted: Combination, host: str) -> None:
    """The job is queued on the host, or will be by its monitor."""
    api, kind = servers.apis[host], wanted.job.kind
    if kind == "rejoin":
        _supersede(servers, wanted.step, host)
        return
    if kind == "swap":
        api.save_draft({"HAServerRole": "secondary"})
    elif kind == "takeover":
        api.save_draft({"HAServerRole": "primary"})
    elif kind == "teardown":
        api.save_draft({"HAServerRole": "standalone"})
    elif kind == "settings":
        api.save_draft({"HAAntiFlappingTime": _another(api.ask("GET", "/ha/config"))})
    api.apply("takeover" if kind == "takeover" else None)


def _another(config: Json) -> int:
    """A value of the field that it does not have now."""
    return 901 if config["applied"].get("HAAntiFlappingTime") != 901 else 902


def _supersede(servers: Servers, step: str, host: str) -> None:
    """The other server takes over by hand, so that this one's monitor begins its rejoin."""
    new = other(host)
    if step in AHEAD_ROWS | AHEAD_STRUCTURE:
        servers.lab.fault("cut-peer")
        _write_alone(servers, host, structure=step in AHEAD_STRUCTURE)
    api = servers.apis[new]
    api.save_draft({"HAServerRole": "primary"})
    api.finish(api.apply(HOSTNAMES[new]))
    servers.lab.fault("heal")


def _write_alone(servers: Servers, host: str, *, structure: bool) -> None:
    """The host has rows (and a table) that its standby never got."""

    def alone() -> bool:
        return "standby-out" in {reason["code"] for reason in servers.apis[host].status()["reasons"]}

    wait_for(alone, ALONE_S, "the primary going on alone")
    wait_for(lambda: is_writable(servers.database(host)), ALONE_S, "writes on the primary that is alone")
    with connected(servers.database(host)) as cursor:
        if structure:
            cursor.execute("CREATE TABLE IF NOT EXISTS lab_probe.alone (at DOUBLE)")
        for _ in range(ROWS):
            cursor.execute("INSERT INTO lab_probe.written VALUES (0)")


def outcome(servers: Servers, wanted: Combination, host: str) -> str:
    """`old` or `new`: which of the two both servers hold. Raises AssertionError where they hold neither."""
    kind = wanted.job.kind
    seen = {each: servers.apis[each].status() for each in HOSTS}
    roles = {each: found["node"]["role"] for each, found in seen.items()}
    if set(roles.values()) == {"standalone"}:
        wait_parted(servers)
        return "new" if kind == "teardown" else "old"
    if kind == "setup-primary":
        assert roles == {"a": "primary", "b": "standalone"}, roles
        servers.apis["a"].wait_status("initialized", STABLE_S)
        assert is_writable(servers.database("a"))
        return "new"
    if kind == "setup-secondary" and roles["b"] == "standalone":
        servers.apis["a"].wait_status("initialized", STABLE_S)
        assert is_writable(servers.database("a"))
        return "old"
    if kind == "teardown" and "standalone" in roles.values():
        assert wanted.job.role.value == "secondary", f"one server has left the pair and the other has not: {roles}"
        for each in HOSTS:
            assert is_writable(servers.database(each)), f"{each} does not accept writes: {roles}"
        return "new"
    primary = wait_for(lambda: primary_of(servers), STABLE_S, "one primary")
    wait_stable(servers, primary, STABLE_S)
    if kind == "settings":
        return _settings_outcome(servers, host)
    if kind in ("swap", "rejoin"):
        return "new" if primary == other(host) else "old"
    if kind == "takeover":
        return "new" if primary == host else "old"
    return "new" if kind == "setup-secondary" else "old"


def _settings_outcome(servers: Servers, host: str) -> str:
    found = {each: servers.apis[each].ask("GET", "/ha/config") for each in HOSTS}
    values = {each: config["applied"]["HAAntiFlappingTime"] for each, config in found.items()}
    assert len(set(values.values())) == 1, f"the servers have different settings: {values}"
    return "old" if found[host]["draft"] else "new"
