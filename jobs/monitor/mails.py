"""A mail for each event, oldest first; a mail server that is down delays them, and many at once share one mail."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from app.core.errors import LocalFailure
from app.core.notices import MAIL_FAILED, Channel
from app.core.pacing import GROUP_MAX, Purse, groups
from app.ports import EventRecord, Node
from jobs import alertsettings
from jobs.monitor.board import Board
from jobs.monitor.duty import LOOK_AGAIN_S
from jobs.monitor.letters import letter
from jobs.monitor.outbox import Retries

log = structlog.get_logger(__name__)


class MailDuty:
    """Sends what waits, as fast as app.core.pacing allows."""

    name = "mails"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._retries = Retries(node.clock)
        self._purse = Purse(at_s=node.clock.monotonic())

    def step(self) -> float:
        self._purse = self._purse.at(self._node.clock.monotonic())
        wait_s = max(self._retries.wait_s(), self._purse.wait_s())
        if wait_s > 0:
            return min(wait_s, LOOK_AGAIN_S)
        waiting = self._node.store.claim_deliveries(Channel.MAIL, GROUP_MAX)
        if not waiting:
            return LOOK_AGAIN_S
        to = str(self._board.read().situation.applied.get("HAAlertEmail") or "").strip()
        if not to:
            self._finish(waiting, "skipped")
            return 0.0
        for number, group in enumerate(mails := groups(waiting, self._purse)):
            if not self._send(group, to):
                self._finish([event for later in mails[number + 1 :] for event in later], "pending")
                break
        return 0.0

    def close(self) -> None:
        """Each mail has a connection of its own."""

    def _send(self, group: Sequence[EventRecord], to: str) -> bool:
        """Whether the mail server has taken one mail for the group."""
        try:
            server = alertsettings.mail_settings(self._node)
            password = alertsettings.secret(self._node, alertsettings.MAIL_NOTE)
            self._node.mailer.send(letter(group, to), server, password)
        except LocalFailure as error:
            self._retries.failed(self._node, Channel.MAIL, group, error)
            self._node.store.raise_alarm(MAIL_FAILED, f"Alert mail can't be sent: {error.detail}")
            return False
        self._purse = self._purse.spent()
        self._retries.worked()
        self._finish(group, "done")
        self._node.store.clear_alarm(MAIL_FAILED)
        log.info("mail sent", events=len(group), first=group[0].id, kind=group[0].kind)
        return True

    def _finish(self, events: Sequence[EventRecord], state: str) -> None:
        self._node.store.finish_deliveries([each.id for each in events], Channel.MAIL, state)
