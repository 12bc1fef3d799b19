"""The certificate as the file that nginx reads: key and chain in one, so that they change together or not at all."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from app.adapters.certificate import reading
from app.adapters.certificate.making import make_certificate
from app.adapters.durable import write_file
from app.core.certificates import CertificateFacts, refuse
from app.core.errors import LocalFailure
from app.ports import Clock, Machine
from app.settings import Settings

RELOAD_S = 10.0
"""How long nginx is given to serve the new certificate."""
LOOK_EVERY_S = 0.1
CONNECT_S = 2.0
LOCAL_ADDRESS = "127.0.0.1"


class FileCertificate:
    """app.ports.ConsoleCertificate, as root."""

    def __init__(self, settings: Settings, machine: Machine, clock: Clock) -> None:
        self._path = settings.tls_dir / "console.pem"
        self._authority = settings.tls_dir / "console-authority.pem"
        self._port = settings.https_port
        self._machine = machine
        self._clock = clock

    def show(self) -> CertificateFacts:
        return reading.facts(self._chain(), self._own_authority())

    def ensure(self) -> None:
        if not self._path.exists():
            chain, key, authority = self._made()
            self._write(chain, key)
            write_file(self._authority, authority.encode(), 0o644)

    def replace(self, certificate: str, key: str) -> CertificateFacts:
        chain, private = reading.read_chain(certificate), reading.read_key(key)
        refuse(reading.offered(chain, private), self._clock.now())
        # Written anew from what was read, so that nothing else that was sent reaches nginx.
        clean = "".join(each.public_bytes(serialization.Encoding.PEM).decode("ascii") for each in chain)
        plain = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._put_in_use(clean, plain.decode("ascii"))
        return self.show()

    def renew(self) -> CertificateFacts:
        chain, key, authority = self._made()
        self._put_in_use(chain, key)
        write_file(self._authority, authority.encode(), 0o644)
        return self.show()

    def _made(self) -> tuple[str, str, str]:
        facts = self._machine.facts()
        return make_certificate(facts.hostname, facts.addresses)

    def _put_in_use(self, chain: str, key: str) -> None:
        """nginx serves it. Raises LocalFailure `certificate-not-loaded`; then the one before is served still."""
        before = self._path.read_bytes()
        self._write(chain, key)
        wanted = x509.load_pem_x509_certificates(chain.encode())[0].public_bytes(serialization.Encoding.DER)
        try:
            self._machine.service("reload", "nginx")
            self._wait_until_served(hashlib.sha256(wanted).digest())
        except LocalFailure as error:
            write_file(self._path, before, 0o600)
            with suppress(LocalFailure):
                self._machine.service("reload", "nginx")
            raise LocalFailure(
                "certificate-not-loaded",
                "The Certificate Was Not Taken Into Use",
                detail=f"{error.detail} The one before is in use again.",
                hint="Look at the log of the service hapair-nginx on this server.",
            ) from error

    def _wait_until_served(self, digest: bytes) -> None:
        deadline = time.monotonic() + RELOAD_S
        while True:
            served = _served(self._port)
            if served is not None and hashlib.sha256(served).digest() == digest:
                return
            if time.monotonic() >= deadline:
                raise LocalFailure(
                    "not-served", "nginx Does Not Serve It", detail=f"nginx did not serve it within {RELOAD_S:g} s."
                )
            time.sleep(LOOK_EVERY_S)

    def _write(self, chain: str, key: str) -> None:
        write_file(self._path, (key + chain).encode(), 0o600)

    def _chain(self) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(self._path.read_bytes())
        except (OSError, ValueError) as error:
            raise _unreadable(self._path, error) from error

    def _own_authority(self) -> x509.Certificate | None:
        try:
            return x509.load_pem_x509_certificate(self._authority.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _unreadable(self._authority, error) from error


def _served(port: int) -> bytes | None:
    """The certificate that this server's nginx shows, in DER; None where nobody answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is only compared with the one that was written
    try:
        with (
            socket.create_connection((LOCAL_ADDRESS, port), timeout=CONNECT_S) as plain,
            context.wrap_socket(plain) as spoken,
        ):
            return spoken.getpeercert(binary_form=True)
    except OSError:
        return None


def _unreadable(path: Path, error: Exception) -> LocalFailure:
    return LocalFailure(
        "certificate-unavailable",
        "The Console's Certificate Can't Be Read",
        detail=f"{path}: {error}.",
        hint="Root makes a new one with `hapair certificate renew` on this server.",
    )
