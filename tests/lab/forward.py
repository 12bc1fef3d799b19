"""The ways into a lab from outside: ports on 127.0.0.1 that lead to a host, and the mail server in the router.

One thread of the keeper does all of it with asyncio. A socket belongs to the network namespace in which it was made,
so each connection to a host begins with a short step inside its namespace. No packet waits for the acknowledgement of
the one before (TCP_NODELAY): a way would else cost a client 40 ms and more at each connection. asyncio asks for that
only where a socket names its protocol, and those made here do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

from tests.lab.network import MAIL_ADDRESS, ROUTER, inside
from tests.lab.places import Places

CHUNK_BYTES = 65536
CONNECT_TIMEOUT_S = 10.0
START_TIMEOUT_S = 10.0
SMTP_PORT = 25
BACKLOG = 100


@dataclass(frozen=True)
class Way:
    """One forwarded port of a host."""

    host: str
    port: int


class Forwarder:
    """All ways into one lab; `ports` says where they begin on 127.0.0.1."""

    def __init__(self, lab: Places, ways: tuple[Way, ...], ports: dict[Way, int] | None = None) -> None:
        self._lab = lab
        self._listeners = {way: _listen_outside((ports or {}).get(way, 0)) for way in ways}
        self.ports = {way: listener.getsockname()[1] for way, listener in self._listeners.items()}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._mailbox = Mailbox(lab.mailbox)

    def start(self) -> None:
        """Connections are taken from now on. The router's namespace must exist."""
        with inside(self._lab.namespace(ROUTER)):
            mail = socket.create_server((MAIL_ADDRESS, SMTP_PORT))
        threading.Thread(target=self._run, args=(mail,), name="forwarder", daemon=True).start()
        self._ready.wait(START_TIMEOUT_S)

    def _run(self, mail: socket.socket) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(mail))
        self._loop.run_forever()

    async def _serve(self, mail: socket.socket) -> None:
        for way, listener in self._listeners.items():
            await asyncio.start_server(self._forwarding(way), sock=listener)
        await self._loop.create_server(self._mail_server, sock=mail)
        self._ready.set()

    def _mail_server(self) -> SMTP:
        return SMTP(self._mailbox, hostname="mail.hapair.test", loop=self._loop)

    def _forwarding(self, way: Way) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            _send_at_once(writer.get_extra_info("socket"))
            try:
                there_reader, there_writer = await asyncio.wait_for(self._connect(way), CONNECT_TIMEOUT_S)
            except (OSError, TimeoutError):
                writer.transport.abort()
                return
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
            writer.close()
            there_writer.close()

        return forward

    async def _connect(self, way: Way) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        with inside(self._lab.namespace(way.host)):
            here = socket.socket()
        try:
            here.setblocking(False)
            _send_at_once(here)
            await self._loop.sock_connect(here, ("127.0.0.1", way.port))
            return await asyncio.open_connection(sock=here)
        except BaseException:
            here.close()
            raise


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything read is written, until the end; then the other side sees the end (or the abort) too."""
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        writer.transport.abort()
        return
    with contextlib.suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()


def _send_at_once(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _listen_outside(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
