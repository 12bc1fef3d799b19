"""A line in the system's log for each event, with its stable code, for whatever watches that log."""

from __future__ import annotations

from app.core.errors import LocalFailure
from app.core.notices import Channel, notice
from app.ports import EventRecord, Node
from jobs.monitor.duty import LOOK_AGAIN_S
from jobs.monitor.letters import words
from jobs.monitor.outbox import Retries

LINES_AT_ONCE = 50


class LogDuty:
    """Writes what waits."""

    name = "loglines"

    def __init__(self, node: Node) -> None:
        self._node = node
        self._retries = Retries(node.clock)

    def step(self) -> float:
        wait_s = self._retries.wait_s()
        if wait_s > 0:
            return min(wait_s, LOOK_AGAIN_S)
        waiting = self._node.store.claim_deliveries(Channel.LOG, LINES_AT_ONCE)
        written: list[int] = []
        where = ""
        for number, event in enumerate(waiting):
            try:
                where = self._node.system_log.write(notice(event.kind).severity, line(event))
            except LocalFailure as error:
                self._retries.failed(self._node, Channel.LOG, waiting[number:], error)
                break
            written.append(event.id)
            self._retries.worked()
        if written:
            self._node.store.finish_deliveries(written, Channel.LOG, "done", where)
        return 0.0 if waiting else LOOK_AGAIN_S

    def close(self) -> None:
        """Nothing is held."""


def line(event: EventRecord) -> str:
    """`HA1001 Failover: …`; the code comes first and never changes."""
    detail = f" {event.detail}" if event.detail else ""
    return f"{notice(event.kind).code} {event.kind}: {words(event).subject}.{detail} [{' | '.join(event.parameters)}]"
