"""Heartbeats: the peer is asked over its channel how it is."""

from __future__ import annotations

from dataclasses import replace

import structlog

from app.core.errors import HapairError
from app.core.facts import PeerReport
from app.ports import Json, Node
from jobs.monitor.board import Board, PeerFinding
from jobs.monitor.duty import LOOK_AGAIN_S, Grid
from jobs.monitor.report import read_report

log = structlog.get_logger(__name__)

ANNOUNCER = "monitor"
"""In place of a job's number, in announcements of the monitor itself."""
TIMEOUT_MIN_S = 0.5
TIMEOUT_MAX_S = 2.0
"""Bounds of a request on a line that worked a moment ago."""
TIMEOUT_OPENING_S = 8.0
"""Bound of one that opens a new line: the other server starts a process for it, which takes a second while it boots."""
TIMEOUT_UNREACHABLE_S = 3.0
"""Bound of one while pings fail too: a connection begun now would notice a healed network late."""


class HeartbeatDuty:
    """Asks at most once in each heartbeat interval; what changes a decision wakes the loop."""

    name = "heartbeat"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._grid = Grid()
        self._peer_node: str | None = None
        self._greeted = False

    def step(self) -> float:
        situation = self._board.read().situation
        peer = situation.state.peer
        if peer is None:
            self._forget()
            return LOOK_AGAIN_S
        if peer.node_id != self._peer_node:
            self._forget()
            self._peer_node = peer.node_id
        interval_s = situation.config.heartbeat_interval_s
        if self._grid.wait_s(self._node.clock.monotonic(), interval_s) == 0:
            self._ask(situation.state.term, self._timeout_s(interval_s))
            self._grid.served(self._node.clock.monotonic())
        return min(self._grid.wait_s(self._node.clock.monotonic(), interval_s), LOOK_AGAIN_S)

    def close(self) -> None:
        """The peer's channel belongs to the node, which closes it."""

    def _timeout_s(self, interval_s: float) -> float:
        found = self._board.read()
        if found.peer.report is None or found.peer.error:
            return TIMEOUT_OPENING_S if found.network.peer_missed == 0 else TIMEOUT_UNREACHABLE_S
        return max(TIMEOUT_MIN_S, min(2 * interval_s, TIMEOUT_MAX_S))

    def _ask(self, term: int, timeout_s: float) -> None:
        before = self._board.read().peer
        asked_s = self._node.clock.monotonic()
        try:
            reply = self._node.peer.request("heartbeat", {"term": term}, timeout_s)
            report = self._understood(reply)
        except (HapairError, ValueError) as error:
            if before.error == "":
                log.info("the peer does not answer", error=str(error))
            # The age of the last reply tells the loop more than this failure does.
            self._board.put(peer=replace(before, error=str(error)))
            return
        if before.error != "" or before.report is None:
            log.info("the peer answers", role=report.role.value, term=report.term)
        urgent = before.report is None or before.error != "" or _signature(report) != _signature(before.report)
        self._board.put(peer=PeerFinding(report, self._node.clock.monotonic(), asked_s=asked_s), urgent=urgent)
        if not self._greeted:
            self._greet()

    def _greet(self) -> None:
        """The peer knows that this node is back: an announced stop counts for nothing any more."""
        try:
            self._node.peer.request("announce", {"kind": "", "job_id": ANNOUNCER}, TIMEOUT_MAX_S)
        except HapairError as error:
            log.info("the peer could not be told that this server is back", error=str(error))
        else:
            self._greeted = True

    def _understood(self, reply: Json) -> PeerReport:
        """The reply of the paired node itself. Raises ValueError for another node's, or for anything malformed."""
        report = read_report(reply)
        if report.node_id != self._peer_node:
            raise ValueError(f"another node than the paired one answers: {report.node_id[:80]!r}")
        return report

    def _forget(self) -> None:
        """Another peer, or none: what was heard of the one before says nothing."""
        self._peer_node = None
        self._greeted = False
        if self._board.read().peer != PeerFinding():
            self._board.put(peer=PeerFinding())


def _signature(report: PeerReport) -> tuple[object, ...]:
    """What a decision may depend on at once; positions and ages wait for the next tick."""
    return (
        report.role,
        report.term,
        report.phase,
        report.writable,
        report.fence,
        report.standby_out,
        report.eligible,
        report.semi_sync_active,
        report.database_ok,
        report.operation,
        report.maintenance,
        report.stopping,
        report.promotion_point,
        report.monitor_age_s is None,
    )
