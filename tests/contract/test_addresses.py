"""What a server's virtual address promises: the fake, and real interfaces in a network of the test's own."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import pytest

from app.adapters.addresses import NetlinkAddresses
from app.core.errors import LocalFailure
from app.core.virtual_address import VirtualAddress, parse
from app.ports import Addresses
from tests.fakes.addresses import FakeAddresses
from tests.lab.network import inside
from tests.waiting import wait_for

IPV4 = parse("10.99.0.50/24 dev here")
IPV6 = parse("fd99::50/64 dev here")
OWN = "10.99.0.1"
HARDWARE = "02:99:00:00:00:01"
ARP, IPV6_PACKETS, EVERYTHING = 0x0806, 0x86DD, 0x0003
TOLD_S = 30.0


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


class Segment:
    """A namespace with two ends of a cable: `here` holds addresses, `there` hears what is sent."""

    def __init__(self) -> None:
        self.name = f"addresses-{os.getpid()}"

    def build(self) -> None:
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "add", "here", "address", HARDWARE, "type", "veth", "peer", "name", "there")
        for end in ("here", "there", "lo"):
            ip("-n", self.name, "link", "set", end, "up")
        ip("-n", self.name, "address", "add", f"{OWN}/24", "dev", "here")

    def remove(self) -> None:
        ip("netns", "delete", self.name)

    def run(self, act: Callable[[], object]) -> object:
        """What `act` returns, called inside the namespace."""

        def enter() -> object:
            with inside(self.name):
                return act()

        with ThreadPoolExecutor(1) as alone:
            return alone.submit(enter).result()

    def addresses(self) -> set[str]:
        shown = ip("-n", self.name, "-brief", "address", "show", "dev", "here").split()[2:]
        return {each for each in shown if not each.startswith("fe80")}


class RealAddresses:
    """The adapter, each call inside the segment."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.real = NetlinkAddresses()

    def held(self) -> tuple[str, ...]:
        found = self.segment.run(self.real.held)
        assert isinstance(found, tuple)
        return found

    def take(self, address: VirtualAddress) -> None:
        self.segment.run(lambda: self.real.take(address))

    def give_up(self) -> None:
        self.segment.run(self.real.give_up)

    def announce(self) -> None:
        self.segment.run(self.real.announce)


@pytest.fixture
def segment() -> Iterator[Segment]:
    made = Segment()
    made.build()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(params=["fake", "real"])
def addresses(request: pytest.FixtureRequest) -> Addresses:
    if request.param == "fake":
        return FakeAddresses(("here",))
    return RealAddresses(request.getfixturevalue("segment"))


@pytest.mark.parametrize("address", [IPV4, IPV6], ids=["ipv4", "ipv6"])
def test_what_was_taken_is_held_until_it_is_given_up(addresses: Addresses, address: VirtualAddress) -> None:
    assert addresses.held() == ()
    addresses.take(address)
    assert addresses.held() == (str(address),)
    addresses.give_up()
    assert addresses.held() == ()


def test_each_act_may_be_repeated(addresses: Addresses) -> None:
    addresses.give_up()
    for _ in range(2):
        addresses.take(IPV4)
        addresses.announce()
    assert addresses.held() == (str(IPV4),)
    for _ in range(2):
        addresses.give_up()
        addresses.announce()
    assert addresses.held() == ()


def test_giving_up_leaves_none_of_several(addresses: Addresses) -> None:
    addresses.take(IPV4)
    addresses.take(IPV6)
    assert set(addresses.held()) == {str(IPV4), str(IPV6)}
    addresses.give_up()
    assert addresses.held() == ()


def test_an_interface_that_is_not_there_is_a_local_failure(addresses: Addresses) -> None:
    with pytest.raises(LocalFailure) as failed:
        addresses.take(parse("10.99.0.50/24 dev nowhere"))
    assert failed.value.code == "no-interface"
    assert addresses.held() == ()


def test_addresses_of_others_stay(segment: Segment) -> None:
    addresses = RealAddresses(segment)
    addresses.take(IPV4)
    addresses.take(IPV6)
    assert segment.addresses() == {f"{OWN}/24", "10.99.0.50/24", "fd99::50/64"}
    addresses.give_up()
    assert segment.addresses() == {f"{OWN}/24"}


def test_an_address_that_was_put_there_by_hand_is_taken_over(segment: Segment) -> None:
    ip("-n", segment.name, "address", "add", "10.99.0.50/24", "dev", "here")
    addresses = RealAddresses(segment)
    assert addresses.held() == ()
    addresses.take(IPV4)
    assert addresses.held() == (str(IPV4),)
    addresses.give_up()
    assert segment.addresses() == {f"{OWN}/24"}


@pytest.mark.parametrize(("address", "family"), [(IPV4, socket.AF_INET), (IPV6, socket.AF_INET6)])
def test_it_works_at_once_and_is_not_used_for_what_the_server_itself_begins(
    segment: Segment, address: VirtualAddress, family: socket.AddressFamily
) -> None:
    ip("-n", segment.name, "address", "add", "fd99::1/64", "dev", "here", "nodad")
    RealAddresses(segment).take(address)

    def look() -> str:
        with socket.socket(family, socket.SOCK_DGRAM) as one, socket.socket(family, socket.SOCK_DGRAM) as other:
            one.bind((address.address, 0))
            other.connect(("10.99.0.9" if family is socket.AF_INET else "fd99::9", 9))
            return str(other.getsockname()[0])

    assert segment.run(look) == (OWN if family is socket.AF_INET else "fd99::1")


@dataclass
class Ear:
    """What arrives at the other end of the cable."""

    segment: Segment
    frames: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(TOLD_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(TOLD_S)
        assert not self._thread.is_alive()

    def _listen(self) -> None:
        with inside(self.segment.name):
            line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING))
        with line:
            line.bind(("there", EVERYTHING))
            line.settimeout(0.1)
            self._ready.set()
            while not self._stop.is_set():
                try:
                    self.frames.append(line.recv(2048))
                except TimeoutError:
                    continue

    def arp_operations(self) -> set[int]:
        """Of the frames that say that the virtual address is at our hardware address."""
        hardware, address = bytes.fromhex(HARDWARE.replace(":", "")), socket.inet_aton(IPV4.address)
        told = [each for each in self.frames if each[12:14] == ARP.to_bytes(2, "big") and each[28:32] == address]
        return {
            int.from_bytes(each[20:22], "big") for each in told if each[22:28] == hardware and each[38:42] == address
        }

    def advertised(self) -> bool:
        """Whether an unsolicited advertisement with the override flag has come, to all, with our hardware address."""
        hardware, address = bytes.fromhex(HARDWARE.replace(":", "")), socket.inet_pton(socket.AF_INET6, IPV6.address)
        return any(
            each[12:14] == IPV6_PACKETS.to_bytes(2, "big")
            and each[38:54] == socket.inet_pton(socket.AF_INET6, "ff02::1")
            and each[54] == 136
            and each[58] == 0x20
            and each[62:78] == address
            and each[80:86] == hardware
            for each in self.frames
        )


def test_the_network_is_told_by_gratuitous_arp_and_by_unsolicited_advertisement(segment: Segment) -> None:
    addresses = RealAddresses(segment)
    with Ear(segment) as ear:
        addresses.take(IPV4)
        wait_for(lambda: ear.arp_operations() == {1, 2}, TOLD_S, "gratuitous ARP, as request and as reply")
        addresses.take(IPV6)
        wait_for(ear.advertised, TOLD_S, "the neighbour advertisement")
        ear.frames.clear()
        addresses.announce()
        wait_for(lambda: ear.arp_operations() == {1, 2} and ear.advertised(), TOLD_S, "the announcement of both")
