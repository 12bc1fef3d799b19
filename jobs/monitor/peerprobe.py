"""The secondary's second look at the primary: does its database take a write of ours over the network?"""

from __future__ import annotations

from app.core.errors import HapairError
from app.core.roles import Role
from app.core.state import Phase
from app.ports import Node
from jobs.monitor.board import Board, Findings, ProbeFinding
from jobs.monitor.duty import LOOK_AGAIN_S, Grid

RARELY_S = 60.0
"""While all is well."""
SUSPICIOUS_S = 1.0
TIMEOUT_S = 1.0


class PeerProbeDuty:
    """Probes rarely while all is well, and each second while anything about the primary is in doubt."""

    name = "peer-probe"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._grid = Grid()

    def step(self) -> float:
        found = self._board.read()
        state = found.situation.state
        if state.role is not Role.SECONDARY or state.phase is not Phase.PAIRED:
            if found.peer_probe != ProbeFinding():
                self._board.put(peer_probe=ProbeFinding())
            return LOOK_AGAIN_S
        now_s = self._node.clock.monotonic()
        interval_s = SUSPICIOUS_S if suspicious(found, now_s) else RARELY_S
        if self._grid.wait_s(now_s, interval_s) == 0:
            self._probe(found)
            self._grid.served(self._node.clock.monotonic())
        return min(self._grid.wait_s(self._node.clock.monotonic(), interval_s), LOOK_AGAIN_S / 2)

    def close(self) -> None:
        """Each probe has a connection of its own."""

    def _probe(self, found: Findings) -> None:
        address = found.situation.peer_address or ""
        before = found.peer_probe.ok
        try:
            ok = self._node.database.probe_remote(address, self._node.settings.database_port, TIMEOUT_S)
        except HapairError:
            ok = False
        self._board.put(peer_probe=ProbeFinding(ok, self._node.clock.monotonic()), urgent=ok is not before)


def suspicious(found: Findings, now_s: float) -> bool:
    """Whether anything that a living primary would do is missing."""
    age_s = found.peer.age_s(now_s)
    report = found.peer.report
    silent = age_s is None or age_s >= found.situation.config.heard_s
    failing = report is not None and (not report.database_ok or report.monitor_age_s is None)
    return found.network.peer_missed > 0 or silent or failing
