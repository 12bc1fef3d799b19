"""ICMP echo by icmplib over raw sockets (root).

icmplib gives up on a whole round when one name does not resolve, so names are resolved here: each by a helper
thread of its own, at most one a name, and what it found is kept. A round waits only for names that are asked for the
first time; a resolver that hangs later costs the pings of the others nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from icmplib import Host, ICMPLibError, async_multiping

NAME_FRESH_S = 60.0
"""A resolved name is looked up again, in the background, after this time."""
NAME_KEPT_S = 3600.0
"""An address goes on being pinged this long while its name can't be looked up again."""
NAME_SHARE = 0.5
"""Part of a round's time that may be spent on resolving names."""
CLOCK_MARGIN_S = 0.1
NAMES_MAX = 64
"""Names remembered at once; the one looked up longest ago is forgotten first."""


@dataclass
class _Name:
    """What is known of one name; `lookup` is set while a helper thread works on it."""

    asked_at: float
    address: str | None = None
    found_at: float = 0.0
    lookup: Future[str | None] | None = None


class IcmpPinger:
    """Pings all addresses of a round at once, in one short event loop, and never raises."""

    def __init__(self) -> None:
        self._names: dict[str, _Name] = {}
        self._lock = threading.Lock()

    def ping(self, addresses: Sequence[str], timeout_s: float) -> dict[str, float | None]:
        answers: dict[str, float | None] = dict.fromkeys(addresses)
        deadline = time.monotonic() + timeout_s
        literals = self._literals(list(answers), timeout_s * NAME_SHARE)
        if not literals:
            return answers
        remaining_s = max(deadline - time.monotonic(), 0.0)
        round_trips = _echo(sorted(set(literals.values())), remaining_s)
        for asked, literal in literals.items():
            answers[asked] = round_trips.get(literal)
        return answers

    def _literals(self, addresses: list[str], timeout_s: float) -> dict[str, str]:
        """Each address or resolved name, and the literal address to ping for it; unresolved names are left out."""
        literals = {each: each for each in addresses if _is_literal(each)}
        names = [each for each in addresses if each not in literals]
        lookups = [self._lookup(name) for name in names]
        deadline = time.monotonic() + timeout_s
        for lookup in lookups:
            if lookup is not None:
                _wait(lookup, deadline - time.monotonic())
        with self._lock:
            for name in names:
                known = self._names.get(name)
                if known is not None and known.address is not None:
                    literals[name] = known.address
        return literals

    def _lookup(self, name: str) -> Future[str | None] | None:
        """The running first lookup of the name, or None where there is nothing to wait for."""
        now = time.monotonic()
        with self._lock:
            known = self._names.get(name)
            first = known is None
            if known is None:
                known = self._names[name] = _Name(asked_at=now)
                self._forget_oldest()
            if known.address is not None and now - known.found_at > NAME_KEPT_S:
                known.address = None
            if known.lookup is None and (first or now - known.asked_at > NAME_FRESH_S):
                known.asked_at = now
                known.lookup = Future()
                threading.Thread(
                    target=self._resolve, args=(name, known, known.lookup), name=f"resolve {name[:40]}", daemon=True
                ).start()
            return known.lookup if first else None

    def _resolve(self, name: str, known: _Name, lookup: Future[str | None]) -> None:
        address = _resolve_name(name)
        with self._lock:
            known.lookup = None
            if address is not None:
                known.address = address
                known.found_at = time.monotonic()
        lookup.set_result(address)

    def _forget_oldest(self) -> None:
        if len(self._names) > NAMES_MAX:
            oldest = min(self._names, key=lambda name: self._names[name].asked_at)
            del self._names[oldest]


def _is_literal(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def _wait(lookup: Future[str | None], timeout_s: float) -> None:
    try:
        lookup.result(max(timeout_s, 0.0))
    except TimeoutError:
        return


def _resolve_name(name: str) -> str | None:
    """The first address of a name, IPv4 before IPv6, or None; takes as long as the system's resolver takes."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_RAW)
    except (OSError, UnicodeError, ValueError):
        return None
    by_family = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return str(by_family[0][4][0]) if by_family else None


def _echo(addresses: list[str], timeout_s: float) -> dict[str, float]:
    """Round trip in ms of one echo to each literal address that answered in time."""
    try:
        hosts = asyncio.run(_echo_bounded(addresses, timeout_s))
    except (ICMPLibError, OSError, ValueError):
        return {}
    return {host.address: max(host.avg_rtt, 0.0) for host in hosts if host.is_alive}


async def _echo_bounded(addresses: list[str], timeout_s: float) -> list[Host]:
    """icmplib counts its time-out by the wall clock: this bound also holds when that clock is set back meanwhile."""
    echoes = async_multiping(addresses, count=1, timeout=timeout_s, privileged=True)
    return await asyncio.wait_for(echoes, timeout_s + CLOCK_MARGIN_S)
