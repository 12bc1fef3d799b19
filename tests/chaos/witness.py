"""Who saw what: rows and files whose commit was acknowledged, and how each server described itself meanwhile."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Self

import pymysql

from tests.lab.client import Api
from tests.lab.network import HOSTS
from tests.lab.places import LabError
from tests.lab.servers import Servers
from tests.lab.writer import Writer

Json = dict[str, Any]
ROWS_PER_S = 20.0
RETRY_S = 0.1
"""Between two tries of a server that takes no writes: the precision of the outage."""
APART = 10**15
"""Between the first numbers of the two writers, so that they never meet."""
SAMPLE_S = 0.5
SAMPLE_TIMEOUT_S = 1.5
END_TIMEOUT_S = 15.0
STOP_S = 3.0
"""The writer's next line, at which its listener notices, comes within this time unless its host stands still."""
FILES = 400
NO_ANSWER = "no answer"
TROUBLES = (OSError, AssertionError, LookupError, LabError, pymysql.Error, subprocess.SubprocessError)
"""What comes up while a server is in trouble; requests' own errors are OSErrors."""


@dataclass(frozen=True)
class Sample:
    """What a server said of itself."""

    at_s: float
    label: str
    """`primary`, `secondary`, `standalone`, `fenced`, or `no answer`."""
    term: int = 0
    alone: bool = False
    """A primary that has announced that its standby is out of the pair."""


class Observer:
    """Asks one server for its status twice a second."""

    def __init__(self, host: Json) -> None:
        self._api = Api(host, SAMPLE_TIMEOUT_S)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._observe, name="observer", daemon=True)
        self.samples: list[Sample] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(END_TIMEOUT_S)
        self._api.close()

    def _observe(self) -> None:
        while not self._stop.is_set():
            self.samples.append(self._look())
            self._stop.wait(SAMPLE_S)

    def _look(self) -> Sample:
        try:
            status = self._api.status()
        except (OSError, AssertionError):
            return Sample(time.monotonic(), NO_ANSWER)
        label = "fenced" if status["fenced"] else str(status["node"]["role"])
        alone = label == "primary" and "standby-out" in {reason["code"] for reason in status["reasons"]}
        return Sample(time.monotonic(), label, int(status["term"]), alone)


class Burst:
    """Many files, written inside a host; knows those that are on its disk."""

    def __init__(self, servers: Servers, host: str, name: str) -> None:
        command = (sys.executable, "-m", "tests.chaos.burst", f"/data/files/{name}", str(FILES))
        self._process = subprocess.Popen(
            servers.lab.exec_command(host, command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="burst", daemon=True)
        self.names: list[str] = []
        self._thread.start()

    def _listen(self) -> None:
        """Takes names until it is told to stop; then the writer, to whom nobody listens any more, ends."""
        if self._process.stdout is None:
            raise LabError("the burst of files has no output")
        with self._process.stdout as lines:
            for line in lines:
                if self._stopped.is_set():
                    return
                if line.endswith("\n"):
                    self.names.append(line.strip())

    def stop(self) -> None:
        """Nothing more is acknowledged. A writer that is frozen with its host ends when it is thawed."""
        self._stopped.set()
        self._process.kill()
        self._process.wait(END_TIMEOUT_S)
        self._thread.join(STOP_S)


class Witness:
    """Writes to each server that takes it and watches both, from `with` to its end."""

    def __init__(self, servers: Servers, hosts: tuple[str, ...] = HOSTS) -> None:
        first = time.time_ns() // 1000
        self.first = first
        self.writers = {
            host: Writer([servers.database(host)], rate=ROWS_PER_S, first=first + number * APART, retry_s=RETRY_S)
            for number, host in enumerate(hosts)
        }
        self.observers = {host: Observer(servers.hosts[host]) for host in HOSTS}
        self.started_s = time.monotonic()

    def __enter__(self) -> Self:
        for observer in self.observers.values():
            observer.start()
        for writer in self.writers.values():
            writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self.writers.values():
            writer.stop()
        for observer in self.observers.values():
            observer.stop()

    def acknowledged(self, host: str) -> int:
        """How many rows that server has acknowledged so far."""
        return len(self.writers[host].acknowledged) if host in self.writers else 0

    def outage_s(self, since_s: float, until_s: float) -> float:
        """The longest time within the span in which nobody acknowledged a row."""
        times = sorted(row.at_s for writer in self.writers.values() for row in writer.acknowledged)
        inside = [since_s, *(at_s for at_s in times if since_s < at_s < until_s), until_s]
        return max(after - before for before, after in itertools.pairwise(inside))

    def alone_since_s(self, host: str) -> float | None:
        """When the server first said that it goes on without its standby; None where it never did."""
        return next((sample.at_s for sample in self.observers[host].samples if sample.alone), None)
