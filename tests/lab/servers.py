"""A lab with hapair running in it: two standalone servers, or a stable pair."""

from __future__ import annotations

from typing import Any

from tests.lab.client import Api
from tests.lab.control import Lab, running, start
from tests.lab.disk import DEFAULT_GIB
from tests.lab.installation import describe, install
from tests.lab.network import HOSTS
from tests.lab.pairing import MANUAL_TIMING, Timing, pair, wait_standalone
from tests.lab.places import LabError

Json = dict[str, Any]
LAST_LINES = 6


class Servers:
    """Both servers of a running lab, with a client for each one's API."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.info: Json = describe(lab)
        self.hosts: Json = self.info["hosts"]
        self.apis = {host: Api(self.hosts[host]) for host in HOSTS}

    @property
    def databases(self) -> list[Json]:
        """Where applications connect: a, then b."""
        return [self.hosts[host]["database"] for host in HOSTS]

    def database(self, host: str) -> Json:
        found: Json = self.hosts[host]["database"]
        return found

    def pair(self, timing: Timing = MANUAL_TIMING) -> None:
        """The two servers are a stable pair, `a` the primary."""
        pair(self.apis, self.hosts, timing)

    def close(self) -> None:
        """The connections to the APIs are closed; the lab goes on."""
        for api in self.apis.values():
            api.close()


def bring_up(name: str, *, topology: str = "same", disk_gib: int = DEFAULT_GIB, owner: int | None = None) -> Servers:
    """A new lab whose servers are standalone and take writes. It dies with its owner, this process unless given."""
    lab = start(name, topology=topology, disk_gib=disk_gib, owner=owner)
    try:
        install(lab)
        servers = Servers(lab)
        wait_standalone(servers.apis)
    except AssertionError as error:
        complaints = last_words(lab)
        lab.down()
        raise LabError(f"{error}\n{complaints}") from error
    except BaseException:
        lab.down()
        raise
    return servers


def last_words(lab: Lab, count: int = LAST_LINES) -> str:
    """The ends of the services' logs on both hosts, for people who must find out why a lab did not come up."""
    found = []
    for host in HOSTS:
        for log in sorted((lab.places.data(host) / "logs").glob("*.log")):
            # A power cut leaves zeros where the log was not on the disk yet.
            lines = log.read_text(errors="replace").replace("\0", "").splitlines()[-count:]
            found.append("\n".join((f"--- {host} {log.name}", *lines)))
    return "\n".join(found)


def attach(name: str) -> Servers:
    """The servers of a lab that runs already. Raises LabError where none does."""
    return Servers(running(name))
