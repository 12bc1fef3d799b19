"""The second factor of a log-in: codes by time (TOTP, RFC 6238) and recovery codes for who has lost their device."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import pyotp
import segno

from app.passwords import digest

ISSUER = "hapair"
STEP_S = 30
STEPS_AROUND = 1
"""The codes of the step before and of the one after are good too: clocks differ, and people type slowly."""
RECOVERY_CODES = 10
GROUPS, GROUP_LENGTH = 4, 4
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of a recovery code: 16 of them have 79 bits, so that a plain digest keeps them."""
QR_SCALE = 5

_TOTP = re.compile(r"[0-9]{6}")


@dataclass(frozen=True)
class GoodCode:
    """A code that is right: what is remembered of it, and until when it could be used again (None: always)."""

    digest: str
    ends_at: datetime | None


def new_totp_secret() -> str:
    """A random secret of 160 bits, in base32 as the apps on telephones take it."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, name: str, hostname: str) -> str:
    """What an app on a telephone needs to know, as the address that its camera reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=f"{name}@{hostname}", issuer_name=ISSUER)


def qr_image(text: str) -> str:
    """The text as a QR code: an SVG image as a data: address."""
    return segno.make(text, micro=False).svg_data_uri(scale=QR_SCALE, light="#fff")


def match_totp(secret: str, code: str, username: str, now: datetime) -> GoodCode | None:
    """What is remembered of the code where it is right now, else None."""
    if not _TOTP.fullmatch(code):
        return None
    totp, step_now = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    found = None
    for step in range(step_now - STEPS_AROUND, step_now + STEPS_AROUND + 1):
        if hmac.compare_digest(totp.at(step * STEP_S), code):
            ends_at = datetime.fromtimestamp((step + STEPS_AROUND + 1) * STEP_S, UTC)
            found = GoodCode(digest(f"totp {username} {step}"), ends_at)
    return found


def match_recovery(digests: tuple[str, ...], code: str) -> GoodCode | None:
    """What is remembered of the code where it is one of those that are left, else None."""
    given = recovery_digest(code)
    return GoodCode(given, None) if any(hmac.compare_digest(given, each) for each in digests) else None


def new_recovery_codes() -> list[str]:
    """Fresh codes in groups, as they are shown this once."""
    return [
        "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(code: str) -> str:
    """What is stored of a recovery code; blanks, dashes and capitals make no difference."""
    return digest("recovery " + re.sub(r"[\s-]", "", code).lower())
