"""The console's TLS certificate: what is refused, what is told of it, and when its end is an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.errors import InvalidInput

ALARM = "console-certificate"
WARN_BEFORE = timedelta(days=30)
CHAIN_MAX = 10
"""Certificates that are taken at a time: a server's own and those between it and its authority."""
CERTIFICATE_LENGTH_MAX = 65536
KEY_LENGTH_MAX = 16384
RSA_BITS_MIN = 2048
WEAK_DIGESTS = frozenset({"md5", "sha1"})


@dataclass(frozen=True)
class Offered:
    """A certificate with its key, as it was read."""

    count: int
    """Certificates of the chain."""
    in_order: bool
    """Each is signed by the next one."""
    fits_key: bool
    not_before: datetime
    not_after: datetime
    """The first end in the chain."""
    names: tuple[str, ...]
    for_servers: bool
    """Its extended key usage, where it has one, allows TLS servers."""
    digest: str
    """The hash of its signature, in small letters; empty where it has none of its own."""
    key_kind: str
    """`RSA`, `EC` or another."""
    key_bits: int


@dataclass(frozen=True)
class CertificateFacts:
    """The certificate that browsers get."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str
    """SHA256 of the certificate, in pairs of hexadecimal digits with colons between them."""
    made_here: bool
    """Whether this server's own authority has signed it."""
    authority: str | None
    """That authority's certificate in PEM, to be given to browsers."""


def refuse(offered: Offered, now: datetime) -> None:
    """Nothing where the certificate can be used. Raises InvalidInput (code `certificate-refused`) with all reasons."""
    certificate = []
    if offered.count > CHAIN_MAX:
        certificate.append(f"May hold at most {CHAIN_MAX} certificates.")
    if not offered.in_order:
        certificate.append("Must hold the server's certificate first, then each one that has signed the one before it.")
    if offered.not_after <= now:
        certificate.append(f"Has ended on {_day(offered.not_after)}.")
    if offered.not_before > now:
        certificate.append(f"Is not valid before {_day(offered.not_before)}.")
    if not offered.names:
        certificate.append("Must name its server (subject alternative name); browsers look at nothing else.")
    if not offered.for_servers:
        certificate.append("Is not meant for servers (extended key usage).")
    if offered.digest in WEAK_DIGESTS:
        certificate.append(f"Is signed with {offered.digest.upper()}, which browsers refuse.")
    key = []
    if not offered.fits_key:
        key.append("Does not belong to the certificate.")
    if offered.key_kind not in {"RSA", "EC"}:
        key.append("Must be an RSA or an elliptic curve key; browsers take no other.")
    elif offered.key_kind == "RSA" and offered.key_bits < RSA_BITS_MIN:
        key.append(f"Must have at least {RSA_BITS_MIN} bits.")
    errors = {name: found for name, found in (("certificate", certificate), ("key", key)) if found}
    if errors:
        raise refusal(errors)


def refusal(errors: dict[str, list[str]]) -> InvalidInput:
    return InvalidInput(
        "certificate-refused",
        "The Certificate Can't Be Used",
        detail=" ".join(f"{name.capitalize()}: {sentence}" for name, found in errors.items() for sentence in found),
        hint="The one that is in use stays. Send certificate, chain and key in PEM.",
        errors=errors,
    )


def days_left(not_after: datetime, now: datetime) -> int:
    """Whole days until the end; negative when it is over."""
    return (not_after - now).days


def expiry_alarm(not_after: datetime, now: datetime) -> str | None:
    """The alarm's sentence where the end is near or over."""
    if not_after - now > WARN_BEFORE:
        return None
    then = "Replace it in the console, with `hapair certificate replace`, or with `hapair certificate renew`."
    if not_after <= now:
        return f"The console's certificate has ended on {_day(not_after)}: browsers refuse this server. {then}"
    return f"The console's certificate ends on {_day(not_after)}, in {days_left(not_after, now)} days. {then}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
