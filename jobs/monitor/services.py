"""The watch over this server's own database service: one that is down is started, a hung one is restarted when told.

Both may take long, above all where the cause (a full disk, say) is still there; so they have a thread of their own, and
the decision to give the role up does not wait for them.
"""

from __future__ import annotations

import threading

import structlog

from app.core.errors import LocalFailure
from app.ports import Node
from jobs.monitor.board import Board
from jobs.monitor.duty import LOOK_AGAIN_S

log = structlog.get_logger(__name__)

DOWN = "database-down"
"""The code of the database's failure when nobody listens: a hung server is the pilot's case, not ours."""
START_AFTER_S = 5.0
"""Its own supervisor gets this long first."""
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 120.0
START_TIMEOUT_S = 90.0
"""Crash recovery of a big database takes its time."""
KILL_TIMEOUT_S = 10.0


class ServiceDuty:
    """Starts the database service where it stays down, unless a job has stopped it."""

    name = "services"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._not_before_s = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._restart = threading.Event()

    def restart_database(self) -> None:
        """The next step restarts the database service. The caller wakes the duty."""
        self._restart.set()

    def step(self) -> float:
        if self._restart.is_set():
            self._restart.clear()
            self._restart_hung()
            return LOOK_AGAIN_S
        found = self._board.read()
        now_s = self._node.clock.monotonic()
        down_since_s = found.database.down_since_s
        if down_since_s is None:
            self._pause_s = FIRST_PAUSE_S
            return LOOK_AGAIN_S
        held = found.situation.job_running or found.situation.state.operation is not None or found.busy
        down = found.database.error_code == DOWN and now_s - down_since_s >= START_AFTER_S
        if down and not held and now_s >= self._not_before_s:
            self._not_before_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            log.warning("the database is down and is started", down_for_s=round(now_s - down_since_s, 1))
            self._node.machine.service("start", "mariadb", START_TIMEOUT_S)
        return LOOK_AGAIN_S

    def _restart_hung(self) -> None:
        """A server that hangs does not obey a request to stop, so it is killed: it recovers as from a power cut."""
        log.warning("the database is killed and started again")
        try:
            self._node.machine.service("kill", "mariadb", KILL_TIMEOUT_S)
        except LocalFailure as error:
            log.info("there was no database to kill", error=str(error))
        self._node.machine.service("start", "mariadb", START_TIMEOUT_S)

    def close(self) -> None:
        """Nothing is held."""
