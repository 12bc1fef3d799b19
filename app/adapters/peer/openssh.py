"""The command line of OpenSSH's client for streams to the peer: pinned keys, no configuration files, bounded waits."""

from __future__ import annotations

import json
import re

from app.adapters.keys import CLIENT_KEY, HOST_ALIAS
from app.core.errors import HapairError, PeerUnreachable
from app.core.wire import refusal
from app.settings import Settings

ACCOUNT = "root"
CONNECT_TIMEOUT_S = 10
ALIVE_INTERVAL_S = 3
ALIVE_COUNT_MAX = 3
"""A dead link is noticed after the interval times the count."""
ERROR_PREFIX = "hapair-error: "
"""Starts the line on the error output with which the forced command says why it refused a stream."""
_ADDRESS = re.compile(r"[A-Za-z0-9:.][A-Za-z0-9:.%_-]{0,254}")


def ssh_options(settings: Settings) -> list[str]:
    """`ssh` and all its options, without the destination."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": settings.peer_dir / "known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": HOST_ALIAS,
        "HostKeyAlgorithms": "ssh-ed25519",
        "UpdateHostKeys": "no",
        "IdentityFile": settings.keys_dir / CLIENT_KEY,
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "Ciphers": "aes128-gcm@openssh.com,aes256-gcm@openssh.com",
        "Compression": "no",
        "ConnectTimeout": CONNECT_TIMEOUT_S,
        "ServerAliveInterval": ALIVE_INTERVAL_S,
        "ServerAliveCountMax": ALIVE_COUNT_MAX,
        "LogLevel": "ERROR",
    }
    command = ["ssh", "-F", "none", "-T", "-x", "-a", "-l", ACCOUNT, "-p", str(settings.peer_port)]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return command


def checked_address(address: str) -> str:
    """The address, if it can be given to ssh. Raises PeerUnreachable."""
    if not _ADDRESS.fullmatch(address):
        raise PeerUnreachable(
            "peer-unreachable",
            "The Peer's Address Is Not Valid",
            detail=repr(address[:80]),
            hint="Correct HAPeerAddress.",
        )
    return address


def stream_error(output: str, address: str) -> HapairError:
    """The error that a stream's error output tells: the peer's own refusal, or that it can't be reached."""
    for line in output.splitlines():
        if line.startswith(ERROR_PREFIX):
            try:
                return refusal(json.loads(line.removeprefix(ERROR_PREFIX)))
            except (ValueError, RecursionError):
                break
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "the connection broke off")
    return PeerUnreachable(
        "peer-unreachable",
        "The Other Server Can't Be Reached",
        detail=f"The stream to {address} ended early: {last[:500]}",
        hint="See that the other server is up and that its peer port is reachable, then try again.",
    )
