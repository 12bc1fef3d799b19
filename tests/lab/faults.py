"""The faults of the lab, by the names of `python -m tests.lab fault KIND …`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.lab.host import Host
from tests.lab.network import HOSTS, Network
from tests.lab.places import LabError
from tests.lab.shell import run
from tests.lab.slow import SlowLine
from tests.lab.system_files import SERVICE_COMMAND

OTHER_NAMES = {"sshd": "peer-sshd", "mariadbd": "mariadb"}
"""What people call a service, where the table of services has another name."""


@dataclass(frozen=True)
class World:
    """What faults act on."""

    network: Network
    hosts: Mapping[str, Host]

    def host(self, key: str) -> Host:
        if key not in self.hosts:
            raise LabError(f"there is no host {key!r}; choose a or b.")
        return self.hosts[key]

    def running(self, key: str) -> Host:
        host = self.host(key)
        if not host.is_on:
            raise LabError(f"host {key} is off; `fault boot {key}` starts it.")
        return host


def power_cut(world: World, key: str) -> None:
    """Off at once; what was not synced to disk is lost."""
    world.host(key).cut_power()


def boot(world: World, key: str) -> None:
    """On again, with the disk as the power cut left it. Returns before the services are up."""
    world.host(key).boot()


def pause(world: World, key: str) -> None:
    """Every process of the host stands still; its kernel still answers pings."""
    world.running(key).group.freeze()


def resume(world: World, key: str) -> None:
    world.running(key).group.thaw()


def isolate(world: World, key: str) -> None:
    """The cable of the host is out."""
    world.host(key)
    world.network.unplug(key)


def cut_peer(world: World) -> None:
    """Nothing passes between a and b; both still see their gateway and the targets."""
    one, other = HOSTS
    world.network.cut([(one, other), (other, one)])


def one_way(world: World, key: str) -> None:
    """What the host sends to its peer is lost."""
    world.host(key)
    world.network.cut([(key, other) for other in HOSTS if other != key])


def drop_ping(world: World, key: str) -> None:
    """The host answers no ICMP echo any more; all else works."""
    host = world.running(key)
    world.network.answer_pings(key, answers=False)
    host.pings_dropped = True


def kill(world: World, key: str, service: str) -> None:
    """The service has received SIGKILL."""
    run(world.running(key).command([SERVICE_COMMAND, "kill", OTHER_NAMES.get(service, service)]))


def disk_full(world: World, key: str) -> None:
    """Not one block of the data disk is free."""
    world.running(key).disk.fill()


def gateway_down(world: World) -> None:
    """The router answers nobody and forwards nothing."""
    world.network.stop_gateway()


def slow(world: World, key: str) -> None:
    """The line of the host is slow and lossy: 200 ms more for a round trip, 5 % of the packets lost each way."""
    world.running(key)
    if key in world.network.slow_lines:
        raise LabError(f"the line of host {key} is slow already; `fault heal` ends it.")
    world.network.slow_lines[key] = SlowLine(key, world.network.router).close


def heal(world: World) -> None:
    """Every fault of network, disk, pings and pauses is undone. Hosts that are off stay off."""
    world.network.restore()
    for key, host in world.hosts.items():
        host.disk.empty()
        if not host.is_on:
            continue
        host.group.thaw()
        if host.pings_dropped:
            world.network.answer_pings(key, answers=True)
            host.pings_dropped = False


@dataclass(frozen=True)
class Fault:
    """One kind: what it does and the names of its arguments."""

    act: Callable[..., None]
    arguments: tuple[str, ...] = ()


FAULTS = {
    "power-cut": Fault(power_cut, ("HOST",)),
    "boot": Fault(boot, ("HOST",)),
    "pause": Fault(pause, ("HOST",)),
    "resume": Fault(resume, ("HOST",)),
    "isolate": Fault(isolate, ("HOST",)),
    "cut-peer": Fault(cut_peer),
    "one-way": Fault(one_way, ("HOST",)),
    "drop-ping": Fault(drop_ping, ("HOST",)),
    "kill": Fault(kill, ("HOST", "SERVICE")),
    "disk-full": Fault(disk_full, ("HOST",)),
    "gateway-down": Fault(gateway_down),
    "slow": Fault(slow, ("HOST",)),
    "heal": Fault(heal),
}


def inflict(world: World, kind: str, arguments: Sequence[str]) -> None:
    """The fault has been made. Raises LabError naming what is wrong with the request."""
    fault = FAULTS.get(kind)
    if fault is None:
        raise LabError(f"there is no fault {kind!r}; choose one of {', '.join(FAULTS)}.")
    if len(arguments) != len(fault.arguments):
        raise LabError(f"usage: fault {' '.join((kind, *fault.arguments))}")
    fault.act(world, *arguments)
