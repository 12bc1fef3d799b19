"""Lets the other server know where this node's journal ends, and raises an alarm where the journal is not what others
know of it: it was cut off, rewritten, or put back from a copy."""

from __future__ import annotations

import structlog

from app.core.activity_chain import START, Head
from app.core.errors import HapairError, PeerRefused
from app.core.state import NodeState
from app.ports import Json, Node
from jobs.activity import WITNESS_NOTE, chains, journal_against, number_beyond
from jobs.monitor.duty import LOOK_AGAIN_S

log = structlog.get_logger(__name__)

ALARM = "activity-journal"
TOLD_AGAIN_S = 60.0
"""The end is told when it has changed, at most once in `QUIET_S`, and this often besides."""
QUIET_S = 5.0
RETRY_S = 15.0
REQUEST_TIMEOUT_S = 5.0


class JournalEndDuty:
    """Tells the end of the journal to the peer, and compares it with what is known elsewhere."""

    name = "journal-end"

    def __init__(self, node: Node) -> None:
        self._node = node
        self._told = START
        self._told_s: float | None = None

    def step(self) -> float:
        now_s = self._node.clock.monotonic()
        head = self._node.store.activity_head()
        if self._told_s is not None and now_s - self._told_s < (QUIET_S if head != self._told else TOLD_AGAIN_S):
            return LOOK_AGAIN_S
        state = self._node.store.state()
        try:
            if state.peer is not None:
                self._tell(state, head)
        except HapairError as error:
            log.debug("the journal's end could not be told", code=error.code)
            return RETRY_S
        self._told, self._told_s = head, now_s
        self._compare()
        return LOOK_AGAIN_S

    def close(self) -> None:
        """Nothing is held between two steps."""

    def _tell(self, state: NodeState, head: Head) -> None:
        """The peer knows the end of the journal; unless what it knew before contradicts it, which it then keeps."""
        known = self._ask(state, START)
        if journal_against(self._node, head, known) is None:
            self._ask(state, head)
            known = head
        self._node.store.save_note(WITNESS_NOTE, {"node_id": state.node_id, "entry": known.entry, "chain": known.chain})

    def _ask(self, state: NodeState, head: Head) -> Head:
        """The end that the peer knew before it was told this one."""
        body: Json = {"pair_id": state.pair_id, "entry": head.entry, "chain": head.chain}
        reply = self._node.peer.request("activity-head", body, REQUEST_TIMEOUT_S)
        entry, chain = reply.get("entry"), reply.get("chain")
        if not isinstance(entry, int) or isinstance(entry, bool) or not isinstance(chain, str):
            raise PeerRefused("bad-reply", "The Other Server's Answer Can't Be Understood")
        return Head(entry, chain)

    def _compare(self) -> None:
        """The alarm is up as long as something contradicts the journal. New entries get numbers that are not known
        elsewhere, so that the common log takes them."""
        known = chains(self._node)
        number_beyond(self._node, known)
        broken = known[0].broken
        if broken is None:
            self._node.store.clear_alarm(ALARM)
        elif self._node.store.raise_alarm(
            ALARM,
            f"The activity journal of this server is not what was written: {broken.reason} Run `hapair activity verify`"
            " on both servers, and find out who changed it; `hapair activity accept` ends this alarm then.",
        ):
            log.error("the activity journal is not what was written", entry=broken.entry, reason=broken.reason)
