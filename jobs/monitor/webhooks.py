"""A call of the webhook for each event, in their order; a receiver that is down delays them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import structlog

from app.core.errors import LocalFailure
from app.core.notices import ALARM_CLEARED, ALARM_RAISED, WEBHOOK_FAILED, Channel, notice
from app.ports import EventRecord, Json, Node, WebhookCall
from jobs import alertsettings
from jobs.monitor.board import Board
from jobs.monitor.duty import LOOK_AGAIN_S
from jobs.monitor.letters import words
from jobs.monitor.outbox import Retries

log = structlog.get_logger(__name__)

CALLS_AT_ONCE = 50
"""Claimed together; each is posted by itself."""


class WebhookDuty:
    """Posts what waits."""

    name = "webhook"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._retries = Retries(node.clock)

    def step(self) -> float:
        wait_s = self._retries.wait_s()
        if wait_s > 0:
            return min(wait_s, LOOK_AGAIN_S)
        waiting = self._node.store.claim_deliveries(Channel.WEBHOOK, CALLS_AT_ONCE)
        if not waiting:
            return LOOK_AGAIN_S
        if alertsettings.webhook_settings(self._node) is None:
            self._finish(waiting, "skipped")
            self._node.store.clear_alarm(WEBHOOK_FAILED)
            return 0.0
        for number, event in enumerate(waiting):
            if not self._post(event):
                self._finish(waiting[number + 1 :], "pending")
                break
        return 0.0

    def close(self) -> None:
        """Each call has a connection of its own."""

    def _post(self, event: EventRecord) -> bool:
        """Whether the receiver has taken the event."""
        node_id = self._board.read().situation.state.node_id
        try:
            answer = post(self._node, f"{node_id}:{event.id}", body(event, node_id))
        except LocalFailure as error:
            self._retries.failed(self._node, Channel.WEBHOOK, [event], error)
            self._node.store.raise_alarm(WEBHOOK_FAILED, f"Events can't be posted to the webhook: {error.detail}")
            return False
        self._retries.worked()
        self._finish([event], "done", answer)
        self._node.store.clear_alarm(WEBHOOK_FAILED)
        return True

    def _finish(self, events: Sequence[EventRecord], state: str, detail: str = "") -> None:
        self._node.store.finish_deliveries([each.id for each in events], Channel.WEBHOOK, state, detail)


def post(node: Node, identity: str, document: Json) -> str:
    """The receiver has taken the document; what it answered. Raises LocalFailure."""
    target = alertsettings.webhook_settings(node)
    if target is None:
        raise LocalFailure(
            "no-webhook", "There Is No Webhook", detail="Nothing is saved.", hint="Save the webhook's address first."
        )
    secret = alertsettings.secret(node, alertsettings.WEBHOOK_NOTE)
    call = WebhookCall(identity, json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"), node.clock.now())
    return node.webhook.post(call, target, secret)


def body(event: EventRecord, node_id: str) -> Json:
    """What is posted for an event; docs/alerts.md describes it."""
    declared, told = notice(event.kind), words(event)
    about_alarm = event.kind in {ALARM_RAISED, ALARM_CLEARED}
    return {
        "id": f"{node_id}:{event.id}",
        "code": declared.code,
        "kind": event.kind,
        "severity": declared.severity.value,
        "alarm": event.parameters[1] if about_alarm and len(event.parameters) > 1 else None,
        "title": told.subject,
        "meaning": told.meaning,
        "advice": told.advice,
        "at": event.at.isoformat(),
        "node": event.node,
        "node_id": node_id,
        "parameters": list(event.parameters),
        "detail": event.detail,
    }
