"""What goes on beside a mirror, and what breaks it off: busy trees, lost watches, killed pushes, wrong peers."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.adapters.mirror import mirror as mirrors
from app.adapters.mirror import watcher as watchers
from app.adapters.mirror.fanotify import WatchUnavailable
from app.core.errors import HapairError, PeerRefused, PeerUnreachable
from tests.contract.peer_servers import descendants, processes_naming
from tests.contract.trees import Trees
from tests.waiting import wait_for

TIMEOUT_S = 30.0


def test_a_log_that_grows_all_the_time_is_brought_along(trees: Trees) -> None:
    trees.begin()
    stop = threading.Event()

    def grow() -> None:
        with (trees.here / "log").open("ab", buffering=0) as file:
            while not stop.wait(0.002):
                file.write(os.urandom(20_000))

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        sizes = []
        for _ in range(3):
            wait_for(trees.mirror.pending, TIMEOUT_S, "a change of the log")
            before = (trees.here / "log").stat().st_size
            trees.mirror.push(1, full=False)
            sizes.append((trees.there / "log").stat().st_size)
            assert sizes[-1] >= before
        assert sizes == sorted(set(sizes))
    finally:
        stop.set()
        writer.join()
    trees.push()


def test_more_changes_than_the_kernel_keeps_end_in_a_full_pass(trees: Trees) -> None:
    trees.begin()
    watcher = trees.mirror._watcher
    assert watcher is not None
    with watcher._lock:
        for number in range(17_000):
            (trees.here / f"f{number}").touch()
            (trees.here / f"f{number}").unlink()
        (trees.here / "last").touch()
    assert trees.mirror.pending() >= 1
    assert watcher._changes.everything
    trees.push()


def test_with_too_many_paths_a_full_pass_is_due(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchers, "PATHS_MAX", 50)
    trees.begin()
    for number in range(60):
        (trees.here / f"f{number}").touch()
    wait_for(lambda: trees.mirror.pending() < 50, TIMEOUT_S, "the collected paths to be dropped")
    trees.push()


def test_where_the_file_system_reports_nothing_the_trees_are_compared(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_: Path) -> None:
        raise WatchUnavailable(errno.EOPNOTSUPP, "fanotify_mark: Operation not supported")

    monkeypatch.setattr(mirrors, "Watcher", unavailable)
    monkeypatch.setattr(mirrors, "SCAN_INTERVAL_S", 600.0)
    (trees.here / "one").write_text("x")
    trees.mirror.watch()
    assert "not supported" in trees.mirror.trouble()
    assert trees.mirror.pending() == 1
    assert trees.mirror.push(1, full=False).detail == trees.mirror.trouble()
    trees.same()
    assert trees.mirror.pending() == 0
    (trees.here / "two").write_text("y")
    monkeypatch.setattr(mirrors, "SCAN_INTERVAL_S", 0.0)
    assert trees.mirror.pending() == 1
    trees.mirror.push(1, full=False)
    trees.same()


def test_the_watch_is_asleep_while_a_neighbour_on_the_file_system_is_busy(trees: Trees) -> None:
    trees.begin()
    path = trees.outside / "database"
    path.write_bytes(b"x" * 4096)
    trees.mirror.pending()
    watcher = trees.mirror._watcher
    assert watcher is not None
    before = thread_seconds(watcher._thread)
    with path.open("r+b", buffering=0) as file:
        for _ in range(5000):
            file.seek(0)
            file.write(b"y" * 4096)
    assert thread_seconds(watcher._thread) - before <= 0.05
    assert trees.mirror.pending() == 0


def thread_seconds(thread: threading.Thread) -> float:
    """CPU time that the thread has used."""
    fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_push_that_was_killed_leaves_no_half_file_and_no_stray(trees: Trees) -> None:
    trees.begin()
    (trees.here / "large").write_bytes(os.urandom(30_000_000))
    errors: list[HapairError] = []

    def push() -> None:
        try:
            trees.mirror.push(1, full=False)
        except HapairError as error:
            errors.append(error)

    incoming = trees.servers.b.settings.state_dir / "mirror-incoming"
    pushing = threading.Thread(target=push)
    pushing.start()
    wait_for(lambda: list(incoming.iterdir()) if incoming.exists() else None, TIMEOUT_S, "a half-received file", 0.001)
    for process in descendants(os.getpid()):
        with contextlib.suppress(OSError):  # others of them end by themselves
            if Path(f"/proc/{process}/comm").read_text().strip() == "rsync":
                os.kill(process, 9)
    pushing.join()
    if errors:
        assert not (trees.there / "large").exists()
        assert trees.mirror.pending() == 1
        trees.push()
    trees.same()
    assert list(incoming.iterdir()) == []


def test_two_batches_are_received_one_after_the_other(trees: Trees) -> None:
    """Another process of the primary pushes at the same time."""
    trees.begin()
    for number in range(300):
        (trees.here / f"f{number}").write_bytes(os.urandom(1000))
    other = type(trees.mirror)(trees.servers.a.settings, lambda: trees.servers.a.store.state().peer)
    other._sender._socket = other._sender._socket.with_suffix(".other")
    threads = [threading.Thread(target=lambda: trees.mirror.push(1, full=False))]
    threads.append(threading.Thread(target=lambda: other.push(1, full=True)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    trees.same()


def test_a_new_primary_breaks_off_what_it_still_receives(trees: Trees) -> None:
    trees.begin()
    receiver = trees.servers.b.mirror
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            ["/bin/sh", trees.servers.b.settings.peer_dir / "command"],
            env={**os.environ, "SSH_ORIGINAL_COMMAND": "receive-files 1 --server -lHogDtpAXre.iLsfxCIvu . files"},
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        )
        assert ours.recv(4)
        receiver.watch()
        assert process.wait(TIMEOUT_S) != 0
    receiver.unwatch()


def test_a_batch_that_waits_too_long_for_its_turn_is_refused(trees: Trees) -> None:
    trees.begin()
    with (trees.servers.b.settings.state_dir / "receive.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (trees.here / "one").write_text("x")
        began = time.monotonic()
        with pytest.raises(PeerRefused) as refused:
            trees.mirror.push(1, full=False)
        assert refused.value.code == "receiver-busy"
        assert time.monotonic() - began < TIMEOUT_S
    trees.push()


def test_the_mirrors_own_folders_are_never_mirrored(trees: Trees) -> None:
    trees.begin()
    (trees.here / ".hapair-incoming").mkdir()
    (trees.here / ".hapair-incoming" / "half").write_text("x")
    assert trees.mirror.pending() == 0
    trees.mirror.push(1, full=True)
    assert not (trees.there / ".hapair-incoming").exists()


def connections(trees: Trees) -> list[str]:
    """The SSH connections that this process keeps to the peer."""
    return [line for line in processes_naming(trees.servers.folder) if line.startswith("ssh ") and " -M " in line]


def test_the_connection_is_kept_while_the_tree_is_watched_and_no_longer(trees: Trees) -> None:
    trees.begin()
    assert len(connections(trees)) == 1
    trees.mirror.push(1, full=True)
    assert len(connections(trees)) == 1
    trees.mirror.unwatch()
    assert connections(trees) == []
    trees.mirror.push(1, full=True)
    assert connections(trees) == []


def test_a_peer_with_another_key_is_not_sent_anything(trees: Trees) -> None:
    trees.begin()
    (trees.here / "new").write_text("x")
    node = trees.servers.a
    peer = trees.servers.b.as_peer()
    stranger = dataclasses.replace(peer, host_key=node.keys.identity().host_key)
    node.keys.pin_peer(stranger.host_key, stranger.client_key, stranger.certificate, stranger.address)
    node.store.change_state(lambda state: dataclasses.replace(state, peer=stranger))
    try:
        with pytest.raises(PeerUnreachable) as refused:
            trees.mirror.push(1, full=False)
        assert refused.value.code == "peer-not-recognised"
    finally:
        node.keys.pin_peer(peer.host_key, peer.client_key, peer.certificate, peer.address)
        node.store.change_state(lambda state: dataclasses.replace(state, peer=peer))
    trees.push()


def test_files_that_vanish_during_a_pass_do_not_make_it_incomplete(trees: Trees) -> None:
    trees.begin()
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            (trees.here / f"brief{number}").touch()
            (trees.here / f"brief{number}").unlink()

    writer = threading.Thread(target=churn)
    writer.start()
    try:
        reports = [trees.mirror.push(1, full=True) for _ in range(3)]
        assert [report.detail for report in reports if not report.complete] == []
    finally:
        stop.set()
        writer.join()
    trees.mirror.push(1, full=False)
    trees.same()


def test_the_kept_connection_ends_with_its_process(trees: Trees) -> None:
    """The monitor is killed: nobody is left to close what it kept."""
    trees.begin()
    trees.mirror.unwatch()
    settings = trees.servers.a.settings
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from app.adapters.mirror import RsyncMirror\n"
        "from app.adapters.store import SqliteNodeStore\n"
        "from app.adapters.clock import SystemClock\n"
        "from app.settings import Settings\n"
        f"settings = Settings(state_dir=Path({str(settings.state_dir)!r}), run_dir=Path({str(settings.run_dir)!r}),"
        f" files_dir=Path({str(settings.files_dir)!r}), peer_port={settings.peer_port})\n"
        "store = SqliteNodeStore(settings.node_store, SystemClock())\n"
        "mirror = RsyncMirror(settings, lambda: store.state().peer)\n"
        "mirror.watch()\n"
        "mirror.push(1, full=True)\n"
        "print('pushed', flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "pushed\n"
        assert len(connections(trees)) == 1
        process.kill()
    wait_for(lambda: not connections(trees), TIMEOUT_S, "the end of the kept connection")
