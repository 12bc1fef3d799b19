"""A failover in the midst of a storm of alerts beside one on quiet servers, in turns, in the lab.

On the server that takes over, 1,000 events happen within a minute while its mail server and its webhook are down and
its custom script runs for each; the primary loses its power in the midst of it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.figures import Figure, median
from tests.bench.servers import QUICK, fresh_pair
from tests.lab.servers import Servers
from tests.lab.writer import Writer
from tests.waiting import wait_for

RUNS = 3
RATE = 200.0
EVENTS, OVER_S = 1000, 60.0
INTO_STORM_S = 20.0
RECOVERY_TIMEOUT_S = 60.0
STORM_END_S = 120.0
DRAINED_WITHIN_S = 300.0
DEAD_PORT = 9
"""Nobody listens there; at a host's own address it is refused at once and tried again and again."""
RAN = "/data/storm"
TOKEN = re.compile(r"storm-\d{6}")


def run() -> Iterator[Figure]:
    """Median outages with and without the storm, and what became of the events."""
    quiet, stormy, wrong, missing = [], [], 0, 0
    for number in range(RUNS):
        outage, lost = _one(f"quiet-{number}")
        quiet.append(outage)
        missing += lost
        outage, lost, astray = _in_storm(f"storm-{number}")
        stormy.append(outage)
        missing += lost
        wrong += astray
        print(f"run {number}: quiet {quiet[-1]:.3f} s, in the storm {stormy[-1]:.3f} s", file=sys.stderr, flush=True)
    yield median("outage after power cut (window 3 x 1 s), quiet", quiet, "s")
    yield median("the same with 1,000 events in the minute", stormy, "s")
    yield Figure("events that the script got not once", wrong, "", 0, f"of {RUNS} x {EVENTS}")
    yield Figure("acknowledged rows lost in all power cuts", missing, "rows", 0)


def _one(name: str) -> tuple[float, int]:
    with fresh_pair(f"bench-{name}", QUICK) as servers:
        return _failover(servers)


def _in_storm(name: str) -> tuple[float, int, int]:
    with fresh_pair(f"bench-{name}", QUICK) as servers:
        _nobody_takes_alerts(servers)
        with _storm(servers) as storm:
            time.sleep(INTO_STORM_S)
            outage, lost = _failover(servers)
            assert storm.poll() is None, "the storm was over before the failover was"
            storm.wait(STORM_END_S)
        return outage, lost, _astray(servers)


def _failover(servers: Servers) -> tuple[float, int]:
    """The pause that clients see, and how many acknowledged rows are gone."""
    with Writer(servers.databases, rate=RATE) as writer:
        writer.wait_for_progress(count=100, timeout_s=RECOVERY_TIMEOUT_S)
        servers.lab.fault("power-cut", "a")
        writer.wait_for_progress(count=100, timeout_s=RECOVERY_TIMEOUT_S)
    return writer.longest_pause_s(), len(writer.missing_in(servers.database("b")))


def _nobody_takes_alerts(servers: Servers) -> None:
    api, address = servers.apis["b"], servers.hosts["b"]["address"]
    api.save_alerts("mail", {"host": address, "port": DEAD_PORT, "security": "none", "sender": "ha@hapair.test"})
    api.save_alerts("webhook", {"url": f"http://{address}:{DEAD_PORT}/hook"})
    api.save_draft({"HAAdminAlertScript": f'echo "$2" >> {RAN}\n'})
    api.finish(api.apply())


@contextmanager
def _storm(servers: Servers) -> Iterator[subprocess.Popen[bytes]]:
    command = (sys.executable, "-m", "tests.bench.stormevents", str(EVENTS), str(OVER_S))
    storm = subprocess.Popen(servers.lab.exec_command("b", command))
    try:
        yield storm
    finally:
        storm.kill()
        storm.wait()


def _astray(servers: Servers) -> int:
    """How many of the events the script did not get exactly once."""

    def ran() -> Counter[str]:
        return Counter(TOKEN.findall(servers.lab.run("b", "cat", RAN).stdout))

    wait_for(lambda: len(ran()) >= EVENTS, DRAINED_WITHIN_S, "the script's run for each event")
    found = ran()
    return EVENTS - sum(1 for count in found.values() if count == 1)
