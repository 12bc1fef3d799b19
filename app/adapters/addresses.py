"""The virtual address by pyroute2 (netlink), and its announcement to the network by raw frames.

An address of ours carries the protocol number OURS (IFA_PROTO, Linux 5.18 and later), so that it is told from those of
others without any note on a disk.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import LocalFailure
from app.core.virtual_address import VirtualAddress

if TYPE_CHECKING:
    from pyroute2 import IPRoute

OURS = 77
"""Marks our addresses; the kernel and the daemons that are known use numbers up to 3."""
IFA_F_NODAD = 0x02
"""An IPv6 address works at once: the wait for somebody who has it too would be a second of outage."""
FOREVER = 0xFFFFFFFF
BROADCAST = b"\xff" * 6
ETHERTYPE_ARP = 0x0806
HARDWARE_ETHERNET, ETHERTYPE_IPV4 = 1, 0x0800
ARP_REQUEST, ARP_REPLY = 1, 2
NEIGHBOUR_ADVERTISEMENT = 136
OVERRIDE = 0x20000000
"""The flag of an advertisement that replaces what the neighbours knew."""
TARGET_LINK_LAYER = 2
ALL_NODES = "ff02::1"
HOPS = 255
"""Neighbours accept no advertisement that could have come through a router."""


@dataclass(frozen=True)
class _Held:
    address: str
    prefix: int
    index: int
    interface: str
    hardware: bytes

    def __str__(self) -> str:
        return str(VirtualAddress(self.address, self.prefix, self.interface))


class NetlinkAddresses:
    """Each call opens a netlink socket of its own: they are rare, and come from several threads."""

    def held(self) -> tuple[str, ...]:
        with _netlink() as kernel:
            return tuple(str(each) for each in _ours(kernel))

    def take(self, address: VirtualAddress) -> None:
        with _netlink() as kernel:
            found = kernel.link_lookup(ifname=address.interface)
            if not found:
                raise LocalFailure(
                    "no-interface",
                    "The Virtual Address Has No Interface",
                    detail=f"This server has no interface {address.interface}.",
                    hint="Correct HAVirtualAddress, or bring the interface up.",
                )
            # "replace" also takes over an address that somebody has put there by hand.
            kernel.addr(
                "replace", index=found[0], address=address.address, prefixlen=address.prefix, IFA_PROTO=OURS,
                **_only_for_answers(address),
            )  # fmt: skip
        self.announce()

    def give_up(self) -> None:
        from pyroute2.netlink.exceptions import NetlinkError

        with _netlink() as kernel:
            for each in _ours(kernel):
                try:
                    kernel.addr("del", index=each.index, address=each.address, prefixlen=each.prefix)
                except NetlinkError as error:
                    # Another process of ours may have been faster.
                    if error.code != errno.EADDRNOTAVAIL:
                        raise

    def announce(self) -> None:
        with _netlink() as kernel:
            for each in _ours(kernel):
                _announce(each)


def _only_for_answers(address: VirtualAddress) -> dict[str, Any]:
    """IPv6 would choose the newest address for what this server itself begins; this one is for answers only."""
    if address.ip.version == 4:
        return {}
    return {"IFA_FLAGS": IFA_F_NODAD, "IFA_CACHEINFO": {"ifa_preferred": 0, "ifa_valid": FOREVER}}


@contextmanager
def _netlink() -> Iterator[IPRoute]:
    """A netlink socket. Whatever fails with it is a LocalFailure."""
    # Loaded here: it takes 24 MB, and most servers have no virtual address.
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute() as kernel:
            yield kernel
    except (NetlinkError, OSError) as error:
        raise LocalFailure(
            "address-failed",
            "The Virtual Address Can't Be Changed",
            detail=str(error),
            hint="See that hapair's monitor runs as root and that the interface exists.",
        ) from error


def _ours(kernel: IPRoute) -> list[_Held]:
    links = {each["index"]: each for each in kernel.get_links()}
    found = []
    for each in kernel.get_addr():
        link = links.get(each["index"])
        if each.get_attr("IFA_PROTO") != OURS or link is None:
            continue
        address = each.get_attr("IFA_LOCAL") or each.get_attr("IFA_ADDRESS")
        hardware = bytes.fromhex((link.get_attr("IFLA_ADDRESS") or "").replace(":", ""))
        found.append(_Held(address, each["prefixlen"], each["index"], link.get_attr("IFLA_IFNAME"), hardware))
    return found


def _announce(held: _Held) -> None:
    if len(held.hardware) != len(BROADCAST):
        return  # a tunnel or the like: it has no neighbours who could know a wrong one
    if ":" in held.address:
        _advertise(held)
    else:
        _gratuitous_arp(held)


def _gratuitous_arp(held: _Held) -> None:
    """A request and a reply for the address itself: some neighbours learn from the one only, some from the other."""
    address = socket.inet_aton(held.address)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP)) as line:
        line.bind((held.interface, ETHERTYPE_ARP))
        for operation, target in ((ARP_REQUEST, bytes(6)), (ARP_REPLY, BROADCAST)):
            frame = BROADCAST + held.hardware + struct.pack("!H", ETHERTYPE_ARP)
            frame += struct.pack("!HHBBH", HARDWARE_ETHERNET, ETHERTYPE_IPV4, 6, 4, operation)
            line.send(frame + held.hardware + address + target + address)


def _advertise(held: _Held) -> None:
    """The kernel fills in the checksum."""
    message = struct.pack("!BBHI", NEIGHBOUR_ADVERTISEMENT, 0, 0, OVERRIDE)
    message += socket.inet_pton(socket.AF_INET6, held.address)
    message += struct.pack("!BB", TARGET_LINK_LAYER, 1) + held.hardware
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as line:
        line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, HOPS)
        line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, held.index)
        line.bind((held.address, 0))
        line.sendto(message, (ALL_NODES, 0, 0, held.index))
