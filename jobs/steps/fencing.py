"""Holding application writes back, on this node and on the other."""

from __future__ import annotations

import logging
import threading

from app.core import moves
from app.core.errors import HapairError
from app.core.roles import Role
from app.core.state import FenceReason
from app.ports import Node
from jobs.steps import address

log = logging.getLogger(__name__)

FENCE_S = 3.0
"""Bound of making the own database read-only and closing its clients."""
FENCE_PEER_S = 2.0
"""How long the other server is given to fence itself."""
FENCE_PEER_WAIT_S = 0.15
"""How long a promotion waits for that: a living peer answers in some milliseconds, a dead one never."""


def fence_self(node: Node, reason: FenceReason, detail: str = "") -> str:
    """The fence is durable, then the database refuses application writes and its clients are closed; the position.

    A standby that nobody waits for any more must not hold the fence up, so commits are not waited for on the way. The
    virtual address is given up last, so that clients still hear that their connections end, but whatever else fails.
    """
    now = node.clock.now()
    try:
        node.store.change_state(lambda state: moves.fence(state, reason, now, detail))
        return node.database.fence(FENCE_S)
    finally:
        address.release(node)


class PeerFencing:
    """An attempt to fence the other server that goes on beside the promotion."""

    def __init__(self, node: Node, term: int, reason: str) -> None:
        self._node = node
        self._body = {"term": term, "reason": reason}
        self.fenced = False
        self.position = ""
        """Where the fenced server's data ends."""
        self._thread = threading.Thread(target=self._ask, name="fence-peer", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Whether the other server has fenced itself, after at most `timeout_s`."""
        self._thread.join(timeout_s)
        return self.fenced

    def _ask(self) -> None:
        try:
            reply = self._node.peer.request("fence", self._body, FENCE_PEER_S)
            self.position = str(reply.get("position") or "")
            self.fenced = True
        except HapairError as error:
            log.info("the other server could not be fenced over its channel: %s", error)


def accept_fence(node: Node, term: int, reason: str) -> str:
    """This node refuses application writes because the peer has the higher term; the position.

    The own term stays: the peer's is adopted when this node rejoins as its secondary.
    """
    state = node.store.state()
    if state.role is not Role.PRIMARY or term <= state.term:
        return node.database.facts().position
    return fence_self(node, FenceReason.SUPERSEDED, f"the other server has the term {term} ({reason})")
