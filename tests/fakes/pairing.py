"""The first contact on a network of one's own: listeners by address."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Callable

from app.core.errors import HapairError, InvalidInput, LocalFailure, NotAllowed, PeerRefused, PeerUnreachable
from app.core.wire import error_line, parse_reply, parse_request, reply_line, request_line
from app.ports import Json, PairingKey, PairingListener

_numbers = itertools.count(1)


def _fingerprint(private_key: str) -> str:
    digest = hashlib.sha256(private_key.encode()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class FakeListener:
    """app.ports.PairingListener."""

    def __init__(
        self,
        network: FakePairingNetwork,
        address: str,
        fingerprint: str,
        handle: Callable[[str, Json], Json],
        refused: Callable[[str, str], None],
    ) -> None:
        self._network, self._address, self._handle = network, address, handle
        self.fingerprint = fingerprint
        self.refused = refused
        self._retired = False

    @property
    def retired(self) -> bool:
        return self._retired

    def stop(self) -> None:
        if self._network.listeners.get(self._address) is self:
            del self._network.listeners[self._address]

    def answer(self, line: bytes, source: str) -> bytes:
        """The line with which it answers a request."""
        request = parse_request(line)
        try:
            if request.verb not in ("facts", "pair"):
                raise InvalidInput("unknown-verb", "This Is Not Known Here", detail=request.verb)
            if self._retired:
                raise NotAllowed("fingerprint-used", "This Fingerprint Has Been Used")
            reply = self._handle(request.verb, request.body)
        except HapairError as error:
            self.refused(source, error.code)
            return error_line(request.id, error)
        self._retired = request.verb == "pair"
        return reply_line(request.id, reply)


class FakePairingNetwork:
    """Where listeners are found."""

    def __init__(self) -> None:
        self.listeners: dict[str, FakeListener] = {}


class FakePairing:
    """app.ports.Pairing of the node at an address."""

    def __init__(self, network: FakePairingNetwork, address: str = "10.0.0.1") -> None:
        self._network = network
        self._address = address

    def generate_pairing_key(self) -> PairingKey:
        private_key = f"private key {next(_numbers)}"
        return PairingKey(_fingerprint(private_key), private_key)

    def listen(
        self, fingerprint: str, handle: Callable[[str, Json], Json], refused: Callable[[str, str], None]
    ) -> PairingListener:
        if not re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", fingerprint):
            raise InvalidInput("fingerprint-invalid", "This Is Not A Peer Authentication Fingerprint")
        if self._address in self._network.listeners:
            raise LocalFailure("pairing-port-busy", "The Pairing Port Can't Be Opened")
        listener = FakeListener(self._network, self._address, fingerprint, handle, refused)
        self._network.listeners[self._address] = listener
        return listener

    def request(
        self, address: str, fingerprint: str, private_key: str, verb: str, body: Json, timeout_s: float
    ) -> Json:
        if _fingerprint(private_key) != fingerprint:
            raise LocalFailure("pairing-key-mismatch", "The Fingerprint Does Not Belong To This Server's Key")
        listener = self._network.listeners.get(address)
        if listener is None:
            raise PeerUnreachable(
                "peer-unreachable", "The Other Server Does Not Wait For A Peer", hint="Save the draft."
            )
        if listener.fingerprint != fingerprint:
            listener.refused(self._address, "another fingerprint")
            raise PeerRefused(
                "fingerprint-mismatch", "The Fingerprints Of The Two Servers Differ", hint="Paste it again."
            )
        return parse_reply(listener.answer(request_line(1, verb, body), self._address), 1)
