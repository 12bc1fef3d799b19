"""The process that a lab lives and dies with.

It builds the lab, holds its hosts as children and answers requests on a Unix socket. Its hosts die with it by the
kernel's own doing (parent death signal). It watches its owner, the process that asked for the lab: when the owner
dies, however hard, the keeper removes the lab. `release` lets the lab outlive its owner; `down` ends it.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from tests.lab.disk import DEFAULT_GIB
from tests.lab.faults import World, inflict
from tests.lab.forward import Forwarder, Way
from tests.lab.host import Host
from tests.lab.network import HOSTS, TARGETS, Network
from tests.lab.places import LabError, Places, places
from tests.lab.removal import remove_remains
from tests.lab.shell import run

SYSTEM_SIZE = "2g"
"""Bound of the memory that the hosts' changes of their system disks may take."""
REQUEST_TIMEOUT_S = 5.0
HTTPS = 443
DATABASE = 3306

Json = dict[str, Any]


class Ended(Exception):
    """The lab has been asked to end."""


class Keeper:
    """One running lab."""

    def __init__(self, lab: Places, topology: str, disk_gib: int) -> None:
        self.lab = lab
        self._disk_gib = disk_gib
        self.network = Network(lab, topology)
        self.hosts = {key: Host(lab, key, self.network) for key in HOSTS}
        self._forwarder = Forwarder(lab, tuple(Way(key, port) for key in HOSTS for port in (HTTPS, DATABASE)))
        self._notes: Json = {}
        self._requests: dict[str, Callable[[Json], Any]] = {
            "info": lambda _: self.info(),
            "inside": self._inside,
            "fault": self._fault,
            "note": self._note,
        }

    def build(self) -> None:
        """Network and hosts are up; no service runs yet."""
        self.lab.system.mkdir()
        run(["mount", "-t", "tmpfs", "-o", f"mode=711,size={SYSTEM_SIZE}", "hapair-lab", str(self.lab.system)])
        self.network.build()
        self._forwarder.start()
        for host in self.hosts.values():
            host.prepare(self._disk_gib)
        for host in self.hosts.values():
            host.boot()

    def info(self) -> Json:
        """What outsiders need to know of the lab; with what was noted by those who set it up."""
        return {
            "name": self.lab.name,
            "topology": self.network.topology,
            "hosts": {key: self._host_info(host) for key, host in self.hosts.items()},
            "targets": list(TARGETS.values()),
            "mailbox": str(self.lab.mailbox),
            "notes": self._notes,
        }

    def _host_info(self, host: Host) -> Json:
        return {
            "hostname": host.hostname,
            "on": host.is_on,
            **asdict(host.address),
            "https_port": self._forwarder.ports[Way(host.key, HTTPS)],
            "database_port": self._forwarder.ports[Way(host.key, DATABASE)],
            "data": str(host.disk.folder),
        }

    def answer(self, request: Json) -> Any:
        """The result of one request. Raises LabError, or Ended for `down`."""
        act = self._requests.get(str(request.get("do")))
        if act is None:
            raise LabError(f"the keeper does not know {request.get('do')!r}.")
        return act(request)

    def _inside(self, request: Json) -> Json:
        host = self.hosts.get(str(request.get("host")))
        if host is None:
            raise LabError(f"there is no host {request.get('host')!r}; choose a or b.")
        host.command([])
        return {"pid": host.pid, "members": str(host.group.members)}

    def _fault(self, request: Json) -> None:
        inflict(World(self.network, self.hosts), request["kind"], request["arguments"])

    def _note(self, request: Json) -> None:
        self._notes.update(request["notes"])


class Desk:
    """Where requests come in: the socket, the signals and the owner's end, one at a time."""

    def __init__(self, lab: Places, owner: int) -> None:
        self._lab = lab
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(lab.socket))
        self._listener.listen()
        self._selector.register(self._listener, selectors.EVENT_READ)
        try:
            self._owner: int | None = os.pidfd_open(owner)
        except ProcessLookupError as error:
            raise LabError("whoever asked for this lab is gone.") from error
        self._selector.register(self._owner, selectors.EVENT_READ)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _end)

    def serve(self, keeper: Keeper) -> socket.socket | None:
        """Answers until the end; returns the connection of the one who asked for it, None where the owner died."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == self._owner:
                    return None
                connection, _ = self._listener.accept()
                if self._serve_one(connection, keeper):
                    return connection

    def _serve_one(self, connection: socket.socket, keeper: Keeper) -> bool:
        """Whether the request was to end the lab."""
        connection.settimeout(REQUEST_TIMEOUT_S)
        try:
            with connection.makefile() as source:
                request = dict(json.loads(source.readline()))
            if request.get("do") == "down":
                return True
            if request.get("do") == "release":
                self._release()
                reply: Json = {"ok": True, "result": None}
            else:
                reply = {"ok": True, "result": keeper.answer(request)}
        except (LabError, OSError, ValueError, KeyError, TypeError) as error:
            reply = {"ok": False, "error": str(error)}
        reply_to(connection, reply)
        return False

    def _release(self) -> None:
        """The lab outlives its owner."""
        if self._owner is not None:
            self._selector.unregister(self._owner)
            os.close(self._owner)
            self._owner = None


def reply_to(connection: socket.socket, reply: Json) -> None:
    """The reply is sent, if the other side still listens, and the connection closed."""
    with suppress(OSError), connection:
        connection.sendall(json.dumps(reply).encode() + b"\n")


def _end(*_: object) -> None:
    raise Ended


def main() -> int:
    """Keeps one lab until it ends. Prints `ready`, or else the reason why the lab could not be built."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.keeper", description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--topology", required=True)
    parser.add_argument("--owner", type=int, required=True)
    parser.add_argument("--lock", type=int, required=True, help="the open file of the lab's lock, already held")
    parser.add_argument("--disk-gib", type=int, default=DEFAULT_GIB)
    given = parser.parse_args()
    lab = places(given.name)
    os.set_inheritable(given.lock, False)
    asker: socket.socket | None = None
    try:
        desk = Desk(lab, given.owner)
        keeper = Keeper(lab, given.topology, given.disk_gib)
        keeper.build()
        print("ready", flush=True)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        asker = desk.serve(keeper)
    except (LabError, OSError) as error:
        print(error, flush=True)
        return 1
    except Ended:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        remove_remains(lab)
        if asker is not None:
            reply_to(asker, {"ok": True, "result": None})
    return 0


if __name__ == "__main__":
    sys.exit(main())
