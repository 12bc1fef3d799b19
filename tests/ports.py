"""Ports for servers that a test starts."""

from __future__ import annotations

import random
import socket
from pathlib import Path

FIRST = 20_000
TRIES = 100


def free_port(address: str) -> int:
    """A port that nobody listens on at this address just now, and that the kernel gives to no connection of others: the
    server may be started later, and started again."""
    given_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in random.Random().sample(range(FIRST, max(given_from, FIRST + TRIES)), TRIES):
        with socket.socket(family) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port of {address} is free")
