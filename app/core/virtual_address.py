"""The virtual address of a pair: how it is written, where it may be, and whose it is.

It is written as Linux does: `10.77.1.50/24 dev eth0`. The interface has the same name on both servers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.core.values import IpAddress, ip_address, plain_text

LENGTH_MAX = 64
"""Of a whole IPv6 address, its prefix length, ` dev ` and an interface name; they have 63 at most."""
FORM = "Must be an address with its prefix length and an interface, such as 10.77.1.50/24 dev eth0."

_WRITTEN = re.compile(r"([0-9A-Fa-f:.]{2,45})/(\d{1,3})(?:\s+dev)?\s+([A-Za-z0-9][A-Za-z0-9_.@-]{0,14})", re.ASCII)

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class VirtualAddress:
    """One address that moves with the primary."""

    address: str
    prefix: int
    interface: str

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix} dev {self.interface}"

    @property
    def ip(self) -> IpAddress:
        return ipaddress.ip_address(self.address)

    @property
    def network(self) -> IpNetwork:
        return ipaddress.ip_network(f"{self.address}/{self.prefix}", strict=False)


@dataclass(frozen=True)
class Interface:
    """A network interface of a server that is up."""

    name: str
    networks: tuple[str, ...]
    """Its addresses with their prefix lengths, such as 10.77.1.11/24."""


def parse(text: str) -> VirtualAddress:
    """The address that is written there. Raises ValueError with the sentence for the administrator."""
    match = _WRITTEN.fullmatch(plain_text(text))
    address = ip_address(match[1]) if match else None
    if match is None or address is None:
        raise ValueError(FORM)
    prefix = int(match[2])
    if not 1 <= prefix <= address.max_prefixlen:
        raise ValueError(f"Must have a prefix length between 1 and {address.max_prefixlen}.")
    if address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local:
        raise ValueError("Must be an address that other computers of the network can reach.")
    found = VirtualAddress(str(address), prefix, match[3])
    if address.is_reserved or _names_the_network(found):
        raise ValueError("Must be the address of one server in the network.")
    return found


def clean_virtual_address(text: str) -> str:
    """The normal form of a virtual address. Raises ValueError."""
    return str(parse(text))


def read(value: object) -> VirtualAddress | None:
    """The address of an applied configuration; None where there is none."""
    try:
        return parse(value) if isinstance(value, str) and value else None
    except ValueError:
        return None


def misplaced(wanted: VirtualAddress, interfaces: Sequence[Interface], whose: str = "this server") -> Iterator[str]:
    """The sentences that say why a server with these interfaces can't hold the address; none where it can."""
    here = next((each for each in interfaces if each.name == wanted.interface), None)
    if here is None:
        names = ", ".join(each.name for each in interfaces) or "none that is up"
        yield f"Names an interface that {whose} does not have: {wanted.interface} (it has {names})."
        return
    own = [ipaddress.ip_interface(each) for each in here.networks]
    networks = sorted({str(each.network) for each in own if each.ip != wanted.ip})
    if str(wanted.network) not in networks:
        subnets = ", ".join(networks) or "none"
        yield f"Must be in a subnet that {whose} has on {wanted.interface}: {subnets}."


def beyond_the_peer(wanted: VirtualAddress, peer: str) -> bool:
    """Whether the other server is, by its address, in another subnet, so that the address can't move there."""
    address = ip_address(peer)
    return address is not None and address.version == wanted.ip.version and address not in wanted.network


def _names_the_network(found: VirtualAddress) -> bool:
    """Whether it is the first or the last address of an IPv4 subnet, which no server may have."""
    network = found.network
    small = network.prefixlen >= network.max_prefixlen - 1
    if network.version == 6 or small:
        return False
    return found.ip in (network.network_address, network.broadcast_address)
