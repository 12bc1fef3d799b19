"""Reading certificates and keys that somebody has sent."""

from __future__ import annotations

from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.core.certificates import CertificateFacts, Offered, refusal


def read_chain(pem: str) -> list[x509.Certificate]:
    """At least one certificate. Raises InvalidInput (code `certificate-refused`)."""
    try:
        return x509.load_pem_x509_certificates(pem.encode("utf-8", "replace"))
    except ValueError as error:
        raise refusal({"certificate": ["Is not a certificate in PEM (-----BEGIN CERTIFICATE-----)."]}) from error


def read_key(pem: str) -> PrivateKeyTypes:
    """The private key. Raises InvalidInput (code `certificate-refused`)."""
    try:
        return serialization.load_pem_private_key(pem.encode("utf-8", "replace"), password=None)
    except TypeError as error:
        raise refusal({"key": ["Is protected by a password; send it without one."]}) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise refusal({"key": ["Is not a private key in PEM (-----BEGIN PRIVATE KEY-----)."]}) from error


def offered(chain: list[x509.Certificate], key: PrivateKeyTypes) -> Offered:
    """What the rules look at. Raises InvalidInput (code `certificate-refused`) for what can't be made sense of."""
    leaf = chain[0]
    try:
        digest = leaf.signature_hash_algorithm
        return Offered(
            count=len(chain),
            in_order=all(_signed_by(one, other) for one, other in pairwise(chain)),
            fits_key=_public(leaf.public_key()) == _public(key.public_key()),
            not_before=max(each.not_valid_before_utc for each in chain),
            not_after=min(each.not_valid_after_utc for each in chain),
            names=names(leaf),
            for_servers=_for_servers(leaf),
            digest="" if digest is None else digest.name,
            key_kind=_kind(key),
            key_bits=getattr(key, "key_size", 0),
        )
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise refusal({"certificate": [f"Can't be made sense of: {str(error)[:200]}."]}) from error


def facts(chain: list[x509.Certificate], authority: x509.Certificate | None) -> CertificateFacts:
    """What is told of the certificate in use; `authority` is this server's own."""
    leaf = chain[0]
    made_here = authority is not None and len(chain) > 1 and chain[1] == authority
    pem = None
    if authority is not None and made_here:
        pem = authority.public_bytes(serialization.Encoding.PEM).decode("ascii")
    return CertificateFacts(
        subject=leaf.subject.rfc4514_string(),
        issuer=leaf.issuer.rfc4514_string(),
        names=names(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=min(each.not_valid_after_utc for each in chain),
        fingerprint=fingerprint(leaf),
        made_here=made_here,
        authority=pem,
    )


def fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The hosts and addresses that it is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = tuple(str(each) for each in found.get_values_for_type(x509.IPAddress))
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def _for_servers(certificate: x509.Certificate) -> bool:
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in uses or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in uses


def _signed_by(one: x509.Certificate, other: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(other)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _kind(key: PrivateKeyTypes) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "EC" if isinstance(key, ec.EllipticCurvePrivateKey) else type(key).__name__
