"""Reading who this node is: the node store at each tick, what changes rarely at most every so often."""

from __future__ import annotations

from dataclasses import replace

import structlog

from app.core.errors import LocalFailure
from app.core.facts import Alarm
from app.core.pairconfig import PairConfig, pair_config
from app.ports import MachineFacts, Node
from jobs.monitor.board import Situation

log = structlog.get_logger(__name__)

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
        self._held: tuple[str, ...] | None = None

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
        config = pair_config(record.applied)
        self._config_s = now_s
        self._held = self._read_held(config)
        self._kept = Situation(
            state=state,
            applied=record.applied,
            config=config,
            alarms=alarms,
            hostname=machine.hostname,
            gateway=machine.gateway,
            version=machine.version,
            job_running=self._node.store.active_job() is not None,
            held_addresses=self._held,
        )
        return self._kept

    def _read_held(self, config: PairConfig) -> tuple[str, ...] | None:
        """Asked only where the pair has a virtual address, or where one was seen here: most servers never ask."""
        if config.virtual_address is None and not self._held:
            return None
        try:
            return self._node.addresses.held()
        except LocalFailure as error:
            log.warning("the virtual address can't be looked at", error=str(error))
            return None

    def _read_machine(self, now_s: float) -> MachineFacts:
        known = self._machine
        kept_s = MACHINE_KEPT_S if known is not None and known.gateway else MACHINE_KEPT_WITHOUT_GATEWAY_S
        if known is None or now_s - self._machine_s >= kept_s:
            known = self._machine = self._node.machine.facts()
            self._machine_s = now_s
        return known
