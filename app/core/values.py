"""The forms that text in the HA configuration may have: each cleaner returns the one normal form or raises ValueError.

The error's sentence is what an administrator reads beside the field.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import unicodedata

ADDRESS_LENGTH_MAX = 253
LABEL_LENGTH_MAX = 63
EMAIL_LENGTH_MAX = 254
EMAIL_LOCAL_LENGTH_MAX = 64
SCRIPT_BYTES_MAX = 64 * 1024
SHA256_BYTES = 32

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_FINGERPRINT = re.compile(r"SHA256:([A-Za-z0-9+/]{43})")
_EMAIL_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SHELLS = re.compile(r"#!\s*(/usr/bin/env\s+(-S\s+)?)?(/[\w./-]*/)?(bash|sh)(\s[^\n]*)?")


def plain_text(text: str) -> str:
    """The text without blanks around it. Raises ValueError where it holds control characters or half characters."""
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            raise ValueError("May not hold control characters or line breaks.")
    return text.strip()


def ip_address(text: str) -> IpAddress | None:
    """The IPv4 or IPv6 address that `text` is, None where it is something else."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def clean_host_name(text: str) -> str:
    """A host name of one or more labels, in lower case and without the final dot."""
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > ADDRESS_LENGTH_MAX or any(
        len(label) > LABEL_LENGTH_MAX or not _LABEL.fullmatch(label) for label in labels
    ):
        raise ValueError("Must be a valid IP address or fully qualified domain name.")
    if labels[-1].isdigit():
        raise ValueError("Must be a valid IP address or fully qualified domain name; this ends like an address.")
    return name


def clean_address(text: str) -> str:
    """An IPv4 or IPv6 address in its shortest form, or a fully qualified domain name in lower case."""
    value = plain_text(text)
    if "%" in value:
        raise ValueError("May not name a network interface (the part after %).")
    address = ip_address(value)
    if address is None:
        name = clean_host_name(value)
        if "." not in name:
            raise ValueError("Must be a valid IP address or fully qualified domain name; this has no dot.")
        return name
    if address.is_unspecified or address.is_loopback or address.is_multicast or address.is_reserved:
        raise ValueError("Must be the address of one server in the network.")
    return str(address)


def clean_fingerprint(text: str) -> str:
    """The SHA256 fingerprint of a key as OpenSSH writes it."""
    value = plain_text(text)
    match = _FINGERPRINT.fullmatch(value)
    try:
        digest = base64.b64decode(match[1] + "=", validate=True) if match else b""
    except binascii.Error:
        digest = b""
    canonical = base64.b64encode(digest).decode().rstrip("=")
    if match is None or len(digest) != SHA256_BYTES or canonical != match[1]:
        raise ValueError("Must be a value that the primary server has generated: SHA256: and 43 characters.")
    return value


def clean_email(text: str) -> str:
    """One e-mail address, its domain in lower case."""
    value = plain_text(text)
    local, at, domain = value.rpartition("@")
    if not at or len(value) > EMAIL_LENGTH_MAX or len(local) > EMAIL_LOCAL_LENGTH_MAX:
        raise ValueError("Must be one valid e-mail address.")
    if not _EMAIL_LOCAL.fullmatch(local):
        raise ValueError("Must be one valid e-mail address.")
    try:
        return f"{local}@{clean_host_name(domain)}"
    except ValueError:
        raise ValueError("Must be one valid e-mail address; the part after @ is not a domain.") from None


def clean_script(text: str) -> str:
    """A bash script with Unix line ends, ending with one."""
    if "\0" in text:
        raise ValueError("May not hold NUL characters.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("Must be text: it holds half characters.") from None
    if size > SCRIPT_BYTES_MAX:
        raise ValueError(f"May have at most {SCRIPT_BYTES_MAX // 1024} KiB; this has {-(-size // 1024)} KiB.")
    script = text.replace("\r\n", "\n")
    if not script.strip():
        return ""
    first_line = script.split("\n", 1)[0]
    if first_line.startswith("#!") and not _SHELLS.fullmatch(first_line):
        raise ValueError("Must be a bash script: its first line names another interpreter.")
    return script if script.endswith("\n") else script + "\n"
