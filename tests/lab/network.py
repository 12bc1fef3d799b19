"""The network of a lab: a router, two hosts, three ping targets, each in a network namespace of its own.

All labs use the same addresses, since none can see another. In the topology `same` the router bridges both hosts;
in `routed` each has a subnet of its own. The router is everybody's default gateway and carries the mail server's
address. Faults of the network are made in the router, where a real cable or switch would break.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.places import LabError, Places
from tests.lab.shell import run, succeeds

HOSTS = ("a", "b")
HOSTNAMES = {"a": "alpha", "b": "beta"}
TOPOLOGIES = ("same", "routed")
ROUTER = "router"
TARGETS = {"t1": "10.77.21.2", "t2": "10.77.22.2", "t3": "10.77.23.2"}
TARGET_GATEWAYS = {"t1": "10.77.21.1", "t2": "10.77.22.1", "t3": "10.77.23.1"}
MAIL_ADDRESS = "10.77.0.25"
DOMAIN = "hapair.test"
NAMESPACES = Path("/run/netns")
CLONE_NEWNET = 0x40000000
SWITCH_HARDWARE = "02:77:00:00:00:01"
"""Fixed: otherwise it changes with the ports, and hosts look for their gateway at the old one for ten seconds."""


@dataclass(frozen=True)
class Address:
    """Where a host is in the network."""

    ipv4: str
    gateway: str
    ipv6: str
    gateway6: str
    hardware: str
    """Fixed, so that a host that boots again finds nobody with a stale neighbour entry."""


_ADDRESSES = {
    "same": {
        "a": Address("10.77.1.11", "10.77.1.1", "fd77:1::11", "fd77:1::1", "02:77:00:00:00:0a"),
        "b": Address("10.77.1.12", "10.77.1.1", "fd77:1::12", "fd77:1::1", "02:77:00:00:00:0b"),
    },
    "routed": {
        "a": Address("10.77.1.11", "10.77.1.1", "fd77:1::11", "fd77:1::1", "02:77:00:00:00:0a"),
        "b": Address("10.77.2.12", "10.77.2.1", "fd77:2::12", "fd77:2::1", "02:77:00:00:00:0b"),
    },
}

_AT_ONCE = {"net.ipv6.conf.all.accept_dad": "0", "net.ipv6.conf.default.accept_dad": "0"}
"""IPv6 addresses work at once: nobody here could hold the same one."""

_ROUTER_SETTINGS = {
    **_AT_ONCE,
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.bridge.bridge-nf-call-iptables": "0",
    "net.bridge.bridge-nf-call-ip6tables": "0",
    "net.bridge.bridge-nf-call-arptables": "0",
}
"""Bridged frames are the switch's business: the router's own rules must not see them."""

_HOST_SETTINGS = {**_AT_ONCE, "net.ipv4.ping_group_range": "0 2147483647"}
"""Every account may ping, as systemd sets it on a real Debian server."""


class Network:
    """The namespaces and links of one lab."""

    def __init__(self, lab: Places, topology: str) -> None:
        if topology not in TOPOLOGIES:
            raise LabError(f"there is no topology {topology!r}; choose same or routed.")
        self._lab = lab
        self.topology = topology
        self.unplugged: set[str] = set()
        """Hosts whose cable is out; it stays out when they boot."""
        self.slow_lines: dict[str, Callable[[], None]] = {}
        """What ends the slowness of each slow host; called by `restore`."""
        self._router = lab.namespace(ROUTER)

    def address(self, host: str) -> Address:
        return _ADDRESSES[self.topology][host]

    def build(self) -> None:
        """The router and the targets are up; hosts are plugged in as they boot."""
        parts = (ROUTER, *TARGETS)
        _ip("".join(f"netns add {self._lab.namespace(part)}\n" for part in parts))
        set_kernel(self._router, _ROUTER_SETTINGS)
        lines = ["link set lo up", f"addr add {MAIL_ADDRESS}/32 dev lo"]
        if self.topology == "same":
            here = self.address("a")
            lines += [
                f"link add switch address {SWITCH_HARDWARE} type bridge forward_delay 0 stp_state 0",
                f"addr add {here.gateway}/24 dev switch",
                f"addr add {here.gateway6}/64 dev switch nodad",
                "link set switch up",
            ]
        for target, gateway in TARGET_GATEWAYS.items():
            lines += [
                f"link add to-{target} type veth peer name eth0 netns {self._lab.namespace(target)}",
                f"addr add {gateway}/24 dev to-{target}",
                f"link set to-{target} up",
            ]
        _ip("\n".join(lines) + "\n", self._router)
        for target, address in TARGETS.items():
            _ip(
                f"link set lo up\naddr add {address}/24 dev eth0\nlink set eth0 up\n"
                f"route add default via {TARGET_GATEWAYS[target]}\n",
                self._lab.namespace(target),
            )

    def plug_in(self, host: str) -> None:
        """The host has its namespace, its address and, unless its cable is out, its link."""
        here, namespace = self.address(host), self._lab.namespace(host)
        _ip(f"netns add {namespace}\n")
        set_kernel(namespace, _HOST_SETTINGS)
        link = f"to-{host}"
        lines = [f"link add {link} type veth peer name eth0 address {here.hardware} netns {namespace}"]
        if self.topology == "same":
            lines.append(f"link set {link} master switch")
        else:
            lines += [f"addr add {here.gateway}/24 dev {link}", f"addr add {here.gateway6}/64 dev {link} nodad"]
        if host not in self.unplugged:
            lines.append(f"link set {link} up")
        _ip("\n".join(lines) + "\n", self._router)
        _ip(
            f"link set lo up\naddr add {here.ipv4}/24 dev eth0\naddr add {here.ipv6}/64 dev eth0 nodad\n"
            f"link set eth0 up\nroute add default via {here.gateway}\nroute add ::/0 via {here.gateway6}\n",
            namespace,
        )

    def link_down(self, host: str) -> None:
        """No packet leaves or reaches the host any more."""
        _ip(f"link set to-{host} down\n", self._router)

    def unplug(self, host: str) -> None:
        """The cable of the host is out until `restore`."""
        self.unplugged.add(host)
        if self.is_present(host):
            self.link_down(host)

    def remove_host(self, host: str) -> None:
        """Link and namespace of the host are gone at once, with every connection in it."""
        succeeds(["ip", "-n", self._router, "link", "delete", f"to-{host}"])
        succeeds(["ip", "netns", "delete", self._lab.namespace(host)])

    def is_present(self, host: str) -> bool:
        return (NAMESPACES / self._lab.namespace(host)).exists()

    @property
    def router(self) -> str:
        """The router's namespace."""
        return self._router

    def cut(self, pairs: list[tuple[str, str]]) -> None:
        """What the first host of each pair sends to the second is lost; their gateway hears both."""
        rules = "".join(f"    iifname to-{one} oifname to-{other} drop\n" for one, other in pairs)
        family = "bridge" if self.topology == "same" else "inet"
        self._filter(family, "cut", f"  chain forward {{\n    type filter hook forward priority 0;\n{rules}  }}\n")

    def stop_gateway(self) -> None:
        """The router neither answers nor forwards; its switch (topology `same`) goes on."""
        self._filter(
            "inet",
            "gateway",
            "  chain input {\n    type filter hook input priority 0;\n    iifname lo accept\n    drop\n  }\n"
            "  chain forward {\n    type filter hook forward priority 0;\n    drop\n  }\n",
        )

    def restore(self) -> None:
        """Every fault of the network is undone."""
        run(["ip", "netns", "exec", self._router, "nft", "flush", "ruleset"])
        while self.slow_lines:
            _, end = self.slow_lines.popitem()
            end()
        plugged = "".join(f"link set to-{host} up\n" for host in sorted(self.unplugged) if self.is_present(host))
        self.unplugged.clear()
        if plugged:
            _ip(plugged, self._router)

    def answer_pings(self, host: str, answers: bool) -> None:
        """The host answers ICMP echo, or no longer does."""
        value = "0" if answers else "1"
        set_kernel(
            self._lab.namespace(host),
            {"net.ipv4.icmp_echo_ignore_all": value, "net.ipv6.icmp.echo_ignore_all": value},
        )

    def _filter(self, family: str, table: str, chains: str) -> None:
        run(["ip", "netns", "exec", self._router, "nft", "-f", "-"], given=f"table {family} {table} {{\n{chains}}}\n")


def remove_namespaces(lab: Places) -> None:
    """None of the lab's network namespaces is left; also without a keeper."""
    if not NAMESPACES.is_dir():
        return
    for each in NAMESPACES.iterdir():
        if each.name.startswith(lab.namespace("")):
            succeeds(["ip", "netns", "delete", each.name])


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """The calling thread is in that network namespace: a socket made now stays there."""
    library = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as outside, (NAMESPACES / namespace).open() as target:
        if library.setns(target.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"could not enter the network namespace {namespace}")
        try:
            yield
        finally:
            if library.setns(outside.fileno(), CLONE_NEWNET) != 0:
                os.abort()  # a thread lost in another network must not go on


def set_kernel(namespace: str, values: dict[str, str]) -> None:
    """Kernel settings of one network namespace; those that this kernel lacks are passed over."""
    with inside(namespace):
        for name, value in values.items():
            path = Path("/proc/sys", *name.split("."))
            if path.exists():
                path.write_text(value)


def _ip(lines: str, namespace: str | None = None) -> None:
    where = ["-n", namespace] if namespace else []
    run(["ip", *where, "-batch", "-"], given=lines)
