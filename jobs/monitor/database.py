"""The local database server: looks at it, and write probes where this node is the writable primary."""

from __future__ import annotations

import threading
from dataclasses import replace

from app.core.errors import HapairError
from app.core.exposure import probes_stay_here
from app.core.facts import DatabaseFacts, ReplicationFacts
from app.core.roles import Role
from app.ports import Node
from jobs.monitor.board import Board, DatabaseFinding, Findings
from jobs.monitor.duty import LOOK_AGAIN_S, Grid

LOOK_MAX_S = 1.0
LOOK_STANDALONE_S = 2.0
LOOK_CLOSER_S = 0.25
"""While something is wrong the server is looked at this often: the failover waits for the stream's last sign."""
LOOK_TIMEOUT_S = 2.0
PROBE_MAX_S = 2.0
PROBE_TIMEOUT_S = 2.0
STANDBY_SILENT = "standby-silent"
"""The error of a probe that is on disk here and waits for the standby's acknowledgement only."""


class DatabaseDuty:
    """Looks at the server and notices when the replication stream brings something."""

    name = "database"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._grid = Grid()
        self._now = threading.Event()

    def step(self) -> float:
        found = self._board.read()
        interval_s = _look_interval_s(found, self._node.clock.monotonic())
        due = self._grid.wait_s(self._node.clock.monotonic(), interval_s) == 0
        if due or self._now.is_set():
            self._now.clear()
            self._look()
        if due:
            self._grid.served(self._node.clock.monotonic())
        return min(self._grid.wait_s(self._node.clock.monotonic(), interval_s), LOOK_CLOSER_S)

    def look_now(self) -> None:
        """The next step looks beside the grid. The caller wakes the duty."""
        self._now.set()

    def close(self) -> None:
        """Each look has a connection of its own."""

    def _look(self) -> None:
        started_s = self._node.clock.monotonic()
        try:
            facts = self._node.database.facts(LOOK_TIMEOUT_S)
        except HapairError as error:
            code, reason = error.code, str(error)
            self._board.change(lambda found: _with_failure(found, code, reason, started_s), urgent=True)
            return
        now_s = self._node.clock.monotonic()
        before = self._board.read().database.facts
        urgent = before is None or _signature(before) != _signature(facts)
        self._board.change(lambda found: _with_facts(found, facts, started_s, now_s), urgent=urgent)


def _look_interval_s(found: Findings, now_s: float) -> float:
    situation = found.situation
    if situation.peer_address is None:
        return LOOK_STANDALONE_S
    heartbeat_age_s = found.peer.age_s(now_s)
    heard = heartbeat_age_s is not None and heartbeat_age_s < situation.config.heard_s
    if found.network.peer_missed == 0 and (heard or heartbeat_age_s is None):
        return LOOK_MAX_S
    return min(LOOK_CLOSER_S, situation.config.ping_interval_s)


def _with_failure(found: Findings, code: str, error: str, at_s: float) -> Findings:
    since_s = at_s if found.database.down_since_s is None else found.database.down_since_s
    database = replace(found.database, error=error, error_code=code, down_since_s=since_s, looked_s=at_s)
    return replace(found, database=database)


def _with_facts(found: Findings, facts: DatabaseFacts, started_s: float, now_s: float) -> Findings:
    before = found.database
    alive_s = before.stream_alive_s
    if facts.replication is None:
        alive_s = None
    elif _stream_moved(before.facts, facts):
        alive_s = _moved_s(facts.replication, now_s if before.facts_s is None else before.facts_s, now_s)
    known = replace(
        before,
        facts=facts,
        facts_s=now_s,
        looked_s=started_s,
        error="",
        error_code="",
        down_since_s=None,
        stream_alive_s=alive_s,
    )
    return replace(found, database=known)


def _moved_s(replication: ReplicationFacts, previous_s: float, now_s: float) -> float:
    """When the stream moved last, which it did somewhere between two looks."""
    if replication.received_age_s is not None and now_s - replication.received_age_s >= previous_s:
        return now_s - replication.received_age_s
    # A heartbeat of the stream leaves no trace, and a clock that was set tells nothing: the middle is the best guess.
    return max(now_s - LOOK_MAX_S / 2, (previous_s + now_s) / 2)


def _stream_moved(before: DatabaseFacts | None, after: DatabaseFacts) -> bool:
    """Whether the stream has brought something since the look before; the first look proves nothing."""
    if before is None or before.replication is None or after.replication is None:
        return False
    if not after.replication.receiver_running:
        return False
    old = (before.replication.received_position, before.replication.heartbeats)
    return old != (after.replication.received_position, after.replication.heartbeats)


def _signature(facts: DatabaseFacts) -> tuple[object, ...]:
    """What a decision may depend on at once."""
    replication = facts.replication
    running = replication and (
        replication.receiver_running,
        replication.applier_running,
        replication.receiver_error_number,
        replication.applier_error_number,
    )
    return (facts.read_only, facts.semi_sync_enabled, facts.semi_sync_clients > 0, running)


class WriteProbeDuty:
    """A real write on the writable primary: a full disk or a hung engine still answers SELECT."""

    name = "write-probe"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._grid = Grid()

    def step(self) -> float:
        found = self._board.read()
        if not _to_be_probed(found):
            self._forget(found.database)
            return LOOK_AGAIN_S / 2
        interval_s = min(found.situation.config.ping_interval_s, PROBE_MAX_S)
        if self._grid.wait_s(self._node.clock.monotonic(), interval_s) == 0:
            self._probe(found)
            self._grid.served(self._node.clock.monotonic())
        return min(self._grid.wait_s(self._node.clock.monotonic(), interval_s), LOOK_AGAIN_S)

    def close(self) -> None:
        """Each probe has a connection of its own."""

    def _probe(self, found: Findings) -> None:
        started_s = self._node.clock.monotonic()
        state = found.situation.state
        stays = probes_stay_here(state, found.situation.config, standby_heard=_follower_heard(found, started_s))
        try:
            gtid = self._node.database.probe_write(state.term, PROBE_TIMEOUT_S, replicated=not stays)
        except HapairError as error:
            reason = str(error)
            if error.code == STANDBY_SILENT:
                self._board.change(lambda found: _with_waiting_probe(found, reason))
            else:
                self._board.change(lambda found: _with_failed_probe(found, reason, started_s), urgent=True)
            return
        recovered = self._board.read().database.write_failing_since_s is not None
        self._board.change(lambda found: _with_probe(found, started_s, gtid), urgent=recovered)

    def _forget(self, database: DatabaseFinding) -> None:
        """Not probed any more: what failed before is no fault of the node as it is now."""
        if database.write_failing_since_s is not None or database.write_error:
            self._board.change(_without_probe)


def _follower_heard(found: Findings, now_s: float) -> bool:
    """Whether the other server is heard and may be this one's standby."""
    report, age_s = found.peer.report, found.peer.age_s(now_s)
    if report is None or age_s is None or age_s >= found.situation.config.heard_s:
        return False
    return report.role is not Role.PRIMARY and report.term <= found.situation.state.term


def _to_be_probed(found: Findings) -> bool:
    """A primary that accepts writes, or would if its database answered."""
    state = found.situation.state
    primary = state.role is Role.PRIMARY and state.fence is None
    facts = found.database.facts
    return primary and (facts is None or not facts.read_only)


def _with_probe(found: Findings, started_s: float, gtid: str) -> Findings:
    database = replace(
        found.database, write_started_s=started_s, write_failing_since_s=None, write_error="", write_gtid=gtid
    )
    return replace(found, database=database)


def _with_failed_probe(found: Findings, error: str, started_s: float) -> Findings:
    before = found.database.write_failing_since_s
    since_s = started_s if before is None else before
    return replace(found, database=replace(found.database, write_failing_since_s=since_s, write_error=error))


def _with_waiting_probe(found: Findings, error: str) -> Findings:
    """The database itself is well; that no commit was acknowledged shows in the age of the last that was."""
    return replace(found, database=replace(found.database, write_failing_since_s=None, write_error=error))


def _without_probe(found: Findings) -> Findings:
    return replace(found, database=replace(found.database, write_failing_since_s=None, write_error=""))
