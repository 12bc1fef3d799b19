"""What a pair costs while nothing happens: CPU of the monitor, memory of the node without its database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.servers import QUICK, fresh_pair
from tests.lab.servers import Servers

SPAN_S = 60.0
CPU_BAR_PERCENT = 2.0
MONITOR_BAR_MB = 100.0
NODE_BAR_MB = 400.0
DATABASE = "mariadbd"
TICKS = os.sysconf("SC_CLK_TCK")


def run() -> Iterator[Figure]:
    """Both nodes over a minute, a ping each second."""
    with fresh_pair("bench-idle", QUICK) as servers:
        for host in ("a", "b"):
            monitors = [pid for pid in _processes(servers, host) if "jobs.monitor" in _command(pid)]
            before = sum(_cpu_s(pid) for pid in monitors)
            started = time.monotonic()
            time.sleep(SPAN_S)  # the span that is measured
            used = sum(_cpu_s(pid) for pid in monitors) - before
            percent = 100 * used / (time.monotonic() - started)
            yield Figure(f"idle monitor of {host}: CPU of one core", percent, "%", CPU_BAR_PERCENT)
            yield Figure(f"idle monitor of {host}: memory (PSS)", _memory_mb(monitors), "MB", MONITOR_BAR_MB)
            everything = [pid for pid in _processes(servers, host) if DATABASE not in _command(pid)]
            yield Figure(f"node {host} without MariaDB: memory (PSS)", _memory_mb(everything), "MB", NODE_BAR_MB)


def _processes(servers: Servers, host: str) -> list[int]:
    """All processes of the host's own PID namespace, by their ids out here."""
    wanted = servers.lab.check(host, "readlink", "/proc/self/ns/pid").strip()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "ns" / "pid").readlink()) == wanted:
                    found.append(int(entry.name))
            except OSError:
                continue  # it ended while we looked
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory_mb(pids: list[int]) -> float:
    total_kb = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it ended while we looked
        total_kb += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total_kb / 1024
