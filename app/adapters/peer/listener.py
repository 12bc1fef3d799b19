"""The secondary's listener for the first contact: a small SSH server that exists only while a draft waits.

Strangers may reach it, so everything is bounded: connections at a time and by address, failed attempts by address, the
time for the handshake and for the whole visit, the size of a message. It knows one account, one key (by fingerprint),
one command and two verbs. After the first successful `pair` the value is used up and nothing else is accepted.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.adapters.peer import fingerprint as fingerprints
from app.adapters.peer.connection import Deadline, load_key, new_transport, watched
from app.core.errors import HapairError, InvalidInput, LocalFailure, NotAllowed
from app.core.wire import REQUEST_BYTES_MAX, Request, error_line, parse_request, reply_line
from app.ports import Json

if TYPE_CHECKING:
    import paramiko

    from app.adapters.peer.server import PairingServer

ACCOUNT = "hapair-pairing"
COMMAND = "pairing"
VERBS = ("facts", "pair")
CONNECTIONS_MAX = 8
CONNECTIONS_BY_ADDRESS_MAX = 3
FAILURES_MAX = 10
FAILURES_WINDOW_S = 60.0
"""So many failed attempts of one address in so long; further ones are closed unheard."""
ADDRESSES_REMEMBERED_MAX = 1000
HANDSHAKE_S = 5.0
VISIT_S = 60.0
ACCEPT_POLL_S = 0.2
VISIT_POLL_S = 0.1
BACKLOG = 8
CHUNK_BYTES = 64 * 1024


class Throttle:
    """Counts connections and failures by address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._failures: dict[str, deque[float]] = {}

    def enter(self, address: str, now: float) -> str:
        """Empty where the address may come in (then `leave` must follow), else the reason why not."""
        with self._lock:
            recent = self._failures.get(address)
            while recent and recent[0] < now - FAILURES_WINDOW_S:
                recent.popleft()
            if recent and len(recent) >= FAILURES_MAX:
                return "too many failed attempts"
            if self._open.total() >= CONNECTIONS_MAX or self._open[address] >= CONNECTIONS_BY_ADDRESS_MAX:
                return "too many connections at a time"
            self._open[address] += 1
            return ""

    def leave(self, address: str, now: float, *, failed: bool) -> None:
        with self._lock:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
            if failed:
                if address not in self._failures and len(self._failures) >= ADDRESSES_REMEMBERED_MAX:
                    del self._failures[next(iter(self._failures))]
                self._failures.setdefault(address, deque(maxlen=FAILURES_MAX)).append(now)


class SshPairingListener:
    """The port PairingListener."""

    def __init__(
        self,
        port: int,
        fingerprint: str,
        handle: Callable[[str, Json], Json],
        refused: Callable[[str, str], None],
    ) -> None:
        self._port = port
        self._fingerprint = fingerprint
        self._handle = handle
        self._refused = refused
        self._host_key = load_key(fingerprints.listener_key_text(fingerprint))
        self._throttle = Throttle()
        self._stopping = threading.Event()
        self._pairing = threading.Lock()
        self._retired = False
        self._lock = threading.Lock()
        self._transports: set[paramiko.Transport] = set()
        self._visits: set[threading.Thread] = set()
        self._socket: socket.socket | None = None
        self._acceptor: threading.Thread | None = None

    @property
    def retired(self) -> bool:
        return self._retired

    def start(self) -> None:
        """Connections are accepted. Raises LocalFailure (code `pairing-port-busy`)."""
        try:
            self._socket = _listening_socket(self._port)
        except OSError as error:
            raise LocalFailure(
                "pairing-port-busy",
                "The Pairing Port Can't Be Opened",
                detail=f"Port {self._port}: {error.strerror or error}.",
                hint="End the program that uses this port, or set another HAPAIR_PAIRING_PORT on both servers.",
            ) from error
        self._acceptor = threading.Thread(
            target=self._accept, args=(self._socket,), name="pairing-listener", daemon=True
        )
        self._acceptor.start()

    def stop(self) -> None:
        """Nobody listens any more; visits under way are broken off and their threads have ended."""
        self._stopping.set()
        with self._lock:
            transports, visits = list(self._transports), list(self._visits)
        for transport in transports:
            transport.close()
        for thread in (self._acceptor, *visits):
            if thread is not None:
                thread.join(VISIT_S)
        if self._socket is not None:
            self._socket.close()

    def _accept(self, listening: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, source = listening.accept()
            except TimeoutError:
                continue
            except OSError as error:
                self._refused("", f"a connection could not be accepted: {error}")
                self._stopping.wait(ACCEPT_POLL_S)
                continue
            address = str(source[0]).removeprefix("::ffff:")
            reason = self._throttle.enter(address, time.monotonic())
            if reason:
                connection.close()
                self._refused(address, reason)
                continue
            visit = threading.Thread(target=self._visit, args=(connection, address), name="pairing-visit", daemon=True)
            with self._lock:
                self._visits.add(visit)
            visit.start()

    def _visit(self, connection: socket.socket, address: str) -> None:
        """One visitor, from the first byte to the last."""
        import paramiko

        failure = ""
        try:
            failure = self._serve(connection, address)
        except TimeoutError:
            failure = "the time was over"
        except (OSError, EOFError, paramiko.SSHException) as error:
            failure = f"the connection broke off: {error}"[:300]
        finally:
            connection.close()
            self._throttle.leave(address, time.monotonic(), failed=bool(failure))
            with self._lock:
                self._visits.discard(threading.current_thread())
        if failure and not self._stopping.is_set():
            self._refused(address, failure)

    def _serve(self, connection: socket.socket, address: str) -> str:
        """Empty where the visitor was the right one, else what was wrong."""
        from app.adapters.peer.server import PairingServer

        connection.settimeout(HANDSHAKE_S)
        transport = new_transport(connection)
        with self._lock:
            self._transports.add(transport)
        server = PairingServer(ACCOUNT, COMMAND.encode(), self._fingerprint)
        try:
            handshake = Deadline.after(HANDSHAKE_S)
            with watched(transport, handshake):
                transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = HANDSHAKE_S
                transport.add_server_key(self._host_key)
                transport.start_server(event=None, server=server)
                channel = _awaited_channel(transport, server)
                if channel is None:
                    return server.reason or "it went away before it asked for anything"
            with watched(transport, Deadline.after(VISIT_S)):
                self._converse(channel, address)
        finally:
            transport.close()
            with self._lock:
                self._transports.discard(transport)
        return ""

    def _converse(self, channel: paramiko.Channel, address: str) -> None:
        """Requests are answered, one line each, until the visitor goes."""
        channel.settimeout(VISIT_S)
        buffer = bytearray()
        while not self._stopping.is_set():
            end = buffer.find(b"\n")
            if end < 0 and len(buffer) <= REQUEST_BYTES_MAX:
                chunk = channel.recv(CHUNK_BYTES)
                if not chunk:
                    return
                buffer += chunk
                continue
            line = bytes(buffer[:end]) if end >= 0 else bytes(buffer)
            del buffer[: len(line) + 1]
            channel.sendall(self._answer(line, address))

    def _answer(self, line: bytes, address: str) -> bytes:
        request_id = 0
        try:
            request = parse_request(line)
            request_id = request.id
            return reply_line(request_id, self._dispatch(request))
        except HapairError as error:
            self._refused(address, f"{error.code}: {error}"[:300])
            return error_line(request_id, error)

    def _dispatch(self, request: Request) -> Json:
        if request.verb not in VERBS:
            raise InvalidInput("unknown-verb", "This Is Not Known Here", detail=request.verb)
        with self._pairing:
            if self._retired:
                raise NotAllowed(
                    "fingerprint-used",
                    "This Fingerprint Has Been Used",
                    detail="The two servers have exchanged their keys with it already.",
                    hint="Generate a new fingerprint on the primary and paste it into the secondary.",
                )
            reply = self._handle(request.verb, request.body)
            self._retired = request.verb == "pair"
            return reply


def _awaited_channel(transport: paramiko.Transport, server: PairingServer) -> paramiko.Channel | None:
    """The channel on which the command was asked for; None when the visitor has gone."""
    channel = None
    while transport.is_active():
        channel = channel or transport.accept(VISIT_POLL_S)
        if channel is not None and server.asked.wait(VISIT_POLL_S):
            return channel
    return None


def _listening_socket(port: int) -> socket.socket:
    """On all addresses of both families, or of IPv4 alone where the system has no IPv6."""
    if socket.has_dualstack_ipv6():
        listening = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
    else:
        listening = socket.create_server(("", port), backlog=BACKLOG)
    listening.settimeout(ACCEPT_POLL_S)
    return listening
