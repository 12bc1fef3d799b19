"""The Peer Authentication Fingerprint: one pasted value from which both servers can recognise each other.

The value is the SHA256 fingerprint of an Ed25519 key made on the primary. Nobody else learns the public key before the
two have met, so the value is as hard to guess as 256 random bits. Therefore it serves twice: the primary proves that it
holds the private key, and the secondary's listener proves that it was given the value, because its host key is derived
from it. Pure functions but for the random key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from app.core.errors import InvalidInput
from app.ports import PairingKey

_FORM = re.compile(r"SHA256:([A-Za-z0-9+/]{43})")
_PURPOSE = b"hapair pairing listener host key 1"


def generate_pairing_key() -> PairingKey:
    """A new Ed25519 key and its fingerprint."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return PairingKey(fingerprint_of(base64.b64decode(line.split()[1])), private_key_text(key.private_bytes_raw()))


def fingerprint_of(public_blob: bytes) -> str:
    """`SHA256:…` of a public key in SSH wire form, as ssh-keygen prints it."""
    return _text(hashlib.sha256(public_blob).digest())


def same_fingerprint(one: str, other: str) -> bool:
    """Compared in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def check_fingerprint(value: str) -> str:
    """The value itself. Raises InvalidInput (code `fingerprint-invalid`) if it can't be a fingerprint."""
    match = _FORM.fullmatch(value)
    try:
        whole = match is not None and _text(base64.b64decode(match[1] + "=", validate=True)) == value
    except binascii.Error:
        whole = False
    if not whole:
        raise InvalidInput(
            "fingerprint-invalid",
            "This Is Not A Peer Authentication Fingerprint",
            detail="It starts with SHA256: and has 43 characters after it.",
            hint="Copy the whole value from the primary.",
        )
    return value


def _text(digest: bytes) -> str:
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def listener_key_text(fingerprint: str) -> str:
    """The private host key of the listener for this fingerprint, as OpenSSH text: the same wherever it is derived."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    seed = HKDF(hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(fingerprint.encode("ascii"))
    return private_key_text(seed)


def private_key_text(seed: bytes) -> str:
    """The Ed25519 key of these 32 bytes as OpenSSH private key text."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return text.decode("ascii")
