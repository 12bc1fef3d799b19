"""What the activity journal and read-only visitors get to see of values that are secrets, or long."""

from __future__ import annotations

import hashlib

from app.core.config import Difference
from app.core.fields import BY_NAME, Kind, Value

DIGEST_SHOWN = 12
FINGERPRINT_SHOWN = len("SHA256:") + 6
HIDDEN = "SHA256:…"


def masked(name: str, value: Value) -> Value:
    """A script as its size and digest, a fingerprint as its beginning (unused, it is a key), all else as it is."""
    kind = BY_NAME[name].kind
    if not isinstance(value, str) or not value:
        return value
    if kind is Kind.SCRIPT:
        script = value.encode()
        return f"script of {len(script)} bytes, sha256 {hashlib.sha256(script).hexdigest()[:DIGEST_SHOWN]}"
    if kind is Kind.FINGERPRINT:
        return value[:FINGERPRINT_SHOWN] + "…"
    return value


def masked_differences(found: list[Difference]) -> list[dict[str, Value]]:
    """The differences as the journal keeps them."""
    return [
        {"field": each.field, "from": masked(each.field, each.before), "to": masked(each.field, each.after)}
        for each in found
    ]
