"""The pairing listener against strangers: noise, broken SSH, wrong keys, many connections that say nothing."""

from __future__ import annotations

import contextlib
import io
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from app.adapters.peer import listener as listeners
from app.adapters.peer.pairing import SshPairing
from app.ports import Json, PairingKey
from app.settings import Settings
from tests.waiting import wait_for

HANDSHAKE_S = 1.0
"""Of each stranger; the real bound is longer."""
ENDED_S = 60.0
MEMORY_GROWTH_MB = 64.0
HALF_OPEN = 100
CONNECT_S = 5.0
SSH_NOISE = (
    b"SSH-2.0-fuzz\r\n", b"SSH-1.5-old\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 100,
    b"SSH-2.0-" + b"x" * 100_000, b"SSH-2.0-x\r\n" + b"\xff" * 40_000,
    b"SSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x14" + b"\0" * 20,
)  # fmt: skip


@dataclass
class Found:
    strangers: int = 0
    refusals: int = 0
    growth_mb: float = 0.0


def memory_mb() -> float:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


@contextlib.contextmanager
def quick_handshakes() -> Iterator[None]:
    before = listeners.HANDSHAKE_S
    listeners.HANDSHAKE_S = HANDSHAKE_S
    try:
        yield
    finally:
        listeners.HANDSHAKE_S = before


def run(seed: int, seconds: float) -> Found:
    """Strangers from many addresses until the time is over; then the right one still gets in."""
    dice, found = random.Random(seed), Found()
    asked: list[str] = []
    refused: list[str] = []

    def handle(verb: str, body: Json) -> Json:
        asked.append(verb)
        return {}

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    pairing = SshPairing(Settings(pairing_port=port))
    key = pairing.generate_pairing_key()
    with quick_handshakes():
        listener = pairing.listen(key.fingerprint, handle, lambda _, reason: refused.append(reason))
        try:
            before_mb, threads = memory_mb(), threading.active_count()
            until = time.monotonic() + seconds
            while time.monotonic() < until or not found.strangers:
                _stranger(dice, port, key)
                found.strangers += 1
            found.strangers += _half_open(port)
            wait_for(lambda: threading.active_count() <= threads, ENDED_S, "the end of all strangers")
            found.refusals, found.growth_mb = len(refused), memory_mb() - before_mb
            assert asked == [], "a stranger was answered"
            assert found.growth_mb < MEMORY_GROWTH_MB, f"memory grew by {found.growth_mb:.0f} MB"
        finally:
            listeners.HANDSHAKE_S = ENDED_S
            try:
                _right_one(pairing, key, port)
            finally:
                listener.stop()
    assert asked == ["facts"]
    return found


def _right_one(pairing: SshPairing, key: PairingKey, port: int) -> None:
    pairing.request("127.0.0.1", key.fingerprint, key.private_key, "facts", {}, ENDED_S)


def _stranger(dice: random.Random, port: int, key: PairingKey) -> None:
    """One visitor who is not the right one."""
    act: Any = dice.choice((_noise, _noise, _mutated, _wrong_key))
    address = f"127.0.{dice.randrange(1, 250)}.{dice.randrange(2, 250)}"
    with (
        contextlib.suppress(OSError, EOFError, paramiko.SSHException),
        socket.create_connection(("127.0.0.1", port), CONNECT_S, (address, 0)) as connection,
    ):
        connection.settimeout(HANDSHAKE_S + 1)
        act(dice, connection, key)


def _noise(dice: random.Random, connection: socket.socket, key: PairingKey) -> None:
    connection.sendall(dice.choice(SSH_NOISE) if dice.random() < 0.7 else dice.randbytes(dice.randrange(1, 5000)))
    if dice.random() < 0.5:
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1000)


def _mutated(dice: random.Random, connection: socket.socket, key: PairingKey) -> None:
    """A real client's greeting and key exchange, then something else."""
    connection.sendall(b"SSH-2.0-paramiko_3.4\r\n")
    length = dice.choice((0, 1, 35_000, 2**31, 2**32 - 1, 300))
    packet = length.to_bytes(4, "big") + bytes([dice.randrange(256), dice.choice((20, 30, 50, 90, 255))])
    connection.sendall(packet + dice.randbytes(dice.randrange(400)))
    connection.recv(4000)


def _wrong_key(dice: random.Random, connection: socket.socket, key: PairingKey) -> None:
    transport = paramiko.Transport(connection)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = HANDSHAKE_S  # type: ignore[attr-defined]
    try:
        transport.start_client(timeout=HANDSHAKE_S)
        other = paramiko.Ed25519Key.from_private_key(
            io.StringIO(SshPairing(Settings()).generate_pairing_key().private_key)
        )
        account = dice.choice((listeners.ACCOUNT, "root", "", "x" * 3000))
        if dice.random() < 0.5:
            transport.auth_publickey(account, other)
        else:
            transport.auth_password(account, "a guess")
    finally:
        transport.close()


def _half_open(port: int) -> int:
    """Many who connect from everywhere and say nothing."""
    with contextlib.ExitStack() as held:
        for number in range(HALF_OPEN):
            with contextlib.suppress(OSError):
                source = (f"127.1.{number}.2", 0)
                held.enter_context(socket.create_connection(("127.0.0.1", port), CONNECT_S, source))
    return HALF_OPEN
