"""The virtual address of the pair on this server's interfaces."""

from __future__ import annotations

from typing import Protocol

from app.core.virtual_address import VirtualAddress


class Addresses(Protocol):
    """What is put here is marked as hapair's own; addresses that others have put on an interface are never removed.

    It does not outlive a reboot. Every call needs root.
    """

    def held(self) -> tuple[str, ...]:
        """The virtual addresses that are on this server now, as they are written in the configuration.

        Raises LocalFailure (code `address-failed`) where the system can't be asked.
        """
        ...

    def take(self, address: VirtualAddress) -> None:
        """The address is on its interface, usable at once, and the neighbours are told. Repeating it is harmless.

        Raises LocalFailure (codes `address-failed`, `no-interface`).
        """
        ...

    def give_up(self) -> None:
        """No virtual address is on this server. Repeating it is harmless. Raises LocalFailure (`address-failed`)."""
        ...

    def announce(self) -> None:
        """The neighbours in the network are told again where the addresses that are held here live: by gratuitous ARP,
        or by an unsolicited neighbour advertisement. Raises LocalFailure (code `address-failed`)."""
        ...
