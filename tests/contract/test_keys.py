"""What keys do, the fake ones and the files alike; then what only files must stand."""

from __future__ import annotations

import ipaddress
import os
import pwd
import ssl
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from app.adapters.keys import CLIENT_KEY, HOST_ALIAS, HOST_KEY, FileKeys
from app.core.errors import HapairError, InvalidInput, LocalFailure
from app.ports import Keys
from app.settings import Settings
from tests.fakes.keys import FakeKeys, fake_public_key

PEM = "-----BEGIN CERTIFICATE-----\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    return Settings(state_dir=state)


@pytest.fixture
def files(settings: Settings) -> FileKeys:
    return FileKeys(settings)


@pytest.fixture(params=["fake", "files"])
def keys(request: pytest.FixtureRequest, settings: Settings) -> Keys:
    return FakeKeys("alpha") if request.param == "fake" else FileKeys(settings)


@pytest.fixture
def other(tmp_path: Path) -> FileKeys:
    """Another server's keys."""
    folder = tmp_path / "other"
    folder.mkdir()
    keys = FileKeys(Settings(state_dir=folder))
    keys.make_certificate("192.0.2.2", "beta")
    return keys


def pin(keys: Keys, other: FileKeys, address: str = "192.0.2.2") -> None:
    own = other.identity()
    keys.pin_peer(own.host_key, own.client_key, own.certificate, address)


def test_the_identity_stays_the_same(keys: Keys) -> None:
    first = keys.identity()
    assert first.host_key.startswith("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI")
    assert first.client_key != first.host_key
    assert keys.identity() == first


def test_a_certificate_is_part_of_the_identity_once_it_is_made(keys: Keys) -> None:
    assert keys.identity().certificate == ""
    pem = keys.make_certificate("192.0.2.1", "alpha")
    assert pem.startswith(PEM)
    assert keys.identity().certificate == pem
    assert keys.make_certificate("192.0.2.9", "alpha") != pem


def test_a_secret_is_kept_and_replaced(keys: Keys) -> None:
    assert keys.secret("replication") is None
    keys.save_secret("replication", "first pässword")
    keys.save_secret("replication", "second pässword")
    assert keys.secret("replication") == "second pässword"


@pytest.mark.parametrize("name", ["", "../identity", "a/b", "."])
def test_a_secret_has_a_plain_name(keys: Keys, name: str) -> None:
    with pytest.raises(HapairError):
        keys.save_secret(name, "value")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7",
        "ssh-ed25519 AAAA",
        'ssh-ed25519" command="sh ' + "A" * 68,
        "ssh-ed25519 " + "A" * 68,
        "x\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43,
    ],
)
def test_only_an_ed25519_key_is_pinned(keys: Keys, other: FileKeys, key: str) -> None:
    own = other.identity()
    with pytest.raises(InvalidInput) as refused:
        keys.pin_peer(own.host_key, key, own.certificate, "192.0.2.2")
    assert refused.value.code == "key-invalid"


def test_only_one_certificate_is_pinned(keys: Keys, other: FileKeys) -> None:
    own = other.identity()
    for pem in ("", own.certificate * 2, "-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(InvalidInput) as refused:
            keys.pin_peer(own.host_key, own.client_key, pem, "192.0.2.2")
        assert refused.value.code == "certificate-invalid"


def test_a_comment_in_the_peers_key_does_not_reach_the_key_file(
    files: FileKeys, settings: Settings, other: FileKeys
) -> None:
    own = other.identity()
    files.pin_peer(own.host_key, f"{own.client_key} x\nssh-ed25519 {'B' * 68}", own.certificate, "192.0.2.2")
    lines = (settings.peer_dir / "authorized_keys").read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(own.client_key)


def test_private_files_are_for_root_alone(files: FileKeys, settings: Settings, other: FileKeys) -> None:
    files.identity()
    files.save_secret("replication", "x")
    pin(files, other)
    for path in (
        settings.keys_dir / HOST_KEY,
        settings.keys_dir / CLIENT_KEY,
        settings.keys_dir / "secrets" / "replication",
        settings.peer_dir / "authorized_keys",
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(settings.keys_dir.stat().st_mode) == 0o700


def test_what_is_sealed_opens_here_and_shows_nothing(keys: Keys) -> None:
    sealed = keys.seal("pässword of the mail server")
    assert "pässword of the mail server" not in sealed
    assert keys.unseal(sealed) == "pässword of the mail server"


@pytest.mark.parametrize("wrong", ["", "pässword", "gAAAAA" + "A" * 94, "other-key:drowssap"])
def test_what_was_not_sealed_here_is_refused(keys: Keys, wrong: str) -> None:
    with pytest.raises(LocalFailure) as refused:
        keys.unseal(wrong)
    assert refused.value.code == "seal-unknown"


def test_after_a_secondary_has_joined_both_servers_open_what_either_sealed(keys: Keys, other: FileKeys) -> None:
    primary = FakeKeys("beta") if isinstance(keys, FakeKeys) else other
    before, theirs = keys.seal("own, from before"), primary.seal("the primary's")
    for _ in range(2):
        keys.adopt_sealing_key(primary.sealing_key())
    assert keys.sealing_key() == primary.sealing_key()
    assert (keys.unseal(before), keys.unseal(theirs)) == ("own, from before", "the primary's")
    assert primary.unseal(keys.seal("from the secondary")) == "from the secondary"


def test_only_a_sealing_key_is_adopted(keys: Keys) -> None:
    for wrong in ("", "short", "ä" * 44):
        with pytest.raises(InvalidInput) as refused:
            keys.adopt_sealing_key(wrong)
        assert refused.value.code == "key-invalid"


def test_sealing_keys_are_for_root_and_the_api_alone(files: FileKeys, settings: Settings) -> None:
    files.sealing_key()
    assert stat.S_IMODE(settings.sealing_dir.stat().st_mode) == 0o750
    assert stat.S_IMODE((settings.sealing_dir / "keys").stat().st_mode) == 0o640


def test_openssh_reads_the_keys(files: FileKeys, settings: Settings) -> None:
    own = files.identity()
    for name, line in ((HOST_KEY, own.host_key), (CLIENT_KEY, own.client_key)):
        shown = subprocess.run(["ssh-keygen", "-y", "-f", settings.keys_dir / name], capture_output=True, text=True)
        assert shown.stdout.split()[:2] == line.split()


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "alpha.example.org"])
def test_the_certificate_names_the_address_and_the_host(files: FileKeys, address: str) -> None:
    certificate = x509.load_pem_x509_certificate(files.make_certificate(address, "alpha").encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = {str(each) for each in names.get_values_for_type(x509.IPAddress)}
    found.update(names.get_values_for_type(x509.DNSName))
    assert found == {address, "alpha"}
    if "example" not in address:
        assert ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress)


def test_the_database_account_reads_its_key_and_others_do_not(files: FileKeys, settings: Settings) -> None:
    files.make_certificate("192.0.2.1", "alpha")
    status = (settings.tls_dir / "key.pem").stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert status.st_gid == pwd.getpwnam(settings.database_account).pw_gid


def test_the_key_and_a_renewed_certificate_fit_together(files: FileKeys, settings: Settings) -> None:
    files.make_certificate("192.0.2.1", "alpha")
    files.make_certificate("192.0.2.7", "alpha")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.tls_dir / "certificate.pem", settings.tls_dir / "key.pem")


def test_a_pinned_peer_is_known_by_alias_and_may_run_one_command(
    files: FileKeys, settings: Settings, other: FileKeys
) -> None:
    pin(files, other, "2001:db8::2")
    own = other.identity()
    known = (settings.peer_dir / "known_hosts").read_text()
    assert known == f"{HOST_ALIAS},[2001:db8::2]:7722 {own.host_key}\n"
    login = (settings.peer_dir / "authorized_keys").read_text()
    assert login == f'restrict,command="/bin/sh {settings.peer_dir}/command" {own.client_key}\n'
    assert Path(files.peer_authority()).read_text() == own.certificate


def test_the_forced_command_carries_this_nodes_settings(tmp_path: Path, other: FileKeys) -> None:
    settings = Settings(state_dir=tmp_path / "s", log_dir=Path("/tmp/with 'quotes' and spaces"))
    settings.state_dir.mkdir()
    pin(FileKeys(settings), other)
    script = (settings.peer_dir / "command").read_text().replace("exec ", "env; exit; ")
    shown = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert "HAPAIR_LOG_DIR=/tmp/with 'quotes' and spaces" in shown.stdout.splitlines()
    assert f"HAPAIR_STATE_DIR={tmp_path}/s" in shown.stdout.splitlines()


def test_what_the_settings_file_says_is_not_fixed_at_pairing(
    tmp_path: Path, other: FileKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hapair.env"
    file.write_text(f"HAPAIR_STATE_DIR={tmp_path}/s\nHAPAIR_PEER_PORT=7999\n")
    monkeypatch.setattr("app.adapters.keys.ENVIRONMENT_FILE", file)
    settings = Settings(state_dir=tmp_path / "s", peer_port=7999, smtp_port=2525)
    settings.state_dir.mkdir()
    pin(FileKeys(settings), other)
    script = (settings.peer_dir / "command").read_text()
    assert [line for line in script.splitlines() if "export" in line] == ["export HAPAIR_SMTP_PORT=2525"]


def test_after_unpinning_nobody_may_log_in(files: FileKeys, settings: Settings, other: FileKeys) -> None:
    pin(files, other)
    files.unpin_peer()
    files.unpin_peer()
    assert not list(settings.peer_dir.iterdir())
    assert not Path(files.peer_authority()).exists()


@pytest.mark.parametrize("address", ["", "a b", "a\nb", "x" * 300, "a,b"])
def test_an_address_that_would_break_the_file_changes_nothing(
    files: FileKeys, settings: Settings, other: FileKeys, address: str
) -> None:
    with pytest.raises(InvalidInput):
        pin(files, other, address)
    assert not settings.peer_dir.exists() or not list(settings.peer_dir.iterdir())


def test_no_half_written_file_stays_when_a_write_fails(
    files: FileKeys, settings: Settings, other: FileKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(files, other)
    before = {path: path.read_bytes() for path in settings.peer_dir.iterdir()}

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(HapairError) as refused:
        pin(files, other, "192.0.2.99")
    assert refused.value.code == "disk-failed"
    assert {path: path.read_bytes() for path in settings.peer_dir.iterdir()} == before


def test_two_processes_agree_on_one_key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = FileKeys(settings), FileKeys(settings)
    answers: list[str] = []
    exists: Callable[[Path], bool] = Path.exists

    def exists_after_the_other_was_first(path: Path) -> bool:
        there = exists(path)
        if path.name == HOST_KEY and not there and not answers:
            answers.append("")
            answers.append(two.identity().host_key)
        return there

    monkeypatch.setattr(Path, "exists", exists_after_the_other_was_first)
    assert one.identity().host_key == answers[1]


def test_fake_public_keys_have_the_right_form(files: FileKeys, other: FileKeys) -> None:
    own = other.identity()
    files.pin_peer(fake_public_key("a"), fake_public_key("b"), own.certificate, "192.0.2.2")
