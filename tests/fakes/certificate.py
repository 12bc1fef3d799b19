"""A certificate that is only words: `Subject until 2027-01-01`, whose key is `key of Subject`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.core.certificates import CertificateFacts, refusal
from app.core.errors import LocalFailure
from app.ports import Clock

LIFE = timedelta(days=820)


class FakeCertificate:
    """app.ports.ConsoleCertificate; `down` is a root's part that does not answer, `stuck` an nginx that takes none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.current = self._own()
        self.down = False
        self.stuck = False

    def show(self) -> CertificateFacts:
        if self.down:
            raise LocalFailure("certificate-unavailable", "The Console's Certificate Can't Be Looked At Now")
        return self.current

    def ensure(self) -> None:
        """There is one from the start."""

    def replace(self, certificate: str, key: str) -> CertificateFacts:
        subject, separator, end = certificate.partition(" until ")
        if not separator:
            raise refusal({"certificate": ["Is not a certificate in PEM."]})
        not_after = datetime.fromisoformat(end).replace(tzinfo=UTC)
        if not_after <= self._clock.now():
            raise refusal({"certificate": ["Has ended."]})
        if key != f"key of {subject}":
            raise refusal({"key": ["Does not belong to the certificate."]})
        return self._use(CertificateFacts(subject, "CN=elsewhere", (subject,), self._clock.now(), not_after,
                                          "CC:DD", made_here=False, authority=None))  # fmt: skip

    def renew(self) -> CertificateFacts:
        return self._use(self._own())

    def _own(self) -> CertificateFacts:
        now = self._clock.now()
        return CertificateFacts("CN=alpha", "CN=hapair on alpha", ("alpha",), now, now + LIFE, "AA:BB",
                                made_here=True, authority="-----BEGIN CERTIFICATE-----\n")  # fmt: skip

    def _use(self, facts: CertificateFacts) -> CertificateFacts:
        if self.stuck:
            raise LocalFailure("certificate-not-loaded", "The Certificate Was Not Taken Into Use")
        self.current = facts
        return self.show()
