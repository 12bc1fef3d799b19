"""Trials that an administrator asks for: a test mail, a test call of the webhook, a test run of the custom script.

The API, which has no rights, leaves them in the node store; root's monitor makes them with what events would use.
They run beside the real deliveries, so that neither waits for the other.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from app.core import events
from app.core.errors import LocalFailure
from app.core.events import EventKind
from app.core.notices import Channel
from app.ports import AlertTest, Json, Node
from jobs import alertsettings
from jobs.monitor.board import Board
from jobs.monitor.letters import trial_letter
from jobs.monitor.scripts import SCRIPT_TIMEOUT_S, outcome, variables
from jobs.monitor.webhooks import post

log = structlog.get_logger(__name__)

LOOK_S = 0.5
NO_PEER = "peer.example"
"""Stands for the other server where there is none yet."""


class TrialDuty:
    """Makes one trial after the other."""

    name = "trials"

    def __init__(self, node: Node, board: Board) -> None:
        self._node = node
        self._board = board
        self._table: dict[str, Callable[[AlertTest], tuple[str, Json]]] = {
            Channel.MAIL.value: self._mail,
            Channel.WEBHOOK.value: self._webhook,
            Channel.SCRIPT.value: self._script,
        }

    def step(self) -> float:
        test = self._node.store.claim_alert_test()
        if test is None:
            return LOOK_S
        try:
            state, result = self._table[test.channel](test)
        except LocalFailure as error:
            state, result = "failed", {"detail": str(error), "hint": error.hint}
        self._node.store.finish_alert_test(test.id, state, result)
        log.info("trial made", channel=test.channel, actor=test.actor, state=state)
        return 0.0

    def close(self) -> None:
        """A trial under way counts as failed at the next start."""

    def _mail(self, test: AlertTest) -> tuple[str, Json]:
        to = str(test.arguments["to"])
        server = alertsettings.mail_settings(self._node)
        password = alertsettings.secret(self._node, alertsettings.MAIL_NOTE)
        hostname = self._board.read().situation.hostname
        self._node.mailer.send(trial_letter(hostname, to, self._node.clock.now()), server, password)
        return "done", {"detail": f"{server.host}:{server.port} has taken the mail to {to}."}

    def _webhook(self, test: AlertTest) -> tuple[str, Json]:
        situation = self._board.read().situation
        identity = f"{situation.state.node_id}:test:{test.id}"
        document: Json = {
            "id": identity,
            "code": "HA0001",
            "kind": "Test",
            "severity": "info",
            "title": f"Test call from {situation.hostname}",
            "at": self._node.clock.now().isoformat(),
            "node": situation.hostname,
            "node_id": situation.state.node_id,
            "parameters": ["Test"],
        }
        return "done", {"detail": f"The receiver has taken it: {post(self._node, identity, document)}."}

    def _script(self, test: AlertTest) -> tuple[str, Json]:
        situation = self._board.read().situation
        kind = EventKind(test.arguments["event"])
        peer = NO_PEER if situation.state.peer is None else situation.state.peer.hostname
        now = self._node.clock.now()
        environment = {
            "HA_TEST": "1",
            "HA_EVENT_ID": "0",
            "HA_EVENT_KEY": f"test:{test.id}",
            "HA_EVENT_TIME": now.isoformat(),
            "HA_DETAIL": "This is a test run.",
            **variables(self._board, kind.value),
        }
        parameters = events.sample(kind, situation.hostname, peer, now).parameters
        result = self._node.scripts.run(str(test.arguments["script"]), parameters, environment, SCRIPT_TIMEOUT_S)
        state = "done" if result.exit_code == 0 else "failed"
        return state, {**outcome(result), "parameters": list(parameters)}
