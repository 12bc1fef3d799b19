"""A server whose interfaces live in memory."""

from __future__ import annotations

from app.core.errors import LocalFailure
from app.core.virtual_address import VirtualAddress


class FakeAddresses:
    """Notes what is told to the network."""

    def __init__(self, interfaces: tuple[str, ...] = ("eth0",)) -> None:
        self.interfaces = interfaces
        self.failing = False
        """The system refuses every change."""
        self.announced: list[str] = []
        self._held: list[VirtualAddress] = []

    def held(self) -> tuple[str, ...]:
        self._must_work()
        return tuple(str(each) for each in self._held)

    def take(self, address: VirtualAddress) -> None:
        self._must_work()
        if address.interface not in self.interfaces:
            raise LocalFailure("no-interface", "The Virtual Address Has No Interface", detail=address.interface)
        if address not in self._held:
            self._held.append(address)
        self.announce()

    def give_up(self) -> None:
        self._must_work()
        self._held.clear()

    def announce(self) -> None:
        self._must_work()
        self.announced += [str(each) for each in self._held]

    def _must_work(self) -> None:
        if self.failing:
            raise LocalFailure("address-failed", "The Virtual Address Can't Be Changed")
