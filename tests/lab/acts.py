"""What administrators do with a pair, in one line each, for the scenario tests."""

from __future__ import annotations

from typing import Any

from tests.lab.client import is_writable
from tests.lab.network import HOSTS
from tests.lab.servers import Servers
from tests.waiting import wait_for

Json = dict[str, Any]
SETTLE_S = 60.0
RECOVER_S = 90.0


def primary_of(servers: Servers) -> str:
    """The key of the one host that is primary. Raises AssertionError unless there is exactly one."""
    roles = {host: servers.apis[host].status()["node"]["role"] for host in HOSTS}
    primaries = [host for host, role in roles.items() if role == "primary"]
    assert len(primaries) == 1, f"the roles are {roles}"
    return primaries[0]


def other(host: str) -> str:
    """The key of the other host."""
    return next(each for each in HOSTS if each != host)


def change_role(servers: Servers, host: str, role: str, confirm: str | None = None) -> Json:
    """The role of the host was changed by draft and APPLY; returns the job."""
    api = servers.apis[host]
    api.save_draft({"HAServerRole": role})
    return api.finish(api.apply(confirm))


def tear_down(servers: Servers) -> None:
    """Both servers are standalone and take writes, after one APPLY on the primary of a stable pair."""
    change_role(servers, primary_of(servers), "standalone")
    wait_parted(servers)


def wait_parted(servers: Servers) -> None:
    """Both servers are standalone and take writes."""
    for host in HOSTS:
        servers.apis[host].wait_status("standalone", SETTLE_S)
        wait_for(lambda host=host: is_writable(servers.database(host)), SETTLE_S, f"writes on {host}")  # type: ignore[misc]


def wait_stable(servers: Servers, primary: str, timeout_s: float = SETTLE_S) -> None:
    """The pair is stable with that primary, and only the primary takes writes."""
    servers.apis[primary].wait_status("stable", timeout_s, role="primary")
    servers.apis[other(primary)].wait_status("stable", timeout_s, role="secondary")
    assert is_writable(servers.database(primary))
    assert not is_writable(servers.database(other(primary)))


def recover(servers: Servers, timeout_s: float = RECOVER_S) -> str:
    """Every fault is healed, both hosts are on and the pair is stable again, by itself; returns the primary's key."""
    servers.lab.fault("heal")
    for host, found in servers.lab.ask("info")["hosts"].items():
        if not found["on"]:
            servers.lab.fault("boot", host)
    primary = wait_for(lambda: _settled(servers), timeout_s, "a stable pair")
    wait_stable(servers, primary, timeout_s)
    return primary


def _settled(servers: Servers) -> str | None:
    """The primary's key once both servers say that the pair is stable: until then a failover may be under way."""
    primary = primary_of(servers)
    words = {servers.apis[host].status()["status"] for host in HOSTS}
    return primary if words == {"stable"} else None


def discard_drafts(servers: Servers) -> None:
    """No server has a draft."""
    for api in servers.apis.values():
        api.ask("DELETE", "/ha/config/draft")
