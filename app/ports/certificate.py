"""The console's TLS certificate."""

from __future__ import annotations

from typing import Protocol

from app.core.certificates import CertificateFacts


class ConsoleCertificate(Protocol):
    """What browsers get from this server's nginx. All raise LocalFailure (code `certificate-unavailable`)."""

    def show(self) -> CertificateFacts: ...
    def ensure(self) -> None:
        """There is a certificate: one of this server's own authority is made where there is none. As root only."""
        ...

    def replace(self, certificate: str, key: str) -> CertificateFacts:
        """Browsers get this one from now on: PEM, the server's first, then its chain; the key without a password.

        Raises InvalidInput (code `certificate-refused`, errors by `certificate` and `key`), LocalFailure (code
        `certificate-not-loaded`: nginx did not take it); then the one before stays.
        """
        ...

    def renew(self) -> CertificateFacts:
        """Browsers get a new one, of a new authority of this server's own. Raises as `replace`."""
        ...
