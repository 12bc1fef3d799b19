"""What only the node store in SQLite must stand: many processes, kills, and a disk that keeps what was written."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app.adapters.store import SqliteNodeStore
from app.adapters.store.connections import Connections
from app.core.errors import LocalFailure
from app.migrate import migrate_appliance, migrate_node_store
from app.models.appliance import ApplianceBase
from app.models.node import NodeBase
from tests.contract.test_store import TickingClock

WRITER_TIMEOUT_S = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store" / "node.db"
    migrate_node_store(path)
    return path


@pytest.fixture
def real(path: Path) -> Iterator[SqliteNodeStore]:
    store = SqliteNodeStore(path, TickingClock(), node_name=lambda: "alpha")
    yield store
    store.close()


OPEN_STORE = """
import dataclasses, sys
from datetime import UTC, datetime
from pathlib import Path
from app.adapters.store import SqliteNodeStore
from app.ports import Actor, StepRecord

class Clock:
    now = staticmethod(lambda: datetime.now(UTC))

store = SqliteNodeStore(Path(sys.argv[1]), Clock())
steps = [StepRecord(f"step-{number}", "Step") for number in range(5)]
def raise_term():
    return store.change_state(lambda state: dataclasses.replace(state, term=state.term + 1)).term
"""
ENDLESS_WRITER = (
    OPEN_STORE
    + """
while True:
    term = raise_term()
    job = store.create_job("settings", {"term": term}, steps, Actor("writer"))
    store.update_job(job.id, state="succeeded")
    print(term, flush=True)
"""
)
SHORT_WRITER = (
    OPEN_STORE
    + """
for _ in range(20):
    raise_term()
"""
)


def start_writer(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ENDLESS_WRITER, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def acknowledged(writer: subprocess.Popen[str], at_least: int) -> int:
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= at_least:
            return int(line)
    raise AssertionError("the writer ended early")


def test_a_process_killed_while_it_writes_leaves_the_store_whole(path: Path, real: SqliteNodeStore) -> None:
    for round_number in range(1, 4):
        with start_writer(path) as writer:
            term = acknowledged(writer, round_number * 20)
            os.kill(writer.pid, signal.SIGKILL)
            writer.communicate()
        assert real.state().term >= term
        unfinished = real.active_job()
        if unfinished is not None:
            real.update_job(unfinished.id, state="failed")
        jobs = real.jobs(limit=10_000)
        assert all(len(job.steps) == 5 for job in jobs)
        assert real.state().term - len(jobs) in range(round_number + 1)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_processes_that_write_at_the_same_time_lose_nothing(path: Path, real: SqliteNodeStore) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", SHORT_WRITER, str(path)], stdout=subprocess.DEVNULL) for _ in range(3)
    ]
    assert [writer.wait(timeout=WRITER_TIMEOUT_S) for writer in writers] == [0, 0, 0]
    assert real.state().term == 60


def test_an_event_is_claimed_by_one_of_several_threads(real: SqliteNodeStore) -> None:
    for number in range(20):
        real.add_event(str(number), "Failover", ())
    claimed: list[str] = []

    def claim_all() -> None:
        while (event := real.claim_delivery("script")) is not None:
            claimed.append(event.key)

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed, key=int) == [str(number) for number in range(20)]


def test_the_store_is_shared_by_owner_and_group_and_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "store" / "node.db"
    migrate_node_store(path, group_id=os.getgid())
    store = SqliteNodeStore(path, TickingClock())
    store.save_note("a", {})
    for file in (path, path.with_name("node.db-wal"), path.with_name("node.db-shm")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o660
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o2770
    store.close()


def test_migrating_again_keeps_the_identity(path: Path, real: SqliteNodeStore) -> None:
    before = real.state()
    migrate_node_store(path)
    assert real.state() == before


def test_writes_are_durable_before_they_return(real: SqliteNodeStore) -> None:
    with real._connections.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_missing_store_is_named_and_not_made(tmp_path: Path) -> None:
    store = SqliteNodeStore(tmp_path / "node.db", TickingClock())
    with pytest.raises(LocalFailure) as failure:
        store.state()
    assert failure.value.code == "store-failed"
    assert str(tmp_path / "node.db") in failure.value.detail
    assert not (tmp_path / "node.db").exists()


def test_migrations_make_what_the_models_describe(path: Path, tmp_path: Path) -> None:
    appliance = f"sqlite:///{tmp_path / 'appliance.db'}"
    migrate_appliance(appliance)
    for url, metadata in ((f"sqlite:///{path}", NodeBase.metadata), (appliance, ApplianceBase.metadata)):
        engine = create_engine(url)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        engine.dispose()


def raise_term_in_another_process(path: Path) -> None:
    subprocess.run([sys.executable, "-c", f"{OPEN_STORE}raise_term()", str(path)], check=True, timeout=WRITER_TIMEOUT_S)


def test_an_answer_is_read_once_until_anybody_writes(path: Path) -> None:
    connections = Connections(path)
    own = SqliteNodeStore(path, TickingClock(), node_name=lambda: "alpha")
    loads: list[int] = []

    def load() -> int:
        loads.append(len(loads) + 1)
        return loads[-1]

    assert [connections.unchanged("answer", load) for _ in range(3)] == [1, 1, 1]
    own.save_note("told", {"by": "this process"})
    assert [connections.unchanged("answer", load) for _ in range(2)] == [2, 2]
    raise_term_in_another_process(path)
    assert [connections.unchanged("answer", load) for _ in range(2)] == [3, 3]
    with connections.writing() as connection:
        connection.exec_driver_sql("UPDATE notes SET value = '{}'")
    assert connections.unchanged("answer", load) == 4
    connections.close()
    own.close()


def test_what_another_process_wrote_is_seen_at_once(path: Path, real: SqliteNodeStore) -> None:
    assert real.state().term == 0
    for term in (1, 2):
        raise_term_in_another_process(path)
        assert real.state().term == term


def test_the_callers_change_of_an_answer_is_theirs_alone(real: SqliteNodeStore) -> None:
    real.raise_alarm("conflict", "Two primaries.")
    real.config().applied["HAServerRole"] = "primary"
    real.alarms().clear()
    assert real.config().applied["HAServerRole"] == "standalone"
    assert [each.code for each in real.alarms()] == ["conflict"]
