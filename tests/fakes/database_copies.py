"""The part of a database server in memory that is copied, switched, rescued and rewound."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.errors import LocalFailure
from app.core.positions import difference, merge, reached
from app.ports import Progress, ReplicationSource, RescueReport
from tests.fakes.clock import FakeClock
from tests.fakes.database_parts import Change, Data


class FakeCopies:
    """See tests/fakes/database.py, which makes all of these."""

    clock: FakeClock
    data: Data
    folders: dict[str, Data]
    rescues: dict[str, RescueReport]
    source: ReplicationSource | None
    relay: list[Change]
    calls: list[str]
    read_only: bool
    receiving: bool
    down: bool
    hung: bool

    # seeding

    def send_seed(self, target: int) -> None:
        self._asked()
        try:
            with open(target, "wb", closefd=False) as stream:
                stream.write(self.data.as_bytes())
        except BrokenPipeError as error:
            raise LocalFailure("seed-failed", "The Copy of the Data Is Not Whole", detail=str(error)) from error

    def receive_seed(self, chunks: Iterator[bytes], staging: str, progress: Progress) -> str:
        self.folders.pop(staging, None)
        text = b""
        for chunk in chunks:
            text += chunk
            progress(len(text), None)
        try:
            self.folders[staging] = Data.from_bytes(text)
        except ValueError as error:
            raise LocalFailure("seed-failed", "The Copy of the Data Is Not Whole", detail=str(error)) from error
        return self.folders[staging].position()

    def switch_data(self, staging: str, aside: str) -> None:
        self._must_be_stopped()
        self.calls.append("switch_data")
        if staging not in self.folders:
            if aside in self.folders:
                return
            raise LocalFailure("seed-missing", "There Is No Copy of the Data to Switch To", detail=staging)
        self.folders.setdefault(aside, self.data)
        self.data = self.folders.pop(staging)
        self.source = None
        self.receiving = False
        self.relay.clear()

    def switch_back(self, aside: str) -> None:
        self._must_be_stopped()
        self.calls.append("switch_back")
        if aside in self.folders:
            self.data = self.folders.pop(aside)
            self.source = None
            self.receiving = False
            self.relay.clear()

    def discard(self, folder: str) -> None:
        if folder.startswith("/elsewhere/"):
            raise LocalFailure("not-discardable", "This Folder Is Not Discarded", detail=folder)
        self.folders.pop(folder, None)

    # what only this server has

    def rescue(self, base_position: str, folder: str, arrived: int = 0) -> RescueReport:
        self._asked()
        if folder in self.rescues:
            return self.rescues[folder]
        gaps = difference(self.data.history(), base_position)
        lost = [change for change in self.data.log if not reached(base_position, str(change.gtid))]
        counts: dict[str, int] = {}
        for change in lost:
            counts[change.table] = counts.get(change.table, 0) + (not change.ddl)
        ddl = any(change.ddl for change in lost)
        report = RescueReport(
            folder=folder,
            transactions=len(lost),
            rows_by_table=counts,
            spans=tuple(str(gap) for gap in gaps),
            rewindable=not ddl,
            obstacle="A transaction changes the structure of the database." if ddl else "",
            files=("transactions.sql", "binlog.000001") if lost else (),
            arrived=arrived,
        )
        if folder:
            self.rescues[folder] = report
        return report

    def rewind(self, base_position: str) -> None:
        self._asked()
        report = self.rescue(base_position, "")
        if not self.read_only or not report.rewindable:
            raise LocalFailure("rewind-refused", "This Server Can't Be Rewound Exactly", detail=report.obstacle)
        self.calls.append("rewind")
        kept = [change for change in self.data.log if reached(base_position, str(change.gtid))]
        for change in self.data.log[len(kept) :]:
            self.data.tables.get(change.table, {}).pop(change.key, None)
        for change in kept:
            if not change.ddl:
                self.data.tables.setdefault(change.table, {})[change.key] = change.value
        self._begin_history(base_position)

    # inside

    def _asked(self, timeout_s: float = 10.0) -> None:
        if self.down:
            raise LocalFailure("database-down", "The Database Server Does Not Answer")
        if self.hung:
            self.clock.sleep(timeout_s)
            raise LocalFailure("database-timeout", "The Database Server Did Not Answer in Time")

    def _must_be_stopped(self) -> None:
        if not self.down:
            raise LocalFailure("database-running", "The Database Server Still Runs")

    def _begin_history(self, position: str) -> None:
        self.data.base = merge(position)
        self.data.log.clear()
