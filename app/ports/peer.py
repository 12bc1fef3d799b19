"""The other server: the kept channel, the first contact, and the keys of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from app.ports.common import Json


class Peer(Protocol):
    """The paired server, over its peer sshd with pinned keys. Connections are kept and renewed inside."""

    def request(self, verb: str, body: Json, timeout_s: float) -> Json:
        """The reply. Raises PeerUnreachable (codes `peer-unreachable`, `peer-timeout`) or PeerRefused (the peer's own
        code, title, detail and hint)."""
        ...

    def open_seed(self, timeout_s: float) -> AbstractContextManager[Iterator[bytes]]:
        """The primary's seed stream, in chunks; raises PeerUnreachable when it breaks off or ends unclean."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class PairingKey:
    """What GENERATE makes on the primary."""

    fingerprint: str
    """`SHA256:…`, the value that is pasted into the secondary."""
    private_key: str = field(repr=False)
    """OpenSSH private key text (Ed25519); it stays on the primary."""


class PairingListener(Protocol):
    """The secondary's end of the first contact; it listens from its making until `stop`."""

    @property
    def retired(self) -> bool:
        """Whether the fingerprint has been used: nothing more is accepted."""
        ...

    def stop(self) -> None:
        """Nobody listens any more; requests under way are broken off. Idempotent."""
        ...


class Pairing(Protocol):
    """The first contact, authenticated both ways by the pasted fingerprint alone."""

    def generate_pairing_key(self) -> PairingKey: ...
    def listen(
        self, fingerprint: str, handle: Callable[[str, Json], Json], refused: Callable[[str, str], None]
    ) -> PairingListener:
        """Listens on the pairing port for the one who has the key with this fingerprint. `handle(verb, body)` answers
        (or raises a HapairError, which the other side gets); after the first successful `pair` the value is used up.
        `refused(address, reason)` is called for each one turned away. Both are called from threads of the listener.

        Raises LocalFailure (code `pairing-port-busy`), InvalidInput (code `fingerprint-invalid`).
        """
        ...

    def request(
        self, address: str, fingerprint: str, private_key: str, verb: str, body: Json, timeout_s: float
    ) -> Json:
        """One request to the secondary's listener at `address`. Verbs: `facts`, `pair`.

        Raises PeerUnreachable (code `peer-unreachable`: nobody listens, with the hint that the secondary needs a saved
        draft), PeerRefused (codes `fingerprint-mismatch`, `fingerprint-used`, or the peer's own).
        """
        ...


@dataclass(frozen=True)
class OwnIdentity:
    """The permanent keys of this node; made once, at installation."""

    host_key: str
    client_key: str
    certificate: str


class Keys(Protocol):
    """The files with this node's keys, readable by root only, and what sshd and MariaDB read of the peer's."""

    def identity(self) -> OwnIdentity: ...
    def make_certificate(self, address: str, hostname: str) -> str:
        """A new self-signed EC P-256 certificate for the database server, in place; returns the PEM."""
        ...

    def pin_peer(self, host_key: str, client_key: str, certificate: str, address: str) -> None:
        """The peer may log in with its key, and only its host key and certificate are accepted. Durable, atomic."""
        ...

    def unpin_peer(self) -> None: ...
    def peer_authority(self) -> str:
        """Path of the PEM file to verify the peer's database with."""
        ...

    def secret(self, name: str) -> str | None: ...
    def save_secret(self, name: str, value: str) -> None: ...
    def seal(self, text: str) -> str:
        """The text so that only servers of this pair can read it: what secrets in a database are stored as. Also for
        the API's account. Raises LocalFailure (code `seal-unreadable`)."""
        ...

    def unseal(self, sealed: str) -> str:
        """The text again. Raises LocalFailure (codes `seal-unknown`, `seal-unreadable`)."""
        ...

    def sealing_key(self) -> str:
        """What the other server has to adopt to read what is sealed here; made where there is none."""
        ...

    def adopt_sealing_key(self, key: str) -> None:
        """Seals with the other server's key from now on; what was sealed before still opens. Durable, idempotent.
        Raises InvalidInput (code `key-invalid`)."""
        ...
