"""One trial in the lab: a real job is stopped at a step, something real is killed, then the pair is looked at."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.crashes import situations
from tests.crashes.halt import MARK, PID
from tests.crashes.matrix import Combination
from tests.lab.acts import other
from tests.lab.network import HOSTS
from tests.lab.places import LabError
from tests.lab.servers import Servers
from tests.lab.system_files import SERVICE_COMMAND
from tests.waiting import wait_for

Json = dict[str, Any]
HALT_S = 60.0
BEGIN_TRIES = 3
END_S = 150.0
DOWN_S = 3.0
"""How long a server that lost power, or a link that was cut, stays away."""
ENDED = frozenset({"succeeded", "failed", "reverted"})


@dataclass(frozen=True)
class Trial:
    """What was seen."""

    key: str
    job: str
    """The state in which the job ended."""
    pair: str
    """`old`, `new`, or empty where the trial broke."""
    retried: bool
    """RETRY had to be pressed."""
    seconds: float
    problem: str = ""

    @property
    def help_needed(self) -> str:
        """What an administrator had to press, for the table; empty for nothing."""
        return " after RETRY" if self.retried else ""

    @property
    def held(self) -> bool:
        return not self.problem

    def line(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def attempt(servers: Servers, wanted: Combination) -> Trial:
    """The trial has been made; a failed one says what was wrong and raises nothing."""
    started = time.monotonic()
    job: Json = {"state": ""}
    retried = False
    try:
        host = situations.prepare(servers, wanted)
        with _halting_worker(servers, host, wanted) as worker:
            mark = _begin(servers, wanted, host, worker)
            _kill(servers, host, wanted, worker)
            job = _wait_for_end(servers, host, str(mark["job"]))
        if job["state"] == "failed":
            retried = True
            job = servers.apis[host].wait_job(str(servers.apis[host].ask("POST", "/ha/retry")["job"]["id"]), END_S)
        pair = wait_for(lambda: situations.outcome(servers, wanted, host), situations.STABLE_S, "the old or new pair")
    except (AssertionError, OSError, LabError, subprocess.SubprocessError) as error:
        return Trial(wanted.key, job["state"], "", retried, _since(started), f"{type(error).__name__}: {error}"[:1500])
    problem = "" if job["state"] in ("succeeded", "reverted") else f"the job ended as {job['state']}"
    return Trial(wanted.key, job["state"], pair, retried, _since(started), problem)


def _begin(servers: Servers, wanted: Combination, host: str, worker: HaltingWorker) -> Json:
    """The job stands still at its step; what was left behind there. One that has ended before it got there, because
    the busy pair was not ready for it, is begun again."""
    for _ in range(BEGIN_TRIES):
        situations.begin(servers, wanted, host)
        found = wait_for(
            lambda: worker.read() or _ended_early(servers, host), HALT_S, "the worker standing still at the step"
        )
        if "pid" in found:
            return found
        if wanted.job.kind in situations.PAIR_JOBS:
            situations.ensure_pair(servers)
    raise AssertionError(f"the job ended before its step: {found}")


def _ended_early(servers: Servers, host: str) -> Json | None:
    newest: Json = servers.apis[host].ask("GET", "/jobs")["items"][0]
    return newest if newest["state"] in ("failed", "reverted") and newest["kind"] != "rejoin" else None


def _since(started: float) -> float:
    return round(time.monotonic() - started, 1)


class HaltingWorker:
    """The worker of tests.crashes.halt on a host."""

    def __init__(self, servers: Servers, host: str, wanted: Combination) -> None:
        self._servers = servers
        self._host = host
        self._mark = Path(servers.lab.places.data(host)) / MARK.name
        self._mark.unlink(missing_ok=True)
        servers.lab.check(host, SERVICE_COMMAND, "stop", "worker")
        arguments = (sys.executable, "-m", "tests.crashes.halt", wanted.step, wanted.point)
        # Not on the host's disk: after a power cut that can only be used again once nobody has a file of it open.
        log = servers.lab.places.folder / f"halting-worker-{host}.log"
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                servers.lab.exec_command(host, arguments), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    def read(self) -> Json | None:
        """What stands still, once it does."""
        try:
            mark: Json = json.loads(self._mark.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return mark

    def signal(self, name: str) -> None:
        """The process has received the signal, if it still exists."""
        self._servers.lab.run(self._host, "sh", "-c", f"[ ! -e {PID} ] || kill -{name} $(cat {PID})")

    def end(self) -> None:
        """The halting worker is gone; the real one is what runs from now on."""
        with suppress(LabError, subprocess.SubprocessError):
            self.signal("KILL")
        self._process.kill()
        self._process.wait(END_S)
        self._mark.unlink(missing_ok=True)
        self.start_service()

    def start_service(self) -> None:
        with suppress(LabError, subprocess.SubprocessError):
            self._servers.lab.run(self._host, SERVICE_COMMAND, "start", "worker")


@contextmanager
def _halting_worker(servers: Servers, host: str, wanted: Combination) -> Iterator[HaltingWorker]:
    worker = HaltingWorker(servers, host, wanted)
    try:
        yield worker
    finally:
        servers.lab.fault("heal")
        for each, found in servers.lab.ask("info")["hosts"].items():
            if not found["on"]:
                servers.lab.fault("boot", each)
        worker.end()


def _kill(servers: Servers, host: str, wanted: Combination, worker: HaltingWorker) -> None:
    """What is to go wrong has gone wrong and is over; the job may go on, or the next worker finds it."""
    lab, name = servers.lab, wanted.kill.name
    there = other(host) if wanted.kill.side == "peer" else host
    if name == "worker":
        worker.signal("KILL")
        worker.start_service()
    elif name == "power":
        lab.fault("power-cut", host)
        time.sleep(DOWN_S)
        lab.fault("boot", host)
    elif name == "peer-power":
        lab.fault("power-cut", there)
        worker.signal("CONT")
        time.sleep(DOWN_S)
        lab.fault("boot", there)
    elif name == "link":
        lab.fault("cut-peer")
        worker.signal("CONT")
        time.sleep(DOWN_S)
        lab.fault("heal")
    else:
        lab.fault("kill", there, "monitor" if "monitor" in name else "mariadb")
        worker.signal("CONT")


def _wait_for_end(servers: Servers, host: str, job_id: str) -> Json:
    """The job has ended, and no other one runs on either server."""
    job: Json = {}

    def ended() -> bool:
        job.update(servers.apis[host].job(job_id))
        return job["state"] in ENDED

    wait_for(ended, END_S, f"the end of the job {job_id}")
    wait_for(lambda: not any(_active(servers, each) for each in HOSTS), END_S, "all jobs to end")
    return job


def _active(servers: Servers, host: str) -> bool:
    return any(job["state"] not in ENDED for job in servers.apis[host].ask("GET", "/jobs")["items"])
