"""The file mirror beside tar and cat over the same ssh: small files, a large one, one small change, a growing log."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from app.adapters.peer.openssh import ssh_options
from tests.bench.figures import RUNS, Figure, median
from tests.contract.peer_servers import PeerServers

FILES = 10_000
FILE_BYTES = 4096
FOLDERS = 100
LARGE_BYTES = 1 << 30
LARGE_RUNS = 3
BLOCK_BYTES = 1 << 20
LOG_BYTES_PER_S = 10_000_000
LOG_WRITES_PER_S = 100
LOG_BATCHES = 5


def run() -> Iterator[Figure]:
    """All on one machine over loopback, so both ends share its processors."""
    with closing(PeerServers()) as servers:
        servers.start()
        yield from _small_files(servers)
        yield from _large_file(servers)
        yield _one_change(servers)
        yield _growing_log(servers)


def _small_files(servers: PeerServers) -> Iterator[Figure]:
    here, mirror = servers.a.files, servers.a.mirror
    raw, collected, whole, unchanged = [], [], [], []
    for _ in range(RUNS):
        _empty(servers)
        mirror.watch()
        mirror.push(1, full=True)
        _fill(here)
        collected.append(_seconds(lambda: mirror.push(1, full=False)))
        unchanged.append(_seconds(lambda: mirror.push(1, full=True)))
        _empty(servers, keep=here)
        raw.append(_raw(servers, "tar -xf - -C", "tar -cf - ."))
        _empty(servers, keep=here)
        whole.append(_seconds(lambda: mirror.push(1, full=True)))
        mirror.unwatch()
    yield median("10,000 files of 4 KiB: tar over ssh", raw, "s")
    yield median("10,000 files of 4 KiB: collected changes", collected, "s")
    yield median("10,000 files of 4 KiB: full pass", whole, "s")
    yield median("10,000 files of 4 KiB: full pass, nothing to send", unchanged, "s")


def _large_file(servers: PeerServers) -> Iterator[Figure]:
    raw, pushed = [], []
    _empty(servers)
    with (servers.a.files / "large").open("wb") as file:
        for _ in range(LARGE_BYTES // BLOCK_BYTES):
            file.write(os.urandom(BLOCK_BYTES))
    for _ in range(LARGE_RUNS):
        raw.append(_raw(servers, "cd", "cat large", "&& cat > large && sync -f ."))
        _empty(servers, keep=servers.a.files)
        pushed.append(_seconds(lambda: servers.a.mirror.push(1, full=True)))
        _empty(servers, keep=servers.a.files)
    yield median("one file of 1 GiB: cat over ssh", raw, "s")
    yield median("one file of 1 GiB: full pass", pushed, "s")


def _one_change(servers: PeerServers) -> Figure:
    mirror, taken = servers.a.mirror, []
    _empty(servers)
    mirror.watch()
    mirror.push(1, full=True)
    for number in range(RUNS):
        (servers.a.files / "file").write_bytes(b"%d" % number)
        taken.append(_seconds(lambda: mirror.push(1, full=False)))
    mirror.unwatch()
    return median("one small change, from the push to the peer's disk", taken, "s")


def _growing_log(servers: PeerServers) -> Figure:
    """How much of a log that grows 10 MB/s the peer lacks just after each batch."""
    mirror, behind, stop = servers.a.mirror, [], threading.Event()
    here, there = (each.files / "log" for each in (servers.a, servers.b))
    _empty(servers)
    mirror.watch()
    mirror.push(1, full=True)

    def grow() -> None:
        with here.open("ab", buffering=0) as file:
            while not stop.wait(1 / LOG_WRITES_PER_S):
                file.write(os.urandom(LOG_BYTES_PER_S // LOG_WRITES_PER_S))

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        while len(behind) < LOG_BATCHES:
            if mirror.pending():
                mirror.push(1, full=False)
                behind.append((here.stat().st_size - there.stat().st_size) / 1e6)
    finally:
        stop.set()
        writer.join()
        mirror.unwatch()
    return median("a log growing 10 MB/s: behind after a batch", behind, "MB")


def _raw(servers: PeerServers, receive: str, send: str, rest: str = "") -> float:
    """Seconds for `send | ssh receive`, where the peer's key starts `receive` for the time being."""
    script = servers.b.settings.peer_dir / "command"
    own = script.read_text()
    script.write_text(f"{receive} {shlex.quote(str(servers.b.files))} {rest}\n")
    remote = shlex.join([*ssh_options(servers.a.settings), "--", servers.b.address, "x"])
    try:
        return _seconds(lambda: subprocess.run(["sh", "-c", f"{send} | {remote}"], cwd=servers.a.files, check=True))
    finally:
        script.write_text(own)


def _seconds(act: Callable[[], object]) -> float:
    os.sync()
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _fill(root: Path) -> None:
    for number in range(FILES):
        folder = root / f"folder{number % FOLDERS}"
        folder.mkdir(exist_ok=True)
        (folder / f"file{number}").write_bytes(os.urandom(FILE_BYTES))


def _empty(servers: PeerServers, keep: Path | None = None) -> None:
    for root in (servers.a.files, servers.b.files):
        if root != keep:
            shutil.rmtree(root)
            root.mkdir()
