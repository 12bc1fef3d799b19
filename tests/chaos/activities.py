"""What the pair is busy with while the fault happens. Each ends what it began, however the cell goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from tests.chaos import pairs
from tests.chaos.witness import TROUBLES, Burst
from tests.lab.client import rows
from tests.lab.load import Sysbench
from tests.lab.servers import Servers

JOIN_TIMEOUT_S = 240.0
SYSBENCH_ROWS = 1000
TABLES_ARE_THERE = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'sbtest'"


@dataclass
class Busy:
    """What goes on beside the fault, and what it leaves behind for the checker."""

    burst: Burst | None = None
    notes: list[str] = field(default_factory=list)
    """How the activity itself ended, in sentences."""

    def end_burst(self) -> None:
        """No file is written any more."""
        if self.burst is not None:
            self.burst.stop()


Activity = Callable[[Servers, str, str], AbstractContextManager[Busy]]


@contextmanager
def idle(_: Servers, __: str, ___: str) -> Iterator[Busy]:
    """Nothing but the few rows by which losses are seen."""
    yield Busy()


@contextmanager
def sysbench(servers: Servers, primary: str, _: str) -> Iterator[Busy]:
    """Reads and writes of several clients as fast as they go, on the server that was primary, until the pair is stable
    again."""
    with _load(servers, primary):
        yield Busy()


def prepare_sysbench(servers: Servers, primary: str) -> None:
    """sysbench's tables are there, made once for each lab."""
    if not rows(servers.database(primary), TABLES_ARE_THERE):
        _load(servers, primary).prepare()


def _load(servers: Servers, host: str) -> Sysbench:
    return Sysbench(servers.database(host), table_rows=SYSBENCH_ROWS)


@contextmanager
def file_burst(servers: Servers, primary: str, name: str) -> Iterator[Busy]:
    """An application writes files on the server that was primary until the fault is over, whatever becomes of it."""
    burst = Burst(servers, primary, name)
    try:
        yield Busy(burst=burst)
    finally:
        burst.stop()


@contextmanager
def swap(servers: Servers, primary: str, _: str) -> Iterator[Busy]:
    """The roles are being exchanged."""
    busy = Busy()

    def act() -> None:
        try:
            job = servers.apis[primary].ask("POST", "/ha/swap", {})["job"]["id"]
            ended = servers.apis[primary].wait_job(str(job))
            busy.notes.append(f"swap {ended['state']}")
        except TROUBLES as error:
            busy.notes.append(f"swap not followed to its end ({type(error).__name__})")

    with _beside(act):
        yield busy


@contextmanager
def set_up(servers: Servers, _: str, __: str) -> Iterator[Busy]:
    """Two standalone servers are being made a pair."""
    busy = Busy()

    def act() -> None:
        try:
            pairs.set_up(servers)
            busy.notes.append("set-up not disturbed")
        except TROUBLES as error:
            busy.notes.append(f"set-up disturbed: {str(error).splitlines()[0][:160] if str(error) else error!r}")

    with _beside(act):
        yield busy


@contextmanager
def _beside(act: Callable[[], None]) -> Iterator[None]:
    """The act runs in a thread of its own from here on; the block's end waits for it."""
    thread = threading.Thread(target=act, name="activity", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(JOIN_TIMEOUT_S)
        if thread.is_alive():
            raise AssertionError(f"what the pair was busy with did not end within {JOIN_TIMEOUT_S:g} s")


ACTIVITY: dict[str, Activity] = {
    "idle": idle,
    "sysbench": sysbench,
    "set-up": set_up,
    "swap": swap,
    "file-burst": file_burst,
}
