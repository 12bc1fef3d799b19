"""The pairing listener: it exists only while a standalone server waits, with a saved draft, to become secondary."""

from __future__ import annotations

import structlog

from app.core.errors import HapairError
from app.core.roles import Role
from app.ports import Actor, Json, Node, PairingListener
from jobs.monitor.board import Board
from jobs.monitor.duty import LOOK_AGAIN_S
from jobs.peer.noted import NotedActs
from jobs.peer.pairing import answer

log = structlog.get_logger(__name__)

ALARM = "pairing-listener"
REFUSALS_NOTED_MAX = 20
"""How many refusals of one listener the activity log keeps; a stranger who goes on knocking must not fill the disk."""
USED_NOTE = "pairing-used"
RETRY_S = 5.0
LOOK_S = 0.15
"""How soon after a draft was saved the listener is there."""


class WelcomeDuty:
    """Opens and closes the listener with the draft; each one turned away is noted, up to a bound."""

    name = "welcome"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._listener: PairingListener | None = None
        self._fingerprint: str | None = None
        self._refusals = 0
        self._acts = NotedActs(node)

    def step(self) -> float:
        if self._listener is not None and self._listener.retired and self._fingerprint is not None:
            self._node.store.save_note(USED_NOTE, {"fingerprint": self._fingerprint})
        state = self._node.store.state()
        if state.role is not Role.STANDALONE:
            self.close()
            return LOOK_AGAIN_S
        wanted = self._wanted(paired=state.peer is not None)
        if wanted == self._fingerprint:
            return LOOK_S
        self.close()
        return LOOK_S if wanted is None else self._open(wanted)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.stop()
            log.info("pairing listener closed")
        self._listener = None
        self._fingerprint = None

    def _wanted(self, *, paired: bool) -> str | None:
        """The fingerprint of the secondary that this server is drafted to be; read from the store itself, because the
        primary may be told to APPLY right after the draft was saved.

        A value that has paired the servers is used up; it counts again only if the primary has taken the pairing back.
        """
        draft = self._node.store.config().draft or {}
        if draft.get("HAServerRole") != Role.SECONDARY.value:
            return None
        fingerprint = str(draft.get("HAPeerFingerprint") or "")
        if not fingerprint or self._node.store.pairing_key_retired(fingerprint):
            return None
        used = self._node.store.note(USED_NOTE) or {}
        return None if paired and used.get("fingerprint") == fingerprint else fingerprint

    def _open(self, fingerprint: str) -> float:
        try:
            self._listener = self._node.pairing.listen(fingerprint, self._answer, self._refused)
        except HapairError as error:
            log.warning("pairing listener not opened", code=error.code, error=str(error))
            self._node.store.raise_alarm(ALARM, f"The primary can't reach this server for pairing: {error}")
            return RETRY_S
        self._fingerprint = fingerprint
        self._refusals = 0
        self._node.store.clear_alarm(ALARM)
        log.info("pairing listener open", port=self._node.settings.pairing_port)
        return LOOK_S

    def _answer(self, verb: str, body: Json) -> Json:
        reply, write_down = self._acts.carry_out(verb, lambda node, sent: answer(node, verb, sent), body)
        write_down()
        log.info("pairing request answered", verb=verb)
        return reply

    def _refused(self, address: str, reason: str) -> None:
        self._refusals += 1
        if self._refusals > REFUSALS_NOTED_MAX:
            return
        log.warning("pairing refused", address=address, reason=reason)
        self._node.store.add_activity(Actor("unknown", address), "pairing", "refused", {"reason": reason})
