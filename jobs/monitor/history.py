"""Keeps the history for the charts: a look each second, a durable point every ten, a coarse one every ten minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core.history import COARSE_S, FINE_S, HistoryPoint, WriteSight, begin_of, folded, merged, sight
from app.core.roles import Role
from app.ports import Node
from jobs.monitor.board import Board, Findings
from jobs.monitor.duty import LOOK_AGAIN_S
from jobs.monitor.report import is_writable

LOOK_S = 1.0


class HistoryDuty:
    """Only a pair has a history. What was not written yet when the monitor is killed is lost: at most ten seconds."""

    name = "history"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._open: HistoryPoint | None = None
        self._sequence = 0
        self._sight = WriteSight()

    def step(self) -> float:
        found = self._board.read()
        now = self._node.clock.now()
        begun = begin_of(now, FINE_S)
        if self._open is not None and self._open.at != begun:
            self._store(self._open, now)
        if found.situation.peer_address is None:
            self._open, self._sight = None, WriteSight()
            return LOOK_AGAIN_S
        looked = self._look(found, begun)
        self._open = looked if self._open is None else merged(self._open, looked)
        return LOOK_S

    def close(self) -> None:
        """The point under way is stored as far as it came."""
        if self._open is not None:
            self._node.store.add_history(FINE_S, self._open)

    def _look(self, found: Findings, begun: datetime) -> HistoryPoint:
        """This moment as a point."""
        now_s, network = self._node.clock.monotonic(), found.network
        self._sight = sight(
            self._sight,
            own=is_writable(found),
            peer_s=found.peer.heard_s if found.peer.report is not None and found.peer.report.writable else None,
            now_s=now_s,
            blind_s=found.situation.config.heard_s,
        )
        is_new = network.sequence != self._sequence
        self._sequence = network.sequence
        return HistoryPoint(
            at=begun,
            round_trip_ms=network.peer_round_trip_ms,
            failed_pings=int(is_new and network.peer_missed > 0),
            missed=network.peer_missed,
            lag_s=_lag_s(found, now_s),
            files=found.files.pending if found.situation.state.role is Role.PRIMARY else None,
            outage_s=self._sight.outage_s,
        )

    def _store(self, point: HistoryPoint, now: datetime) -> None:
        """A coarse point is made from the stored fine ones, so that a restart within its span costs none of it."""
        self._open = None
        store = self._node.store
        store.add_history(FINE_S, point)
        begun = begin_of(point.at, COARSE_S)
        if begun == begin_of(now, COARSE_S):
            return
        until = begun + timedelta(seconds=COARSE_S)
        fine = [each for each in store.history(FINE_S, begun) if each.at < until]
        for coarse in folded(fine, COARSE_S):
            store.add_history(COARSE_S, coarse)


def _lag_s(found: Findings, now_s: float) -> float | None:
    """How far the secondary is behind: on the secondary from its own data, on the primary as the secondary says."""
    if found.situation.state.role is Role.SECONDARY:
        return None if found.database.facts is None or found.database.error else found.database.facts.beat_age_s
    age_s, report = found.peer.age_s(now_s), found.peer.report
    heard = age_s is not None and age_s < found.situation.config.heard_s
    return report.lag_s if heard and report is not None else None
