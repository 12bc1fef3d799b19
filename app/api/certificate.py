"""The console's TLS certificate: shown, replaced, made anew."""

from __future__ import annotations

from typing import Any

from app.api.body import Resource
from app.api.door import needs, note_detail, recorded
from app.api.parts import node
from app.core.access import Scope
from app.core.certificates import CertificateFacts, days_left
from app.schemas.certificate import CertificateSchema, NewCertificateSchema

resource = Resource("certificate", __name__, "The console's certificate")


@resource.route("/system/certificate", methods=["GET"])
@needs(Scope.READ)
@resource.response(200, CertificateSchema)
@resource.alt_response(503, description="The part of this server that may read it does not answer")
def show_certificate() -> dict[str, Any]:
    """The certificate that browsers get from this server."""
    return _told(node().certificate.show())


@resource.route("/system/certificate", methods=["PUT"])
@needs(Scope.CONFIGURE)
@recorded("replace-certificate")
@resource.arguments(NewCertificateSchema)
@resource.response(200, CertificateSchema)
@resource.alt_response(503, description="nginx did not take it; the one before is in use")
def replace_certificate(body: dict[str, str]) -> dict[str, Any]:
    """Replace it. What is wrong is told by field, and the one in use stays."""
    return _changed(node().certificate.replace(body["certificate"], body["key"]))


@resource.route("/system/certificate/renew", methods=["POST"])
@needs(Scope.CONFIGURE)
@recorded("renew-certificate")
@resource.response(200, CertificateSchema)
@resource.alt_response(503, description="nginx did not take it; the one before is in use")
def renew_certificate() -> dict[str, Any]:
    """A new one, signed by a new authority of this server's own; browsers have to be given that authority."""
    return _changed(node().certificate.renew())


def _changed(facts: CertificateFacts) -> dict[str, Any]:
    note_detail(fingerprint=facts.fingerprint, subject=facts.subject, not_after=facts.not_after.isoformat())
    return _told(facts)


def _told(facts: CertificateFacts) -> dict[str, Any]:
    return {**vars(facts), "days_left": days_left(facts.not_after, node().clock.now())}
