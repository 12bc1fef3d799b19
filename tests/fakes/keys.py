"""Keys that are only words: what was pinned and which secrets were saved can be looked at."""

from __future__ import annotations

import base64

from app.core.errors import InvalidInput, LocalFailure
from app.ports import OwnIdentity

_BLOB_START = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"


def fake_public_key(name: str) -> str:
    """A public key line of the right form that belongs to nobody; the same for the same name."""
    blob = _BLOB_START + name.encode()[:32].ljust(32, b"\0")
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


class FakeKeys:
    """app.ports.Keys in memory."""

    def __init__(self, name: str = "alpha") -> None:
        self._name = name
        self._certificate = ""
        self._certificates = 0
        self._secrets: dict[str, str] = {}
        self._sealing_keys = [f"sealing-key-{name}"]
        self.pinned: tuple[str, str, str, str] | None = None
        """(host key, client key, certificate, address) of the peer."""

    def identity(self) -> OwnIdentity:
        return OwnIdentity(
            fake_public_key(f"{self._name} host"), fake_public_key(f"{self._name} client"), self._certificate
        )

    def make_certificate(self, address: str, hostname: str) -> str:
        self._certificates += 1
        self._certificate = (
            "-----BEGIN CERTIFICATE-----\n"
            f"{self._name} {self._certificates} {address} {hostname}\n"
            "-----END CERTIFICATE-----\n"
        )
        return self._certificate

    def pin_peer(self, host_key: str, client_key: str, certificate: str, address: str) -> None:
        for key in (host_key, client_key):
            if not key.startswith("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"):
                raise InvalidInput("key-invalid", "This Is Not An Ed25519 Public Key")
        if certificate.count("-----BEGIN CERTIFICATE-----") != 1:
            raise InvalidInput("certificate-invalid", "This Is Not A Certificate")
        if not address or " " in address or "\n" in address:
            raise InvalidInput("address-invalid", "The Peer's Address Is Not Valid")
        self.pinned = (" ".join(host_key.split()[:2]), " ".join(client_key.split()[:2]), certificate, address)

    def unpin_peer(self) -> None:
        self.pinned = None

    def peer_authority(self) -> str:
        return f"/{self._name}/tls/peer.pem"

    def secret(self, name: str) -> str | None:
        return self._secrets.get(_checked(name))

    def save_secret(self, name: str, value: str) -> None:
        self._secrets[_checked(name)] = value

    def seal(self, text: str) -> str:
        return f"{self._sealing_keys[0]}:{text[::-1]}"

    def unseal(self, sealed: str) -> str:
        key, separator, text = sealed.partition(":")
        if not separator or key not in self._sealing_keys:
            raise LocalFailure("seal-unknown", "A Stored Secret Can't Be Opened")
        return text[::-1]

    def sealing_key(self) -> str:
        return self._sealing_keys[0]

    def adopt_sealing_key(self, key: str) -> None:
        if not key.startswith("sealing-key-"):
            raise InvalidInput("key-invalid", "This Is Not A Sealing Key")
        self._sealing_keys = [key, *(each for each in self._sealing_keys if each != key)]


def _checked(name: str) -> str:
    if not name or "/" in name or "." in name:
        raise LocalFailure("secret-name-invalid", "This Is Not The Name Of A Secret", detail=repr(name))
    return name
