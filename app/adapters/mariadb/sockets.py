"""Connections ended by the kernel (SOCK_DESTROY), where the server would wait or would still say something.

Where the kernel lacks CONFIG_INET_DIAG_DESTROY, or `ss` is not installed, nothing happens here: what the callers do
beside it works alone, only later or with a narrower margin.
"""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Sequence
from contextlib import suppress

DESTROY_TIMEOUT_S = 1.0
BATCH = 200
"""Connections named in one call: a filter is an argument list, and those are bounded."""


def destroy_connections(host: str, port: int) -> None:
    """Connections from here to port `port` of `host` are given up, established or in the making."""
    matching = ["dport", "=", f":{port}"]
    with suppress(ValueError):  # a name would have to be resolved, which may take longer than what this spares
        matching = ["dst", str(ipaddress.ip_address(host)), *matching]
    _destroy(matching)


def destroy_accepted(port: int, remote_ports: Sequence[int]) -> None:
    """Connections that were accepted on `port` from those remote ports are gone, at both ends."""
    for start in range(0, len(remote_ports), BATCH):
        matching = ["sport", "=", f":{port}", "and", "("]
        for number, remote in enumerate(remote_ports[start : start + BATCH]):
            matching += [*(["or"] if number else []), "dport", "=", f":{remote}"]
        _destroy([*matching, ")"])


def _destroy(matching: list[str]) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            ["ss", "--kill", "--tcp", "state", "all", *matching],
            check=False,
            capture_output=True,
            timeout=DESTROY_TIMEOUT_S,
        )
