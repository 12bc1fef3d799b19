"""What every machine promises: the fake, and this server itself with a service manager of the test."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.adapters.machine import LinuxMachine
from app.core.errors import LocalFailure
from app.ports import Machine
from app.settings import Settings
from tests.fakes.clock import FakeClock
from tests.fakes.machine import FakeMachine

MANAGER = """#!/bin/bash
echo "$@" >> {folder}/commands
[ "$1" != stop ] || {{ echo "no way" >&2; exit 3; }}
"""
ROUTES = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t0105000A\t0003\t0\t0\t200\t00000000\t0\t0\t0\n"
    "eth1\t00000000\tFE05000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    "eth0\t0005000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
)
ROUTES_IPV6 = (
    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
    "fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    manager = tmp_path / "manager"
    manager.write_text(MANAGER.format(folder=tmp_path))
    manager.chmod(0o755)
    return Settings(run_dir=tmp_path / "run", state_dir=tmp_path / "state", service_command=str(manager))


@pytest.fixture(params=["fake", "real"])
def machine(request: pytest.FixtureRequest, settings: Settings) -> Machine:
    if request.param == "real":
        return LinuxMachine(settings)
    return FakeMachine(FakeClock())


def test_facts_are_plausible(machine: Machine) -> None:
    facts = machine.facts()
    assert facts.hostname
    assert machine.hostname() == facts.hostname
    assert facts.cpus >= 1
    assert facts.memory_bytes > 1 << 20
    assert 0 <= facts.disk_free_bytes <= facts.disk_bytes
    assert facts.version
    assert not any(address.startswith(("127.", "::1", "fe80:")) for address in facts.addresses)


def test_what_was_published_last_is_read_back_with_its_age(machine: Machine) -> None:
    machine.publish("monitor", {"tick": 1})
    began = time.monotonic()
    machine.publish("monitor", {"tick": 2, "text": "ünï\0code"})
    found = machine.published("monitor")
    assert found is not None
    document, age_s = found
    assert document == {"tick": 2, "text": "ünï\0code"}
    assert 0 <= age_s <= time.monotonic() - began


def test_what_was_never_published_is_none(machine: Machine) -> None:
    assert machine.published("monitor") is None


def test_an_unknown_service_is_refused(machine: Machine) -> None:
    with pytest.raises(LocalFailure) as refused:
        machine.service("start", "mariadb; reboot")
    assert refused.value.code == "service-unknown"


def test_a_service_obeys(machine: Machine) -> None:
    machine.service("start", "mariadb")


def test_the_manager_is_called_with_its_own_unit_names(settings: Settings, tmp_path: Path) -> None:
    machine = LinuxMachine(settings)
    machine.service("start", "mariadb")
    machine.service("restart", "peer-sshd")
    assert (tmp_path / "commands").read_text() == "start mariadb\nrestart hapair-peer-sshd\n"


def test_a_kill_by_systemd_is_a_kill(settings: Settings, tmp_path: Path) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.symlink_to(settings.service_command)
    LinuxMachine(replace(settings, service_command=str(systemctl))).service("kill", "mariadb")
    assert (tmp_path / "commands").read_text() == "kill --signal=SIGKILL mariadb\n"


def test_a_refusing_manager_is_quoted(settings: Settings) -> None:
    with pytest.raises(LocalFailure) as failed:
        LinuxMachine(settings).service("stop", "mariadb")
    assert failed.value.code == "service-failed"
    assert "no way" in failed.value.detail


def test_a_missing_or_hanging_manager_is_a_local_failure(tmp_path: Path) -> None:
    missing = LinuxMachine(Settings(run_dir=tmp_path, service_command=str(tmp_path / "nothing")))
    with pytest.raises(LocalFailure):
        missing.service("start", "mariadb")
    hanging = LinuxMachine(Settings(run_dir=tmp_path, service_command="sleep 30 #"))
    with pytest.raises(LocalFailure):
        hanging.service("start", "mariadb", timeout_s=0.2)


def test_a_torn_or_foreign_document_is_none(settings: Settings) -> None:
    machine = LinuxMachine(settings)
    machine.publish("monitor", {"tick": 1})
    path = settings.run_dir / "monitor.json"
    whole = path.read_text()
    foreign = ("[]", "{}", "", '{"monotonic": "x", "document": {}}', '{"monotonic": 1e99, "document": {}}')
    for content in (whole[:-5], *foreign):
        path.write_text(content)
        assert machine.published("monitor") is None, content


def test_readers_never_see_half_a_document(settings: Settings) -> None:
    machine = LinuxMachine(settings)
    machine.publish("monitor", {"fill": "x" * 10_000})
    torn: list[str] = []

    def read() -> None:
        torn.extend("torn" for _ in range(300) if machine.published("monitor") is None)

    reader = threading.Thread(target=read)
    reader.start()
    while reader.is_alive():
        machine.publish("monitor", {"fill": "y" * 10_000})
    reader.join()
    assert torn == []
    assert [path.name for path in settings.run_dir.iterdir()] == ["monitor.json"]


@pytest.mark.parametrize("name", ["../state", "", "a/b", "a\0", "A" * 100])
def test_a_document_name_is_no_path(settings: Settings, name: str) -> None:
    with pytest.raises(ValueError, match="published document"):
        LinuxMachine(settings).publish(name, {})


def test_the_gateway_is_the_default_route_with_the_lowest_metric(settings: Settings, tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    (proc / "net").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal:  1024 kB\n")
    machine = LinuxMachine(settings, proc=proc)
    assert machine.facts().gateway is None
    (proc / "net/ipv6_route").write_text(ROUTES_IPV6)
    assert machine.facts().gateway == "fe80::1%eth0"
    (proc / "net/route").write_text(ROUTES)
    assert machine.facts().gateway == "10.0.5.254"
    assert machine.facts().memory_bytes == 1024 * 1024


def test_a_run_folder_that_cannot_be_written_is_a_local_failure(settings: Settings) -> None:
    settings.run_dir.write_text("a file where the folder should be")
    with pytest.raises(LocalFailure) as failed:
        LinuxMachine(settings).publish("monitor", {})
    assert failed.value.code == "run-folder-failed"


def test_a_port_counts_as_open_only_while_someone_listens(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if isinstance(machine, FakeMachine):
            machine.open_ports.add(("127.0.0.1", port))
        assert machine.can_connect("127.0.0.1", port, timeout_s=1.0)
    if isinstance(machine, FakeMachine):
        machine.open_ports.clear()
    assert not machine.can_connect("127.0.0.1", port, timeout_s=1.0)
    assert not machine.can_connect("no such name\u2028", port, timeout_s=1.0)
