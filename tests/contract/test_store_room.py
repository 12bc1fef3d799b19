"""The node store on a disk that fills up: what matters can still be recorded."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.adapters.store import SqliteNodeStore
from app.core.errors import LocalFailure
from app.core.state import Fence, FenceReason
from app.migrate import migrate_node_store
from tests.fakes.clock import FakeClock

DISK_BYTES = 40 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a file system can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


@pytest.fixture
def store(disk: Path) -> Iterator[SqliteNodeStore]:
    path = disk / "node.db"
    migrate_node_store(path)
    store = SqliteNodeStore(path, FakeClock())
    yield store
    store.close()


def fill(disk: Path) -> None:
    """Not one more block is free."""
    filled = subprocess.run(["dd", "if=/dev/zero", f"of={disk}/filler", "bs=4k"], capture_output=True)
    assert b"No space" in filled.stderr


def test_a_fence_alarms_and_events_are_recorded_on_a_full_disk(disk: Path, store: SqliteNodeStore) -> None:
    store.keep_room()
    fill(disk)
    fence = Fence(FenceReason.HANDOVER, FakeClock().now())
    store.change_state(lambda state: replace(state, fence=fence))
    for number in range(1500):
        store.raise_alarm(f"alarm-{number % 10}", f"text {number}")
    store.add_event("key", "StandbyOffline", ("StandbyOffline", "beta", "alpha"))
    assert store.state().fence == fence


def test_room_is_set_aside_once(disk: Path, store: SqliteNodeStore) -> None:
    store.keep_room()
    used = os.statvfs(disk).f_bfree
    for _ in range(5):
        store.keep_room()
    assert os.statvfs(disk).f_bfree == used
    assert store.note("room") is None


def test_no_room_to_set_aside_is_a_local_failure(disk: Path, store: SqliteNodeStore) -> None:
    fill(disk)
    with pytest.raises(LocalFailure):
        store.keep_room()
