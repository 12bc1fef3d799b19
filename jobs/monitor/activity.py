"""Brings what was done on this node from its own journal into the common log, which the other server has too.

How far it has come is not remembered but read from the log itself: where the log is another one than before (a set-up
has replaced it, a failover has lost its end), what it lacks goes in again by itself.
"""

from __future__ import annotations

import structlog

from app.core.activity import RECORDS_MAX, Entry, batch, record, storable
from app.core.errors import HapairError, PeerRefused
from app.core.roles import Role
from app.core.state import NodeState
from app.ports import Node
from jobs.activity import bring_in
from jobs.monitor.board import Board
from jobs.monitor.duty import LOOK_AGAIN_S

log = structlog.get_logger(__name__)

VERIFY_S = 60.0
"""How often the log is asked again while all is well and nothing has changed."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 10.0
"""The log can't be reached: tried again after a pause that doubles up to this."""
REQUEST_TIMEOUT_S = 8.0
"""The other server asks its database three times, each time bounded."""


class ActivityDuty:
    """On a primary or standalone server it writes to the log itself; a secondary asks its primary to."""

    name = "activity"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._log_of: tuple[object, ...] = ()
        """Which log `_highest` was read from."""
        self._highest: int | None = None
        self._verified_s = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._trouble = ""

    def step(self) -> float:
        state = self._node.store.state()
        if self._board.read().situation.job_running or state.fence is not None:
            self._highest = None
            return LOOK_AGAIN_S
        log_of = (state.node_id, state.role, state.term, state.phase, state.pair_id)
        try:
            if log_of != self._log_of or self._due():
                self._log_of = log_of
                self._highest = None
            more = self._copy(state)
        except HapairError as error:
            return self._failed(error)
        if self._trouble:
            log.info("the common activity log is filled again")
        self._trouble, self._pause_s = "", FIRST_PAUSE_S
        return 0.0 if more else LOOK_AGAIN_S

    def close(self) -> None:
        """Nothing is held between two steps."""

    def _due(self) -> bool:
        return self._node.clock.monotonic() - self._verified_s >= VERIFY_S

    def _copy(self, state: NodeState) -> bool:
        """Whether there may be more to bring in at once."""
        if self._highest is None:
            self._highest = self._node.common_log.highest(state.node_id)
            self._verified_s = self._node.clock.monotonic()
        records = self._node.store.activity_after(self._highest, RECORDS_MAX)
        if not records:
            return False
        before = self._highest
        entries = batch(storable(each) for each in records)
        self._highest = self._bring_in(state, before, entries)
        return self._highest > before

    def _bring_in(self, state: NodeState, after: int, entries: list[Entry]) -> int:
        if state.role is not Role.SECONDARY:
            return bring_in(self._node.common_log, state.node_id, after, entries)
        body = {"pair_id": state.pair_id, "after": after, "records": [record(each) for each in entries]}
        highest = self._node.peer.request("activity", body, REQUEST_TIMEOUT_S).get("highest")
        if not isinstance(highest, int) or isinstance(highest, bool) or highest < 0:
            raise PeerRefused(
                "bad-reply", "The Other Server's Answer Can't Be Understood", detail="`highest` is wrong."
            )
        return highest

    def _failed(self, error: HapairError) -> float:
        """The journal keeps everything meanwhile; one line in the log for each new reason."""
        if error.code != self._trouble:
            log.info("the common activity log waits", code=error.code, error=str(error))
        self._trouble, self._highest = error.code, None
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, LONGEST_PAUSE_S)
        return pause_s
