"""One authenticated SSH connection by paramiko: how it is made, bounded in time, and recognised.

Only one key type and a few modern algorithms are offered, the same that the peer's sshd is configured with. paramiko
waits without end in some places, so every use is watched by a timer that closes the connection.
"""

from __future__ import annotations

import io
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import paramiko

LOGGER = "hapair.ssh"
TCP_USER_TIMEOUT_MS = 10_000
"""The kernel gives a connection up when what was sent is not acknowledged for so long."""
RESOLVE_SHARE = 0.5
"""How much of a request's time a name may take to resolve."""
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr")
EXCHANGES = ("curve25519-sha256@libssh.org",)
DIGESTS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com")
KEY_TYPES = ("ssh-ed25519",)


class WrongHostKey(Exception):
    """The server is not the one that was meant; nothing has been sent to it."""


class LoginRefused(Exception):
    """The server does not accept our key."""


class Deadline(NamedTuple):
    """A point of the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time is over")
        return seconds


_last_known: dict[str, str] = {}


def resolve(address: str, timeout_s: float) -> str:
    """A numeric address for an IP address or a name, in time.

    A name that can't be resolved now keeps the address that it had before: the peer is recognised by its key, not by
    its address, and a broken name server must not break the pair. Raises OSError where the name was never known.
    """
    try:
        ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        pass
    else:
        return address
    found: list[str] = []

    def look_up() -> None:
        try:
            found.append(str(socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)[0][4][0]))
        except (OSError, UnicodeError):
            return

    worker = threading.Thread(target=look_up, name="resolve", daemon=True)
    worker.start()
    worker.join(timeout_s)
    if found:
        _last_known[address] = found[0]
    if address in _last_known:
        return _last_known[address]
    raise OSError(f"the name {address} can't be resolved")


def connect(address: str, port: int, deadline: Deadline) -> socket.socket:
    """A TCP connection. Raises OSError (TimeoutError among them)."""
    host = resolve(address, deadline.left() * RESOLVE_SHARE)
    connection = socket.create_connection((host, port), timeout=deadline.left())
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TCP_USER_TIMEOUT_MS)
    return connection


def load_key(text: str) -> paramiko.PKey:
    """The Ed25519 key of an OpenSSH private key text."""
    import paramiko

    return paramiko.Ed25519Key.from_private_key(io.StringIO(text))


def new_transport(connection: socket.socket) -> paramiko.Transport:
    """A transport on the socket that offers our algorithms only. It logs nothing: its owner tells what happened."""
    import paramiko

    logging.getLogger(LOGGER).setLevel(logging.CRITICAL)
    transport = paramiko.Transport(connection)
    transport.set_log_channel(LOGGER)
    options = transport.get_security_options()
    options.ciphers, options.kex, options.digests, options.key_types = CIPHERS, EXCHANGES, DIGESTS, KEY_TYPES
    return transport


@contextmanager
def watched(transport: paramiko.Transport, deadline: Deadline) -> Iterator[None]:
    """What happens inside is over by the deadline: the transport is closed then. Raises TimeoutError instead of the
    errors that the closing brings about."""
    import paramiko

    expired = threading.Event()

    def expire() -> None:
        expired.set()
        transport.close()

    timer = threading.Timer(deadline.left(), expire)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (paramiko.SSHException, OSError, EOFError) as error:
        if expired.is_set():
            raise TimeoutError("the time is over") from error
        raise
    finally:
        timer.cancel()


def log_in(
    connection: socket.socket, account: str, key: paramiko.PKey, host_key: bytes, deadline: Deadline
) -> paramiko.Transport:
    """An authenticated transport to the server with this host key (SSH wire form), which is checked first.

    Raises WrongHostKey, LoginRefused, TimeoutError, OSError, EOFError or paramiko.SSHException; the socket is closed
    then.
    """
    import paramiko

    try:
        transport = new_transport(connection)
    except (OSError, EOFError, paramiko.SSHException):
        connection.close()
        raise
    try:
        with watched(transport, deadline):
            transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = deadline.left()
            transport.start_client(timeout=deadline.left())
            _check_host_key(transport, host_key)
            transport.auth_publickey(account, key)
    except paramiko.AuthenticationException as error:
        transport.close()
        raise LoginRefused(str(error)) from error
    except BaseException:
        transport.close()
        raise
    return transport


def _check_host_key(transport: paramiko.Transport, host_key: bytes) -> None:
    if transport.get_remote_server_key().asbytes() != host_key:
        raise WrongHostKey
