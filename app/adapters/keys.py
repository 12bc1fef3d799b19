"""This node's keys as files, and what its sshd, ssh client and database server read of the peer's.

`keys/` is for root alone. `peer/` and `tls/` hold what other programs must read: the peer's public keys, the
database's certificate, and the database's private key (readable by the database's account and nobody else).
cryptography takes 0.1 s to import, which the forced command can't spare: it is imported where it is used.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import pwd
import re
import shlex
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.adapters.durable import make_folder, remove_file, write_file
from app.adapters.sealing import Seals
from app.core.errors import InvalidInput, LocalFailure
from app.ports import OwnIdentity
from app.settings import ENVIRONMENT_FILE, PREFIX, Settings, read_environment_file, read_settings

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

HOST_KEY = "ssh_host_ed25519_key"
CLIENT_KEY = "peer_ed25519_key"
HOST_ALIAS = "hapair-peer"
"""The name under which known_hosts keeps the peer's key, whatever its address is."""
CERTIFICATE_LIFE = timedelta(days=20 * 365)
"""The peer pins this very certificate, so its end would only be an outage."""
CLOCK_TOLERANCE = timedelta(days=1)
ED25519_BLOB_BYTES = 51
_PUBLIC_KEY = re.compile(r"ssh-ed25519 ([A-Za-z0-9+/]{68})")
_SECRET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ADDRESS = re.compile(r"[A-Za-z0-9.:%_-]{1,255}")
PROJECT = Path(__file__).resolve().parents[2]


class FileKeys:
    """The port Keys, on files under the state folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = settings.keys_dir
        self._peer = settings.peer_dir
        self._tls = settings.tls_dir
        self._seals = Seals(settings.sealing_dir)

    def identity(self) -> OwnIdentity:
        """The public half of this node's keys; SSH keys that were missing have been made.

        The certificate is empty until `make_certificate` has been called, which needs to be told the address.
        """
        make_folder(self._keys, 0o700)
        certificate = self._tls / "certificate.pem"
        return OwnIdentity(
            host_key=self._own_key(HOST_KEY),
            client_key=self._own_key(CLIENT_KEY),
            certificate=certificate.read_text("ascii") if certificate.exists() else "",
        )

    def make_certificate(self, address: str, hostname: str) -> str:
        """A new self-signed EC P-256 certificate for the database server, in place; returns the PEM.

        `address` is an IP address or a name. A server that is running goes on with the old certificate until it is
        told. The private key is made once and stays, so that the two files fit together whatever happens in between.
        """
        pem = _self_signed(self._database_key(), address, hostname)
        write_file(self._tls / "certificate.pem", pem, 0o644)
        return pem.decode("ascii")

    def pin_peer(self, host_key: str, client_key: str, certificate: str, address: str) -> None:
        """The peer may log in with its key, and only its host key and certificate are accepted.

        The login comes last, so that a crash on the way leaves the peer outside.
        Raises InvalidInput (codes `key-invalid`, `certificate-invalid`, `address-invalid`); then nothing has changed.
        """
        host_key, client_key = _public_key(host_key), _public_key(client_key)
        authority = _one_certificate(certificate)
        if not _ADDRESS.fullmatch(address):
            raise InvalidInput("address-invalid", "The Peer's Address Is Not Valid", detail=repr(address[:80]))
        make_folder(self._peer, 0o755)
        make_folder(self._tls, 0o755)
        known = f"{HOST_ALIAS},[{address}]:{self._settings.peer_port} {host_key}\n"
        login = f'restrict,command="/bin/sh {self._command_path()}" {client_key}\n'
        write_file(self._tls / "peer.pem", authority, 0o644)
        write_file(self._peer / "known_hosts", known.encode(), 0o644)
        write_file(self._command_path(), _command_script(self._settings).encode(), 0o700)
        write_file(self._peer / "authorized_keys", login.encode(), 0o600)

    def unpin_peer(self) -> None:
        """Nobody may log in, and no other server is recognised. Idempotent."""
        for path in (
            self._peer / "authorized_keys",
            self._peer / "known_hosts",
            self._command_path(),
            self._tls / "peer.pem",
        ):
            remove_file(path)

    def peer_authority(self) -> str:
        return str(self._tls / "peer.pem")

    def secret(self, name: str) -> str | None:
        path = self._secret_path(name)
        return path.read_text("utf-8") if path.exists() else None

    def save_secret(self, name: str, value: str) -> None:
        make_folder(self._keys, 0o700)
        make_folder(self._keys / "secrets", 0o700)
        write_file(self._secret_path(name), value.encode(), 0o600)

    def seal(self, text: str) -> str:
        return self._seals.seal(text)

    def unseal(self, sealed: str) -> str:
        return self._seals.unseal(sealed)

    def sealing_key(self) -> str:
        return self._seals.key()

    def adopt_sealing_key(self, key: str) -> None:
        self._seals.adopt(key)

    def _secret_path(self, name: str) -> Path:
        if not _SECRET_NAME.fullmatch(name):
            raise LocalFailure("secret-name-invalid", "This Is Not The Name Of A Secret", detail=repr(name[:80]))
        return self._keys / "secrets" / name

    def _command_path(self) -> Path:
        path = self._peer / "command"
        if not re.fullmatch(r"[A-Za-z0-9/._-]+", str(path)):
            raise LocalFailure(
                "state-folder-name",
                "The State Folder's Name Can't Be Used",
                detail=f"{self._settings.state_dir} holds characters that sshd's key file can't carry.",
                hint="Use letters, digits, dots, dashes and slashes in HAPAIR_STATE_DIR.",
            )
        return path

    def _own_key(self, name: str) -> str:
        """The public line of the key; a new pair of files if there is none yet."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        path = self._keys / name
        if not path.exists():
            text = Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
            )
            write_file(path, text, 0o600, replace=False)
        key = serialization.load_ssh_private_key(path.read_bytes(), password=None)
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return line.decode("ascii")

    def _database_key(self) -> EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        path = self._tls / "key.pem"
        make_folder(self._tls, 0o755)
        if not path.exists():
            text = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            write_file(path, text, 0o640, owner=(0, self._database_group()), replace=False)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise LocalFailure("key-invalid", "The Database's Private Key Is Of Another Kind", detail=str(path))
        return key

    def _database_group(self) -> int:
        name = self._settings.database_account
        try:
            return pwd.getpwnam(name).pw_gid
        except KeyError as error:
            raise LocalFailure(
                "database-account-missing",
                "The Database Server's Account Is Missing",
                detail=f"There is no account {name!r} on this server.",
                hint="Install the database server, or name its account in HAPAIR_DATABASE_ACCOUNT.",
            ) from error


def _command_script(settings: Settings) -> str:
    """What sshd starts for the peer. sshd hands on none of its own environment, so what the settings file does not say
    is written out; what it says is left out, because it may change later."""
    installed = read_settings(read_environment_file(ENVIRONMENT_FILE))
    lines = ["#!/bin/sh", "# Written by hapair when it paired: the only thing that the other server can start here."]
    for each in fields(settings):
        value = getattr(settings, each.name)
        if value != getattr(installed, each.name):
            lines.append(f"export {PREFIX}{each.name.upper()}={shlex.quote(str(value))}")
    lines.append(f"cd {shlex.quote(str(PROJECT))} && exec {shlex.quote(sys.executable)} -m jobs.peer")
    return "\n".join(lines) + "\n"


def _self_signed(key: EllipticCurvePrivateKey, address: str, hostname: str) -> bytes:
    """A certificate that is its own authority, for the address and the host's name."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    public = key.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64] or "hapair")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(now + CERTIFICATE_LIFE)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(address, hostname)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _alternative_names(address: str, hostname: str) -> list[x509.GeneralName]:
    from cryptography import x509

    names: list[x509.GeneralName] = []
    for each in dict.fromkeys(filter(None, (address, hostname))):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(each.partition("%")[0])))
        except ValueError:
            try:
                names.append(x509.DNSName(each))
            except ValueError as error:
                raise InvalidInput("address-invalid", "This Is No Name For A Server", detail=repr(each[:80])) from error
    return names


def _public_key(line: str) -> str:
    """The bare line of an Ed25519 public key, without comment. Raises InvalidInput (code `key-invalid`)."""
    match = _PUBLIC_KEY.match(line)
    try:
        blob = base64.b64decode(match[1], validate=True) if match else b""
    except binascii.Error:
        blob = b""
    if match is None or len(blob) != ED25519_BLOB_BYTES or not blob.startswith(b"\0\0\0\x0bssh-ed25519\0\0\0\x20"):
        raise InvalidInput(
            "key-invalid",
            "This Is Not An Ed25519 Public Key",
            detail=repr(line[:80]),
            hint="Pair the two servers anew with a new fingerprint.",
        )
    return match[0]


def _one_certificate(pem: str) -> bytes:
    """Exactly one certificate, written anew. Raises InvalidInput (code `certificate-invalid`)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        (certificate,) = x509.load_pem_x509_certificates(pem.encode("utf-8", "replace"))
    except ValueError as error:
        raise InvalidInput(
            "certificate-invalid",
            "This Is Not A Certificate",
            detail="The other server's database certificate can't be read.",
            hint="Pair the two servers anew with a new fingerprint.",
        ) from error
    return certificate.public_bytes(serialization.Encoding.PEM)
