"""The durable outbox of events: the custom script at most once, the mail until the mail server has taken it.

A delivery is claimed in the node store before it begins. A script whose monitor was killed in the middle is not run
again: nobody can know how far it came. A mail is sent again instead: twice is better than never.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from app.core.errors import LocalFailure
from app.core.events import EventKind
from app.ports import EventRecord, Node, ScriptResult
from jobs.monitor.board import Board
from jobs.monitor.duty import LOOK_AGAIN_S
from jobs.monitor.letters import letter

log = structlog.get_logger(__name__)

SCRIPT = "script"
MAIL = "mail"
SCRIPT_TIMEOUT_S = 90.0
SCRIPT_ALARM = "script-failed"
MAIL_ALARM = "mail-failed"
OUTPUT_KEPT = 4000
"""Characters of a script's output that are kept with the event."""
MAIL_FIRST_PAUSE_S = 5.0
MAIL_LONGEST_PAUSE_S = 300.0
MAIL_GIVEN_UP_AFTER = timedelta(hours=24)
INTERRUPTED_LOOKED_AT = 500
"""How many of the last events are looked through, at the start, for deliveries that a killed monitor left claimed."""
KINDS_WITH_SCRIPT = frozenset(kind.value for kind in EventKind)


def end_interrupted(node: Node) -> None:
    """No delivery is left claimed by a monitor that is gone: mails wait again, scripts count as failed."""
    for event in node.store.events(limit=INTERRUPTED_LOOKED_AT):
        if _state(event, SCRIPT) == "claimed":
            node.store.finish_delivery(event.id, SCRIPT, "failed", "The monitor ended while the script ran.")
        if _state(event, MAIL) == "claimed":
            node.store.finish_delivery(event.id, MAIL, "pending", "The monitor ended while the mail was sent.")


def _state(event: EventRecord, channel: str) -> str:
    return str(event.deliveries.get(channel, {}).get("state", ""))


class ScriptDuty:
    """Runs the administrator's script for each event, one after the other."""

    name = "scripts"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board

    def step(self) -> float:
        event = self._node.store.claim_delivery(SCRIPT)
        if event is None:
            return LOOK_AGAIN_S
        state, detail = self._run(event)
        self._node.store.finish_delivery(event.id, SCRIPT, state, detail)
        return 0.0

    def close(self) -> None:
        """A script under way is left to its end; its event stays claimed until the next start."""

    def _run(self, event: EventRecord) -> tuple[str, str]:
        """How the delivery ended, and what is to be kept of it."""
        script = str(self._board.read().situation.applied.get("HAAdminAlertScript") or "")
        if not script.strip() or event.kind not in KINDS_WITH_SCRIPT:
            return "skipped", ""
        log.info("custom script begins", event_id=event.id, kind=event.kind)
        try:
            result = self._node.scripts.run(script, event.parameters, self._variables(event), SCRIPT_TIMEOUT_S)
        except LocalFailure as error:
            self._node.store.raise_alarm(SCRIPT_ALARM, f"The custom script could not be run: {error.detail}")
            return "failed", str(error)
        ended = _ended(result)
        log.info("custom script ended", event_id=event.id, kind=event.kind, ended=ended)
        if result.exit_code == 0:
            self._node.store.clear_alarm(SCRIPT_ALARM)
            return "done", f"{ended}\n{result.output[-OUTPUT_KEPT:]}".strip()
        self._node.store.raise_alarm(SCRIPT_ALARM, f"The custom script failed for {event.kind}: {ended}.")
        return "failed", f"{ended}\n{result.output[-OUTPUT_KEPT:]}".strip()

    def _variables(self, event: EventRecord) -> dict[str, str]:
        """What the script finds in its environment beside the parameters."""
        situation = self._board.read().situation
        return {
            "HA_EVENT": event.kind,
            "HA_EVENT_ID": str(event.id),
            "HA_EVENT_KEY": event.key,
            "HA_EVENT_TIME": event.at.isoformat(),
            "HA_NODE": situation.hostname,
            "HA_ROLE": situation.state.role.value,
            "HA_TERM": str(situation.state.term),
            "HA_PEER": "" if situation.state.peer is None else situation.state.peer.hostname,
            "HA_DETAIL": event.detail,
        }


def _ended(result: ScriptResult) -> str:
    if result.exit_code is None:
        return f"ended after {result.duration_s:.1f} s because it took too long"
    return f"exit code {result.exit_code} after {result.duration_s:.1f} s"


class MailDuty:
    """Sends a mail for each event, oldest first; a mail server that is down delays them, bounded."""

    name = "mails"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._pause_s = MAIL_FIRST_PAUSE_S
        self._not_before_s = 0.0

    def step(self) -> float:
        wait_s = self._not_before_s - self._node.clock.monotonic()
        if wait_s > 0:
            return min(wait_s, LOOK_AGAIN_S)
        event = self._node.store.claim_delivery(MAIL)
        if event is None:
            return LOOK_AGAIN_S
        state, detail = self._send(event)
        self._node.store.finish_delivery(event.id, MAIL, state, detail)
        return 0.0

    def close(self) -> None:
        """Each mail has a connection of its own."""

    def _send(self, event: EventRecord) -> tuple[str, str]:
        """How the delivery ended, or `pending` where it is to be tried again."""
        to = str(self._board.read().situation.applied.get("HAAlertEmail") or "").strip()
        if not to:
            return "skipped", ""
        try:
            self._node.mailer.send(letter(event, to))
        except LocalFailure as error:
            return self._failed(event, error)
        self._pause_s = MAIL_FIRST_PAUSE_S
        self._node.store.clear_alarm(MAIL_ALARM)
        log.info("mail sent", event_id=event.id, kind=event.kind)
        return "done", ""

    def _failed(self, event: EventRecord, error: LocalFailure) -> tuple[str, str]:
        self._not_before_s = self._node.clock.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, MAIL_LONGEST_PAUSE_S)
        self._node.store.raise_alarm(MAIL_ALARM, f"Alert mail can't be sent: {error.detail}")
        given_up = self._node.clock.now() - event.at > MAIL_GIVEN_UP_AFTER
        log.warning("mail not sent", event_id=event.id, kind=event.kind, error=str(error), given_up=given_up)
        return "failed" if given_up else "pending", str(error)
