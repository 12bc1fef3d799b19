"""Pairs whose servers know each other by IPv6 address or by name instead of by IPv4 address."""

from __future__ import annotations

import pytest

from tests.conftest import QUICK, MakeServers
from tests.lab.acts import change_role, primary_of, tear_down, wait_stable
from tests.lab.client import Json
from tests.lab.network import HOSTNAMES
from tests.lab.pairing import pair
from tests.lab.servers import Servers
from tests.lab.system_files import DOMAIN

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def servers(make_servers: MakeServers) -> Servers:
    return make_servers(paired=False)


def known_as(servers: Servers, kind: str) -> Json:
    """The hosts with the addresses by which the administrator enters them."""
    name = {host: f"{HOSTNAMES[host]}.{DOMAIN}" for host in HOSTNAMES}
    return {
        host: {**found, "address": found["address6"] if kind == "ipv6" else name[host]}
        for host, found in servers.hosts.items()
    }


@pytest.mark.parametrize("kind", ["ipv6", "name"])
def test_servers_that_know_each_other_otherwise_pair_swap_and_part(servers: Servers, kind: str) -> None:
    hosts = known_as(servers, kind)
    pair(servers.apis, hosts, QUICK)
    assert servers.apis["a"].ask("GET", "/ha/config")["applied"]["HAPeerAddress"] == hosts["b"]["address"]
    change_role(servers, "a", "secondary")
    wait_stable(servers, "b")
    assert primary_of(servers) == "b"
    tear_down(servers)
