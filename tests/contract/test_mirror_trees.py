"""What file mirrors get wrong: each case on real trees, watched by the kernel and pushed by rsync over sshd."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.mirror import mirror as mirrors
from app.adapters.mirror import watcher as watchers
from app.adapters.mirror.fanotify import WatchUnavailable
from app.core.errors import HapairError, PeerRefused, PeerUnreachable
from app.ports import BatchReport
from tests.contract.peer_servers import PeerServers, descendants, processes_naming
from tests.waiting import wait_for

TIMEOUT_S = 30.0
OLD = 1_600_000_000_123_456_789
"""A time in ns with a part below the second."""

Entry = tuple[object, ...]


class Trees:
    """Two servers whose trees are the same and watched at the beginning of each test."""

    def __init__(self) -> None:
        self.servers = PeerServers()
        self.here, self.there = self.servers.a.files, self.servers.b.files
        self.mirror = self.servers.a.mirror
        self.outside = self.servers.folder / "outside"
        self.servers.start()

    def reset(self) -> None:
        self.mirror.unwatch()
        for folder in (self.here, self.there, self.outside, self.servers.b.settings.rescue_dir):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

    def begin(self) -> None:
        self.mirror.watch()
        self.mirror.push(1, full=True)
        self.same()

    def push(self) -> BatchReport:
        assert self.mirror.pending() > 0
        report = self.mirror.push(1, full=False)
        self.same()
        return report

    def same(self) -> None:
        here, there = snapshot(self.here), snapshot(self.there)
        assert there.keys() == here.keys()
        for path, entry in there.items():
            assert (path, entry) == (path, here[path])


def snapshot(root: Path) -> dict[bytes, Entry]:
    """Everything that is to be the same, by path."""
    base = os.fsencode(root)
    names: dict[tuple[int, int], bytes] = {}
    found: dict[bytes, Entry] = {}
    for folder, folders, files in os.walk(base):
        for path in sorted(os.path.join(folder, name) for name in (*folders, *files)):  # noqa: PTH118 - bytes
            status = os.lstat(path)
            relative = os.path.relpath(path, base)
            content: object = None
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:  # noqa: PTH123 - bytes
                    content = hashlib.sha256(file.read()).hexdigest()
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)  # noqa: PTH115 - bytes
            listed = os.listxattr(path, follow_symlinks=False)
            attributes = {name: os.getxattr(path, name, follow_symlinks=False) for name in listed}
            time_ns = None if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
            first = names.setdefault((status.st_dev, status.st_ino), relative)
            found[relative] = (status.st_mode, status.st_uid, status.st_gid, time_ns, content, attributes, first)
    return found


@pytest.fixture(scope="module")
def servers() -> Iterator[Trees]:
    trees = Trees()
    yield trees
    trees.servers.close()


@pytest.fixture
def trees(servers: Trees) -> Trees:
    servers.reset()
    return servers


def test_the_watch_works_on_this_file_system(trees: Trees) -> None:
    trees.begin()
    assert trees.mirror.trouble() == ""


def test_a_change_of_the_same_size_in_the_same_second_arrives(trees: Trees) -> None:
    path = trees.here / "file"
    path.write_bytes(b"old!")
    os.utime(path, ns=(OLD, OLD))
    trees.begin()
    path.write_bytes(b"new!")
    os.utime(path, ns=(OLD, OLD))
    trees.push()
    assert (trees.there / "file").read_bytes() == b"new!"


def test_a_file_renamed_over_one_of_the_same_size_and_time_arrives(trees: Trees) -> None:
    for name, content in (("one", b"1111"), ("two", b"2222")):
        (trees.here / name).write_bytes(content)
        os.utime(trees.here / name, ns=(OLD, OLD))
    trees.begin()
    (trees.here / "two").rename(trees.here / "one")
    trees.push()
    assert (trees.there / "one").read_bytes() == b"2222"


def test_two_files_that_change_names_arrive(trees: Trees) -> None:
    (trees.here / "one").write_bytes(b"1111")
    (trees.here / "two").write_bytes(b"2222")
    trees.begin()
    (trees.here / "one").rename(trees.here / "x")
    (trees.here / "two").rename(trees.here / "one")
    (trees.here / "x").rename(trees.here / "two")
    trees.push()


def test_a_truncated_and_a_grown_file_arrive(trees: Trees) -> None:
    (trees.here / "log").write_bytes(os.urandom(300_000))
    (trees.here / "short").write_bytes(os.urandom(300_000))
    trees.begin()
    with (trees.here / "log").open("ab") as file:
        file.write(b"more")
    os.truncate(trees.here / "short", 10)
    trees.push()


def test_files_in_freshly_made_nested_folders_all_arrive(trees: Trees) -> None:
    trees.begin()
    for number in range(200):
        folder = trees.here / f"n{number}" / "a" / "b" / "c"
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"%d" % number)
    assert trees.push().files == 200


def test_a_folder_moved_in_from_outside_arrives_whole(trees: Trees) -> None:
    (trees.outside / "sub" / "deep").mkdir(parents=True)
    (trees.outside / "sub" / "deep" / "file").write_text("x")
    trees.begin()
    (trees.outside / "sub").rename(trees.here / "sub")
    trees.push()
    (trees.here / "sub" / "deep" / "later").write_text("y")
    trees.push()


def test_a_folder_that_was_ignored_outside_is_heeded_inside(trees: Trees) -> None:
    """Folders outside the tree are told to be silent; the one that moves in must not stay so."""
    (trees.outside / "busy").mkdir()
    trees.begin()
    for number in range(3):
        (trees.outside / "busy" / f"{number}").write_text("x")
        assert trees.mirror.pending() == 0
    (trees.outside / "busy").rename(trees.here / "busy")
    trees.push()
    (trees.here / "busy" / "new").write_text("y")
    (trees.here / "busy" / "0").write_text("z")
    assert trees.mirror.pending() == 2
    trees.push()


def test_a_folder_moved_within_the_tree_moves_there_too(trees: Trees) -> None:
    (trees.here / "old" / "sub").mkdir(parents=True)
    (trees.here / "old" / "sub" / "file").write_text("x")
    trees.begin()
    (trees.here / "old").rename(trees.here / "new")
    (trees.here / "new" / "sub" / "file").write_text("changed")
    (trees.here / "new" / "sub" / "second").write_text("y")
    trees.push()


def test_a_folder_moved_out_is_gone_there(trees: Trees) -> None:
    (trees.here / "sub" / "deep").mkdir(parents=True)
    (trees.here / "sub" / "deep" / "file").write_text("x")
    trees.begin()
    (trees.here / "sub").rename(trees.outside / "sub")
    (trees.outside / "sub" / "deep" / "file").write_text("not ours")
    trees.push()
    assert not (trees.there / "sub").exists()


def test_what_was_made_and_removed_again_is_not_there(trees: Trees) -> None:
    trees.begin()
    (trees.here / "a" / "b" / "c").mkdir(parents=True)
    (trees.here / "a" / "b" / "c" / "file").write_text("x")
    shutil.rmtree(trees.here / "a")
    (trees.here / "stays").write_text("y")
    trees.push()


def test_a_removed_tree_of_folders_is_removed_there(trees: Trees) -> None:
    for number in range(20):
        (trees.here / "top" / f"{number}" / "deep").mkdir(parents=True)
        (trees.here / "top" / f"{number}" / "deep" / "file").write_text("x")
    trees.begin()
    shutil.rmtree(trees.here / "top")
    trees.push()


@pytest.mark.parametrize("full", [False, True])
def test_files_folders_and_links_may_take_each_others_places(trees: Trees, full: bool) -> None:
    (trees.here / "folder-to-file" / "deep").mkdir(parents=True)
    (trees.here / "folder-to-file" / "deep" / "x").write_text("x")
    (trees.here / "folder-to-link").mkdir()
    (trees.here / "folder-to-link" / "x").write_text("x")
    (trees.here / "file-to-folder").write_text("x")
    (trees.here / "link-to-folder").symlink_to("folder-to-file")
    trees.begin()
    shutil.rmtree(trees.here / "folder-to-file")
    (trees.here / "folder-to-file").write_text("now a file")
    shutil.rmtree(trees.here / "folder-to-link")
    (trees.here / "folder-to-link").symlink_to(trees.outside)
    (trees.outside / "x").write_text("not ours")
    (trees.here / "file-to-folder").unlink()
    (trees.here / "file-to-folder").mkdir()
    (trees.here / "file-to-folder" / "y").write_text("y")
    (trees.here / "link-to-folder").unlink()
    (trees.here / "link-to-folder").mkdir()
    if full:
        trees.mirror.push(1, full=True)
        trees.same()
    else:
        trees.push()


def test_owners_modes_times_and_kinds_arrive(trees: Trees) -> None:
    trees.begin()
    for number, mode in enumerate((0o000, 0o4755, 0o2711, 0o1666, 0o640)):
        path = trees.here / f"file{number}"
        path.write_text("x")
        os.chown(path, 1000 + number, 2000 + number)
        path.chmod(mode)
        os.utime(path, ns=(OLD, OLD + number))
    (trees.here / "dangling").symlink_to("/nowhere")
    os.lchown(trees.here / "dangling", 1234, 5678)
    os.mkfifo(trees.here / "pipe", 0o600)
    (trees.here / "empty").mkdir(mode=0o1777)
    os.mknod(trees.here / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    trees.push()


def test_a_change_of_attributes_alone_arrives(trees: Trees) -> None:
    path = trees.here / "file"
    path.write_bytes(os.urandom(100_000))
    (trees.here / "folder").mkdir()
    trees.begin()
    path.chmod(0o600)
    os.chown(path, 4, 5)
    (trees.here / "folder").chmod(0o711)
    report = trees.push()
    assert report.bytes == 0
    os.setxattr(path, "user.note", b"x")
    trees.push()
    trees.here.chmod(0o750)
    trees.mirror.push(1, full=False)
    assert stat.S_IMODE(trees.there.stat().st_mode) == 0o750
    trees.here.chmod(0o755)


def test_extended_attributes_and_access_lists_arrive(trees: Trees) -> None:
    trees.begin()
    path = trees.here / "file"
    path.write_text("x")
    os.setxattr(path, "user.origin", b"somewhere\0else")
    try:
        os.setxattr(path, "system.posix_acl_access", access_list())
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("this file system has no access lists")
    trees.push()


def access_list() -> bytes:
    """rw for the owner, r for user 1234, r for the group and the mask, nothing for others."""
    undefined = 0xFFFFFFFF
    entries = [(1, 6, undefined), (2, 4, 1234), (4, 4, undefined), (16, 4, undefined), (32, 0, undefined)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)


def test_hard_links_arrive_as_hard_links(trees: Trees) -> None:
    (trees.here / "one").write_text("x")
    trees.begin()
    (trees.here / "sub").mkdir()
    os.link(trees.here / "one", trees.here / "sub" / "two")
    trees.push()
    assert (trees.there / "one").stat().st_nlink == 2


def test_a_change_through_one_name_of_a_file_reaches_all_its_names(trees: Trees) -> None:
    (trees.here / "one").write_text("x")
    os.link(trees.here / "one", trees.here / "two")
    trees.begin()
    with (trees.here / "two").open("a") as file:
        file.write("more")
    trees.push()
    (trees.here / "two").unlink()
    trees.push()


def test_a_sparse_file_stays_sparse(trees: Trees) -> None:
    trees.begin()
    with (trees.here / "sparse").open("wb") as file:
        file.seek(50_000_000)
        file.write(b"end")
    trees.push()
    assert (trees.there / "sparse").stat().st_blocks * 512 < 1_000_000


NAMES = [
    b"new\nline", b"tab\t", b"-rf", b"--delete", b"#comment", b";semi", b" lead", b"trail ", b"*", b"[x]", b"a\\b",
    b"\xff\xfe", "ünï".encode(), b"'quote'", b'"double"', b"$(id)", b"..x", b"...", b"x" * 255, b"\\#012", b":colon",
    b"+ x",
]  # fmt: skip


def test_odd_names_arrive_and_go(trees: Trees) -> None:
    trees.begin()
    base = os.fsencode(trees.here)
    for name in NAMES:
        Path(os.fsdecode(base + b"/" + name)).write_bytes(name)
        folder = Path(os.fsdecode(base + b"/folder/" + name))
        folder.mkdir(parents=True)
        (folder / os.fsdecode(name)).write_bytes(name)
    trees.push()
    for name in NAMES:
        Path(os.fsdecode(base + b"/" + name)).unlink()
        shutil.rmtree(Path(os.fsdecode(base + b"/folder/" + name)))
    trees.push()


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


def test_a_full_pass_finds_a_silent_difference_by_checksum(trees: Trees) -> None:
    (trees.here / "file").write_bytes(b"right")
    trees.begin()
    status = (trees.there / "file").stat()
    (trees.there / "file").write_bytes(b"wrong")
    os.utime(trees.there / "file", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert trees.mirror.push(1, full=True).files == 0
    assert trees.mirror.push(1, full=True, verify=True).files == 1
    trees.same()


def test_a_full_pass_sees_a_difference_below_the_second(trees: Trees) -> None:
    (trees.here / "file").write_bytes(b"right")
    os.utime(trees.here / "file", ns=(OLD, OLD))
    trees.begin()
    (trees.there / "file").write_bytes(b"wrong")
    os.utime(trees.there / "file", ns=(OLD, OLD + 1))
    trees.mirror.push(1, full=True)
    trees.same()


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
