"""Reading who this node is: the node store at each tick, what changes rarely at most every so often."""

from __future__ import annotations

from dataclasses import replace

from app.core.facts import Alarm
from app.core.pairconfig import pair_config
from app.ports import MachineFacts, Node
from jobs.monitor.board import Situation

CONFIG_KEPT_S = 0.5
"""Configuration, alarms and the running job are read again after this time, and after each act."""
MACHINE_KEPT_S = 30.0
MACHINE_KEPT_WITHOUT_GATEWAY_S = 2.0
"""A server whose network is not up yet is looked at more often."""


class SituationReader:
    """Keeps what it has read for a short time, so that a tick costs little."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._kept: Situation | None = None
        self._config_s = 0.0
        self._machine: MachineFacts | None = None
        self._machine_s = 0.0

    def forget(self) -> None:
        """The next reading reads everything of the node store."""
        self._kept = None

    def read(self, now_s: float) -> Situation:
        """The situation now. Raises LocalFailure where the node store can't be read."""
        state = self._node.store.state()
        kept = self._kept
        if kept is not None and now_s - self._config_s < CONFIG_KEPT_S:
            return kept if kept.state == state else replace(kept, state=state)
        record = self._node.store.config()
        machine = self._read_machine(now_s)
        alarms = {each.code: Alarm(each.code, each.text, each.raised_at) for each in self._node.store.alarms()}
        self._config_s = now_s
        self._kept = Situation(
            state=state,
            applied=record.applied,
            config=pair_config(record.applied),
            alarms=alarms,
            hostname=machine.hostname,
            gateway=machine.gateway,
            version=machine.version,
            job_running=self._node.store.active_job() is not None,
        )
        return self._kept

    def _read_machine(self, now_s: float) -> MachineFacts:
        known = self._machine
        kept_s = MACHINE_KEPT_S if known is not None and known.gateway else MACHINE_KEPT_WITHOUT_GATEWAY_S
        if known is None or now_s - self._machine_s >= kept_s:
            known = self._machine = self._node.machine.facts()
            self._machine_s = now_s
        return known
