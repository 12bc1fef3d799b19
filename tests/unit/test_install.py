"""What the installer writes is what the services' own programs accept."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from app.adapters.certificate import FileCertificate
from app.adapters.keys import FileKeys
from app.install.configuration import CONFIGURATION, MARIADB_DROP_IN, render, write_units
from app.install.services import SERVICES, service
from app.settings import Settings, read_environment_file
from tests.fakes.clock import FakeClock
from tests.fakes.machine import FakeMachine

DATABASE_ID = 4711


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("state/tls", "state/keys", "state/peer", "run"):
        (tmp_path / name).mkdir(parents=True)
    return Settings(state_dir=tmp_path / "state", run_dir=tmp_path / "run", api_socket=tmp_path / "run/api.sock")


def checked(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout + done.stderr


def test_sshd_accepts_its_configuration_and_offers_nothing_but_the_forced_command(settings: Settings) -> None:
    FileKeys(settings).identity()
    path = settings.run_dir / "sshd_config"
    path.write_text(render(settings, DATABASE_ID)[CONFIGURATION / "sshd_config"])
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    effective = checked("/usr/sbin/sshd", "-T", "-f", str(path)).lower().splitlines()
    for line in (
        "permitrootlogin forced-commands-only",
        "authenticationmethods publickey",
        "passwordauthentication no",
        "permittty no",
        "disableforwarding yes",
        "port 7722",
    ):
        assert line in effective


def test_nginx_accepts_its_configuration(settings: Settings) -> None:
    clock = FakeClock()
    FileCertificate(settings, FakeMachine(clock), clock).ensure()
    text = render(settings, DATABASE_ID)[CONFIGURATION / "nginx.conf"].replace("user hapair hapair;", "")
    path = settings.run_dir / "nginx.conf"
    path.write_text(text)
    checked("/usr/sbin/nginx", "-t", "-q", "-c", str(path), "-e", "stderr")


def test_the_database_starts_read_only_and_syncs_what_it_acknowledges(settings: Settings) -> None:
    path = settings.run_dir / "hapair.cnf"
    path.write_text(render(settings, DATABASE_ID)[MARIADB_DROP_IN])
    told = checked("my_print_defaults", f"--defaults-file={path}", "mariadbd").splitlines()
    for option in ("--read_only=ON", "--sync_binlog=1", "--innodb_flush_log_at_trx_commit=1", "--gtid_strict_mode=ON"):
        assert option in told
    assert f"--server_id={DATABASE_ID}" in told


def test_each_service_has_a_unit_that_starts_exactly_its_command(tmp_path: Path) -> None:
    names = write_units(tmp_path)
    assert names == [each.unit_name for each in SERVICES]
    for each in SERVICES:
        if each.unit:
            continue
        lines = (tmp_path / f"{each.unit_name}.service").read_text().splitlines()
        command = next(line for line in lines if line.startswith("ExecStart=")).removeprefix("ExecStart=")
        assert tuple(shlex.split(command)) == each.arguments
        assert f"User={each.account}" in lines
        assert ("ExecReload=/bin/kill -HUP $MAINPID" in lines) == each.reloads


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd")
def test_systemd_takes_the_units_as_they_are(tmp_path: Path) -> None:
    write_units(tmp_path)
    assert checked("systemd-analyze", "verify", *(str(path) for path in sorted(tmp_path.iterdir()))) == ""


def test_an_unknown_service_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="monitor"):
        service("unknown")


def test_the_environment_file_is_read_as_systemd_does(tmp_path: Path) -> None:
    path = tmp_path / "hapair.env"
    path.write_text('# where the tree is\nHAPAIR_FILES_DIR="/srv/my files"\n\nHAPAIR_PEER_PORT=8822\n')
    assert read_environment_file(path) == {"HAPAIR_FILES_DIR": "/srv/my files", "HAPAIR_PEER_PORT": "8822"}
    assert read_environment_file(tmp_path / "missing") == {}
    path.write_text("HAPAIR_FILES_DIR\n")
    with pytest.raises(ValueError, match="line 1"):
        read_environment_file(path)
