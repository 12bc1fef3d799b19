"""The set-up of a secondary from 1 GiB of data, beside the raw stream of the same data in the same lab."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from tests.bench.figures import Figure
from tests.bench.servers import QUICK, bring_up_standalone
from tests.lab.client import connected
from tests.lab.servers import Servers

DATA_BYTES = 1 << 30
ROW_BYTES = 1 << 20
FACTOR = 1.5
PEER_PORT = 7799
SETUP_TIMEOUT_S = 300.0
STREAM_TIMEOUT_S = 300.0
RAW_STREAM = """
set -o pipefail
rm -rf /data/raw && mkdir /data/raw
ssh -q -p {port} -i /run/raw-key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@{address} \
    'mariadb-backup --backup --stream=xbstream --target-dir=/run/raw 2>/dev/null' | mbstream -x -C /data/raw
"""
PREPARE = "mariadb-backup --prepare --target-dir=/data/raw 2>/dev/null; status=$?; rm -rf /data/raw; exit $status"


def run() -> Iterator[Figure]:
    """Both ways in one run: the raw stream plus its prepare, then the whole set-up by APPLY."""
    with bring_up_standalone("bench-seed") as servers:
        _fill(servers)
        raw_s = _raw_stream(servers)
        started = time.monotonic()
        servers.pair(QUICK)
        setup_s = time.monotonic() - started
        copied_s = _steps_s(servers)
    yield Figure("1 GiB: raw mariadb-backup | ssh plus its prepare", raw_s, "s")
    yield Figure("1 GiB: both APPLYs, from the first press to stable", setup_s, "s")
    yield Figure("1 GiB: APPLY on the secondary, from start to end", copied_s, "s")
    yield Figure("1 GiB: APPLY on the secondary as a multiple of raw", copied_s / raw_s, "x", FACTOR)


def _fill(servers: Servers) -> None:
    with connected(servers.database("a"), timeout_s=SETUP_TIMEOUT_S) as cursor:
        cursor.execute("CREATE DATABASE bulk")
        cursor.execute("CREATE TABLE bulk.content (id INT PRIMARY KEY AUTO_INCREMENT, body LONGBLOB)")
        for _ in range(DATA_BYTES // ROW_BYTES):
            cursor.execute("INSERT INTO bulk.content (body) VALUES (RANDOM_BYTES(1024))")
            cursor.execute("UPDATE bulk.content SET body = REPEAT(body, %s) WHERE id = LAST_INSERT_ID()", (1024,))


def _raw_stream(servers: Servers) -> float:
    lab = servers.lab
    lab.check("b", "sh", "-c", "rm -f /run/raw-key; ssh-keygen -q -t ed25519 -N '' -f /run/raw-key")
    public = lab.check("b", "cat", "/run/raw-key.pub")
    lab.check("a", "sh", "-c", "cat > /run/raw-authorized; chmod 600 /run/raw-authorized", given=public)
    serve = (
        f"/usr/sbin/sshd -p {PEER_PORT} -o PidFile=/run/raw-sshd.pid -o AuthorizedKeysFile=/run/raw-authorized "
        "-o StrictModes=no -o UsePAM=no -h /data/hapair/keys/ssh_host_ed25519_key"
    )
    lab.check("a", "sh", "-c", serve)
    try:
        script = RAW_STREAM.format(port=PEER_PORT, address=servers.hosts["a"]["address"])
        started = time.monotonic()
        lab.check("b", "bash", "-c", script, timeout_s=STREAM_TIMEOUT_S)
        lab.check("b", "bash", "-c", PREPARE, timeout_s=STREAM_TIMEOUT_S)
        return time.monotonic() - started
    finally:
        lab.run("a", "sh", "-c", "kill $(cat /run/raw-sshd.pid)")


def _steps_s(servers: Servers) -> float:
    """The duration of the secondary's job, as its journal has it."""
    jobs = servers.apis["b"].ask("GET", "/jobs")
    job = next(each for each in jobs["items"] if each["kind"] == "setup-secondary")
    ended, began = (datetime.fromisoformat(job[name]) for name in ("ended_at", "started_at"))
    return (ended - began).total_seconds()
