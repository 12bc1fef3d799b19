"""The lab keeps its own promises: hosts apart from each other, faults that do what they say, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.control import Lab, running, start
from tests.lab.disk import loop_devices
from tests.lab.group import Group
from tests.lab.network import NAMESPACES
from tests.lab.places import PROJECT, LabError, is_alive, places
from tests.lab.removal import sweep
from tests.lab.slow import DELAY_S
from tests.waiting import wait_for

pytestmark = pytest.mark.lab
NAME = f"self-{os.getpid()}"
PEER = {"a": "10.77.1.12", "b": "10.77.1.11"}
GATEWAY = "10.77.1.1"
TARGET = "10.77.21.2"
SETTLE_S = 60.0
PINGS = 200
"""So many that a loss of 5 % each way would miss all of them once in a thousand million times."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two booted hosts in one subnet, with no service running."""
    made = start(NAME, disk_gib=1)
    yield made
    made.down()


@pytest.fixture
def healed(lab: Lab) -> Iterator[Lab]:
    """The lab without faults, and without faults again afterwards, both hosts on and seeing each other."""
    yield lab
    lab.fault("heal")
    for host, found in lab.ask("info")["hosts"].items():
        if not found["on"]:
            lab.fault("boot", host)
    wait_for(lambda: sees(lab, "a", PEER["a"]) and sees(lab, "b", GATEWAY), SETTLE_S, "the healed network")


def sees(lab: Lab, host: str, address: str) -> bool:
    return lab.run(host, "ping", "-n", "-q", "-c", "1", "-W", "1", address).returncode == 0


def remains(name: str) -> list[str]:
    """Everything on this machine that still carries the lab's name."""
    lab = places(name)
    found = [str(lab.folder)] if lab.folder.exists() else []
    found += [each.name for each in NAMESPACES.glob(lab.namespace("") + "*")]
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"{lab.folder}/" in line]
    for host in PEER:
        found += loop_devices(lab.image(host))
        group = Group(lab.group(host))
        found += [str(group.folder)] if group.folder.exists() else []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"tests.lab.keeper" in command and name.encode() in command:
            found.append(f"process {process.name}")
    return found


def test_each_host_has_its_own_name_processes_and_files(lab: Lab) -> None:
    lab.check("a", "sh", "-c", "echo private > /etc/only-here && echo private > /tmp/only-here")
    assert [lab.check(host, "hostname").strip() for host in ("a", "b")] == ["alpha", "beta"]
    assert lab.run("b", "test", "-e", "/etc/only-here").returncode == 1
    assert not Path("/etc/only-here").exists()
    assert lab.check("a", "cat", "/proc/1/comm").strip() == "tini"


def test_unprivileged_accounts_reach_the_checkout_and_the_interpreter(lab: Lab) -> None:
    printed = lab.check(
        "a", "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", sys.executable, "-c", "import app"
    )
    assert printed == ""


def test_exec_hands_on_input_output_and_exit_code(lab: Lab) -> None:
    assert lab.check("b", "cat", given="a line\n") == "a line\n"
    assert lab.run("b", "sh", "-c", "exit 7").returncode == 7


def test_hosts_see_each_other_the_gateway_and_the_targets(lab: Lab) -> None:
    assert all(sees(lab, "a", address) for address in (PEER["a"], GATEWAY, TARGET, "beta", "t3.hapair.test"))
    assert lab.run("a", "ping", "-6", "-q", "-c", "1", "-W", "1", "beta").returncode == 0


def test_cut_peer_leaves_the_gateway_in_sight(healed: Lab) -> None:
    healed.fault("cut-peer")
    assert [sees(healed, host, PEER[host]) for host in ("a", "b")] == [False, False]
    assert [sees(healed, host, GATEWAY) for host in ("a", "b")] == [True, True]


def test_isolate_takes_everything_out_of_sight_and_outlasts_a_boot(healed: Lab) -> None:
    healed.fault("isolate", "b")
    healed.fault("power-cut", "b")
    healed.fault("boot", "b")
    assert not sees(healed, "b", GATEWAY)
    assert sees(healed, "a", GATEWAY)


def test_one_way_loses_only_what_the_host_sends_to_its_peer(healed: Lab) -> None:
    listen = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 9)); s.settimeout(4)"
    heard = f"{listen}; print('ready', flush=True); print(s.recv(9))"
    send = "import socket, sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'word', (sys.argv[1], 9))"
    for host, found in healed.ask("info")["hosts"].items():
        # The other's hardware address is known for good: only the words below matter, not who may ask for it.
        neighbour = ("ip", "neighbour", "replace", found["ipv4"], "lladdr", found["hardware"], "dev", "eth0")
        healed.check({"a": "b", "b": "a"}[host], *neighbour, "nud", "permanent")
    healed.fault("one-way", "a")
    results = {}
    for sender, receiver in (("a", "b"), ("b", "a")):
        command = healed.exec_command(receiver, (sys.executable, "-c", heard))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as listener:
            assert listener.stdout is not None
            listener.stdout.readline()
            healed.check(sender, sys.executable, "-c", send, PEER[sender])
            results[sender] = "word" in listener.stdout.read()
    assert results == {"a": False, "b": True}


def test_drop_ping_leaves_everything_else_working(healed: Lab) -> None:
    healed.fault("drop-ping", "a")
    assert not sees(healed, "b", PEER["b"])
    assert sees(healed, "a", PEER["a"])


def test_gateway_down_leaves_the_switch_working(healed: Lab) -> None:
    healed.fault("gateway-down")
    assert [sees(healed, "a", address) for address in (PEER["a"], GATEWAY, TARGET)] == [True, False, False]


def test_a_slow_line_delays_and_loses_until_it_is_healed(healed: Lab) -> None:
    assert sees(healed, "b", PEER["b"])  # so that both know where the other is
    healed.fault("slow", "a")
    with pytest.raises(LabError, match="slow already"):
        healed.fault("slow", "a")
    received, least_ms = flood(healed)
    assert PINGS / 2 < received < PINGS
    assert least_ms >= 1000 * DELAY_S
    healed.fault("heal")
    received, least_ms = flood(healed)
    assert received == PINGS
    assert least_ms < 1000 * DELAY_S


def flood(lab: Lab) -> tuple[int, float]:
    """How many of many pings from b to a were answered, and the shortest round trip in milliseconds."""
    said = lab.run("b", "ping", "-n", "-q", "-c", str(PINGS), "-i", "0.005", "-W", "1", PEER["b"]).stdout
    return int(said.split(" received")[0].rsplit(" ", 1)[1]), float(said.split("mdev = ")[1].split("/")[0])


def test_a_paused_host_stands_still_and_still_answers_pings(healed: Lab) -> None:
    healed.fault("pause", "b")
    assert sees(healed, "a", PEER["a"])
    with pytest.raises(subprocess.TimeoutExpired):
        healed.run("b", "true", timeout_s=1)
    healed.fault("resume", "b")
    assert healed.check("b", "echo", "awake") == "awake\n"


def test_a_power_cut_loses_what_was_not_synced_and_nothing_else(healed: Lab) -> None:
    healed.check("a", "sh", "-c", "echo kept > /data/kept && sync -f /data && echo lost > /data/lost")
    healed.fault("power-cut", "a")
    with pytest.raises(LabError, match="is off"):
        healed.check("a", "true")
    healed.fault("boot", "a")
    assert healed.check("a", "cat", "/data/kept") == "kept\n"
    assert healed.run("a", "test", "-e", "/data/lost").returncode == 1
    wait_for(lambda: sees(healed, "b", PEER["b"]), SETTLE_S, "the booted host")


def test_disk_full_leaves_no_block_and_heal_gives_them_back(healed: Lab) -> None:
    healed.fault("disk-full", "a")
    assert "No space left" in healed.run("a", "dd", "if=/dev/zero", "of=/data/more", "bs=4k", "count=1").stderr
    healed.fault("heal")
    assert healed.run("a", "sh", "-c", "echo more > /data/more").returncode == 0


def test_unknown_requests_are_refused_with_what_there_is(lab: Lab) -> None:
    with pytest.raises(LabError, match="choose one of power-cut"):
        lab.fault("earthquake")
    with pytest.raises(LabError, match="usage: fault isolate HOST"):
        lab.fault("isolate")
    with pytest.raises(LabError, match="choose a or b"):
        lab.fault("isolate", "c")
    with pytest.raises(LabError, match="runs already"):
        start(NAME)


def test_down_leaves_nothing() -> None:
    name = f"{NAME}-down"
    lab = start(name, disk_gib=1)
    assert len(remains(name)) > 5
    lab.down()
    assert remains(name) == []
    with pytest.raises(LabError, match="no lab"):
        running(name)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_owner_takes_its_lab_along(number: signal.Signals) -> None:
    name = f"{NAME}-{number.name.lower()}"
    script = (
        "import signal, time; from tests.lab.control import start\n"
        # Who runs the tests in the background has them ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"lab = start({name!r}, disk_gib=1); print('up', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        assert is_alive(places(name))
        owner.send_signal(number)
    wait_for(lambda: not remains(name), SETTLE_S, "the lab's end")


def test_a_killed_keeper_takes_its_hosts_along_and_sweep_removes_the_rest() -> None:
    name = f"{NAME}-keeper"
    lab = start(name, disk_gib=1)
    keeper = next(each for each in remains(name) if each.startswith("process "))
    os.kill(int(keeper.split()[1]), signal.SIGKILL)
    wait_for(lambda: not Group(lab.places.group("a")).processes(), SETTLE_S, "the hosts' end")
    wait_for(lambda: not is_alive(lab.places), SETTLE_S, "the keeper's end")
    assert name in sweep()
    lab.down()
    assert remains(name) == []
