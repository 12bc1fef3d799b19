"""Pings of the peer, the default gateway and the ping targets, on a fixed grid of the monotonic clock."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from app.ports import Node
from jobs.monitor.board import Board, NetworkFinding, Situation
from jobs.monitor.duty import LOOK_AGAIN_S, Grid
from jobs.monitor.nearmiss import NearMisses

STANDALONE_INTERVAL_S = 15.0
"""Without a peer only the gateway is pinged, for the status page."""
USUAL_KEPT = 0.9
"""One slow answer counts for this much of itself in the next round, so that a calm minute forgets it."""


class PingDuty:
    """Counts failed pings in a row; a failed one wakes the decision loop at once."""

    name = "pings"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._grid = Grid()
        self._peer: str | None = None
        self._others_now = threading.Event()
        self._near_misses = NearMisses(node)
        self._usual_s: float | None = None

    def step(self) -> float:
        situation = self._board.read().situation
        paired = situation.peer_address is not None
        interval_s = situation.config.ping_interval_s if paired else STANDALONE_INTERVAL_S
        if situation.peer_address != self._peer:
            self._begin_anew(situation.peer_address)
        if self._grid.wait_s(self._node.clock.monotonic(), interval_s) == 0:
            self._round(situation)
            self._grid.served(self._node.clock.monotonic())
        elif self._others_now.is_set():
            self._ask_others(situation)
        return min(self._grid.wait_s(self._node.clock.monotonic(), interval_s), LOOK_AGAIN_S)

    def close(self) -> None:
        """Nothing is held."""

    def ask_others(self) -> None:
        """The next step pings gateway and targets alone, beside the grid. The caller wakes the duty."""
        self._others_now.set()

    def _begin_anew(self, peer: str | None) -> None:
        """Another peer: what was counted of the one before says nothing."""
        self._peer = peer
        self._grid = Grid()
        self._usual_s = None
        fresh = NetworkFinding(sequence=self._board.read().network.sequence)
        self._board.put(network=fresh)

    def _round(self, situation: Situation) -> None:
        self._others_now.clear()
        before = self._board.read().network
        timeout_s = situation.config.ping_patience_s(before.peer_missed, self._usual_s)
        answers = self._ping(situation, [self._peer] if self._peer else [], timeout_s)
        self._learn(answers)
        round_trip = None if self._peer is None else answers.get(self._peer)
        failed = self._peer is not None and round_trip is None
        missed = before.peer_missed + 1 if failed else 0
        finding = NetworkFinding(
            peer_missed=missed,
            peer_round_trip_ms=round_trip,
            sequence=before.sequence + 1,
            **self._others(situation, answers, before),
        )
        self._board.put(network=finding, urgent=failed or before.peer_missed > 0)
        # After the news, not before: to remember a near-miss is a write to the disk.
        self._board.put(near_miss=self._near_misses.note(missed, self._node.clock.now()))

    def _ask_others(self, situation: Situation) -> None:
        self._others_now.clear()
        answers = self._ping(situation, [], situation.config.ping_timeout_s)
        before = self._board.read().network
        others = self._others(situation, answers, before)
        self._board.change(lambda found: replace(found, network=replace(found.network, **others)), urgent=True)

    def _learn(self, answers: dict[str, float | None]) -> None:
        """How long answers take, of the slowest that is asked."""
        slowest_s = max((each / 1000 for each in answers.values() if each is not None), default=None)
        if slowest_s is not None:
            self._usual_s = max(slowest_s, USUAL_KEPT * (self._usual_s or 0.0))

    def _ping(self, situation: Situation, first: list[str], timeout_s: float) -> dict[str, float | None]:
        gateway = [situation.gateway] if situation.gateway else []
        addresses = [*first, *gateway, *situation.config.ping_targets]
        return self._node.pinger.ping(addresses, timeout_s) if addresses else {}

    def _others(self, situation: Situation, answers: dict[str, float | None], before: NetworkFinding) -> dict[str, Any]:
        gateway = None if situation.gateway is None else answers.get(situation.gateway) is not None
        targets = {target: answers.get(target) is not None for target in situation.config.ping_targets}
        heard = gateway is True or any(targets.values())
        return {
            "gateway_answers": gateway,
            "targets": targets,
            "others_answered_s": self._node.clock.monotonic() if heard else before.others_answered_s,
        }
