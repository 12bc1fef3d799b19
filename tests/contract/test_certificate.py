"""The console's certificate: the fake's, that of real files behind a real nginx, and the same through root's socket."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.adapters.certificate import CertificateService, FileCertificate, RemoteCertificate
from app.adapters.certificate import files as certificate_files
from app.adapters.clock import SystemClock
from app.core.certificates import CHAIN_MAX
from app.core.errors import InvalidInput, LocalFailure
from app.ports import ConsoleCertificate
from app.settings import Settings
from tests.fakes.certificate import FakeCertificate
from tests.fakes.clock import FakeClock
from tests.fakes.machine import FakeMachine
from tests.waiting import wait_for

START_S = 60.0
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 32; }}
http {{
    access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {pem}; ssl_certificate_key {pem}; return 204; }}
}}
"""
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class NginxMachine(FakeMachine):
    """Reloads a real nginx."""

    process: subprocess.Popen[bytes] | None = None

    def service(self, action: str, name: str, timeout_s: float = 60.0) -> None:
        super().service(action, name, timeout_s)
        if self.process is None:
            raise LocalFailure("service-failed", "A Service Did Not Obey", detail="nginx does not run.")
        self.process.send_signal(1)


@dataclass
class Behind:
    """A certificate and what stands behind it."""

    certificate: ConsoleCertificate
    settings: Settings | None = None
    machine: NginxMachine | None = None

    def served(self) -> str:
        """Fingerprint of what a browser gets."""
        if self.settings is None:
            return self.certificate.show().fingerprint
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        address = ("127.0.0.1", self.settings.https_port)
        with socket.create_connection(address, 5) as plain, context.wrap_socket(plain) as spoken:
            found = spoken.getpeercert(binary_form=True)
        assert found is not None
        return x509.load_der_x509_certificate(found).fingerprint(hashes.SHA256()).hex(":").upper()

    def wait_for(self, fingerprint: str) -> None:
        """nginx serves it; a worker of before the reload may still take a connection in the same moment."""
        wait_for(lambda: self.served() == fingerprint, START_S, "nginx serves the certificate")


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Behind]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings(state_dir=tmp_path / "state", run_dir=tmp_path / "run", https_port=port)
    settings.tls_dir.mkdir(parents=True)
    settings.run_dir.mkdir()
    clock = SystemClock()
    machine = NginxMachine(clock)
    certificate = FileCertificate(settings, machine, clock)
    certificate.ensure()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(NGINX.format(folder=tmp_path, port=port, pem=settings.tls_dir / "console.pem"))
    with (tmp_path / "nginx.log").open("wb") as log:
        machine.process = subprocess.Popen(["/usr/sbin/nginx", "-c", str(configuration), "-e", "stderr"], stderr=log)
    try:
        wait_for(lambda: certificate_files._served(port) is not None, START_S, "nginx answers")
        yield Behind(certificate, settings, machine)
    finally:
        machine.process.terminate()
        machine.process.wait(START_S)


@pytest.fixture
def through_socket(real: Behind) -> Iterator[Behind]:
    assert real.settings is not None
    assert isinstance(real.certificate, FileCertificate)
    service = CertificateService(real.certificate, real.settings.run_dir)
    service.start()
    yield Behind(RemoteCertificate(real.settings.run_dir), real.settings, real.machine)
    service.stop()


@pytest.fixture(params=["fake", "real", "through_socket"])
def behind(request: pytest.FixtureRequest) -> Behind:
    if request.param == "fake":
        return Behind(FakeCertificate(FakeClock()))
    found: Behind = request.getfixturevalue(request.param)
    return found


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: Key, password: bytes | None = None) -> str:
    cipher = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher).decode()


def make(
    key: Key,
    name: str = "console.example",
    *,
    signer: tuple[x509.Name, Any] | None = None,
    days: tuple[int, int] = (-1, 90),
    san: bool = True,
    use: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = signer or (subject, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    if use is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    return builder.sign(signing, None if isinstance(signing, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def offer(behind: Behind) -> tuple[str, str]:
    """A certificate that can be used, with its key."""
    if isinstance(behind.certificate, FakeCertificate):
        return "console.example until 2040-01-01", "key of console.example"
    key = ec.generate_private_key(ec.SECP256R1())
    return pem(make(key)), key_pem(key)


def test_the_first_one_is_made_here_and_lasts(behind: Behind) -> None:
    found = behind.certificate.show()
    assert found.made_here
    assert "alpha" in found.names
    assert found.authority is not None
    assert found.not_after - found.not_before > timedelta(days=800)
    assert behind.served() == found.fingerprint


def test_another_one_takes_its_place_at_once_and_a_new_own_one_again(behind: Behind) -> None:
    first = behind.certificate.show()
    found = behind.certificate.replace(*offer(behind))
    assert found.names == ("console.example",)
    assert (found.made_here, found.authority) == (False, None)
    assert found.fingerprint != first.fingerprint
    behind.wait_for(found.fingerprint)
    own = behind.certificate.renew()
    assert own.made_here
    behind.wait_for(own.fingerprint)


def test_the_key_must_be_that_of_the_certificate(behind: Behind) -> None:
    before = behind.served()
    certificate, _ = offer(behind)
    _, key = offer(behind) if not isinstance(behind.certificate, FakeCertificate) else ("", "key of another")
    with pytest.raises(InvalidInput) as refused:
        behind.certificate.replace(certificate, key)
    assert refused.value.code == "certificate-refused"
    assert list(refused.value.errors) == ["key"]
    assert behind.served() == before


def test_an_nginx_that_takes_none_leaves_the_one_before(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_files, "RELOAD_S", 0.5)
    before = behind.certificate.show()
    if isinstance(behind.certificate, FakeCertificate):
        behind.certificate.stuck = True
    else:
        assert behind.machine is not None
        behind.machine.failing_services.add("nginx")
    with pytest.raises(LocalFailure) as refused:
        behind.certificate.replace(*offer(behind))
    assert refused.value.code == "certificate-not-loaded"
    assert behind.certificate.show() == before
    assert behind.served() == before.fingerprint


AUTHORITY_KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = make(AUTHORITY_KEY, "authority.example")
SIGNER = (AUTHORITY.subject, AUTHORITY_KEY)
P256, WEAK_RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)  # noqa: S505
ED25519 = ed25519.Ed25519PrivateKey.generate()
GOOD = pem(make(P256))
WRONG: dict[str, tuple[Callable[[], str], Callable[[], str], str, str]] = {
    "no PEM": (lambda: "hello", lambda: key_pem(P256), "certificate", "PEM"),
    "half a certificate": (lambda: GOOD[: len(GOOD) // 2], lambda: key_pem(P256), "certificate", "PEM"),
    "a key for a certificate": (lambda: key_pem(P256), lambda: key_pem(P256), "certificate", "PEM"),
    "surrogates": (lambda: "\ud800", lambda: key_pem(P256), "certificate", "PEM"),
    "no key": (lambda: GOOD, lambda: "hello", "key", "PEM"),
    "a locked key": (lambda: GOOD, lambda: key_pem(P256, b"secret"), "key", "password"),
    "ended": (lambda: pem(make(P256, days=(-9, -1))), lambda: key_pem(P256), "certificate", "ended"),
    "not begun": (lambda: pem(make(P256, days=(5, 9))), lambda: key_pem(P256), "certificate", "not valid before"),
    "no name": (lambda: pem(make(P256, san=False)), lambda: key_pem(P256), "certificate", "name its server"),
    "for clients": (
        lambda: pem(make(P256, use=ExtendedKeyUsageOID.CLIENT_AUTH)), lambda: key_pem(P256), "certificate", "servers",
    ),
    "a weak key": (lambda: pem(make(WEAK_RSA)), lambda: key_pem(WEAK_RSA), "key", "2048"),
    "a key that browsers do not know": (lambda: pem(make(ED25519)), lambda: key_pem(ED25519), "key", "RSA or"),
    "a chain in the wrong order": (
        lambda: pem(AUTHORITY) + pem(make(P256, signer=SIGNER)), lambda: key_pem(P256), "certificate", "first",
    ),
    "a chain with a stranger": (lambda: GOOD + pem(AUTHORITY), lambda: key_pem(P256), "certificate", "signed the one"),
    "a chain that ends earlier": (
        lambda: pem(make(P256, signer=SIGNER)) + pem(make(AUTHORITY_KEY, "authority.example", days=(-9, -1))),
        lambda: key_pem(P256), "certificate", "ended",
    ),
    "too many": (lambda: GOOD * (CHAIN_MAX + 1), lambda: key_pem(P256), "certificate", "at most"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_can_not_be_used_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    settings, clock = Settings(state_dir=tmp_path), SystemClock()
    settings.tls_dir.mkdir()
    stored = FileCertificate(settings, FakeMachine(clock), clock)
    stored.ensure()
    before = stored.show()
    certificate, key, field, word = WRONG[name]
    with pytest.raises(InvalidInput) as refused:
        stored.replace(certificate(), key())
    assert refused.value.code == "certificate-refused"
    assert any(word in sentence for sentence in refused.value.errors[field])
    assert stored.show() == before


def test_a_chain_is_served_whole(through_socket: Behind) -> None:
    assert through_socket.settings is not None
    through_socket.certificate.replace(pem(make(P256, signer=SIGNER)) + pem(AUTHORITY), key_pem(P256))
    command = ["openssl", "s_client", "-showcerts", "-connect", f"127.0.0.1:{through_socket.settings.https_port}"]

    def shown() -> str:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        return done.stdout

    wait_for(lambda: pem(AUTHORITY) in shown(), START_S, "nginx serves the chain")


def test_the_key_is_for_root_alone_and_what_came_with_it_is_dropped(real: Behind) -> None:
    assert real.settings is not None
    real.certificate.replace(f"# a comment\n{GOOD}", key_pem(P256) + "and more")
    path = real.settings.tls_dir / "console.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "comment" not in path.read_text()
    assert "more" not in path.read_text()


def test_the_own_one_is_trusted_by_its_authority_alone(real: Behind, tmp_path: Path) -> None:
    assert real.settings is not None
    folder = real.settings.tls_dir
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", str(folder / "console-authority.pem"),
         "-verify_ip", "10.0.0.1", str(folder / "console.pem")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before = (folder / "console.pem").read_bytes()
    assert isinstance(real.certificate, FileCertificate)
    real.certificate.ensure()
    assert (folder / "console.pem").read_bytes() == before


@pytest.mark.parametrize(
    "line", [b"", b"{\n", b"[]\n", b"[" * 50_000 + b"\n", b'{"verb": "run"}\n', b'{"verb": "replace", "key": 1}\n']
)
def test_a_request_that_is_none_is_refused(through_socket: Behind, line: bytes) -> None:
    assert through_socket.settings is not None
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(through_socket.settings.run_dir / "certificate.sock"))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as source:
            assert b'"bad-request"' in source.readline()


def test_without_roots_part_it_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(LocalFailure) as refused:
        RemoteCertificate(tmp_path).show()
    assert refused.value.code == "certificate-unavailable"
