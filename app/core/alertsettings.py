"""Where alerts go from this server: its mail server and its webhook, as an administrator sets them.

They belong to a node, not to the pair: each server must be able to tell what happened when the other one, the link
between them or the database is gone, and each may stand in a network of its own. docs/decisions says more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from app.core.values import ADDRESS_LENGTH_MAX, clean_host_name, ip_address, plain_text

LOGIN_LENGTH_MAX = 128
SECRET_LENGTH_MAX = 512
URL_LENGTH_MAX = 2000
AUTHORITY_LENGTH_MAX = 64 * 1024
PORT_MAX = 65535
_PEM = re.compile(r"(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE-----\n?\s*)+")


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class MailSettings:
    """The mail server, without the password, which is kept sealed."""

    host: str
    port: int
    security: Security
    sender: str
    username: str = ""
    authority: str = ""
    """PEM of the authority that its certificate is checked with; empty: those that this system trusts."""


@dataclass(frozen=True)
class WebhookSettings:
    """Where each event is posted, without the secret, which is kept sealed."""

    url: str
    authority: str = ""


def clean_mail_host(text: str) -> str:
    """A name or address of a mail server; this server itself (localhost) may be one."""
    value = plain_text(text)
    if len(value) > ADDRESS_LENGTH_MAX or "%" in value:
        raise ValueError("Must be a valid IP address or host name.")
    address = ip_address(value)
    return str(address) if address is not None else clean_host_name(value)


def clean_url(text: str) -> str:
    """An http or https address without credentials or fragment, in plain ASCII."""
    value = plain_text(text)
    if not value.isascii() or any(character.isspace() for character in value):
        raise ValueError("Must be an address in plain ASCII without blanks.")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError("Must be a valid address, as https://host/path.") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("Must be a valid address, as https://host/path.")
    if parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise ValueError("May not hold a user name, a password or a part after #.")
    clean_mail_host(parts.hostname)
    return value


def clean_authority(text: str) -> str:
    """One or more certificates in PEM, or nothing."""
    value = text.replace("\r\n", "\n").strip()
    if not value:
        return ""
    if not _PEM.fullmatch(value + "\n"):
        raise ValueError("Must be one or more certificates in PEM form.")
    return value + "\n"


def is_loopback(host: str) -> bool:
    address = ip_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def mail_errors(settings: MailSettings, *, has_password: bool) -> dict[str, list[str]]:
    """What is wrong between the fields, by field."""
    errors: dict[str, list[str]] = {}
    if settings.username and not has_password:
        errors["password"] = ["A login needs its password."]
    if has_password and not settings.username:
        errors["username"] = ["A password needs the name to log in with."]
    if settings.username and settings.security is Security.NONE and not is_loopback(settings.host):
        errors["security"] = ["A password is sent over STARTTLS or TLS only."]
    return errors


def mail_warnings(settings: MailSettings) -> list[str]:
    """What an administrator should know, though it is allowed."""
    if settings.security is Security.NONE and not is_loopback(settings.host):
        return ["Mails travel unencrypted to the mail server. Choose STARTTLS or TLS if it knows them."]
    return []


def webhook_warnings(settings: WebhookSettings, *, has_secret: bool) -> list[str]:
    warnings = []
    if not settings.url.startswith("https:"):
        warnings.append("Events travel unencrypted to this address. Choose https if it knows it.")
    if not has_secret:
        warnings.append("Without a secret the receiver can't tell our events from anyone else's.")
    return warnings
