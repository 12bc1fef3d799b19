"""A server whose facts the test sets and whose services only note what they were told."""

from __future__ import annotations

import json

from app.core.errors import LocalFailure
from app.ports import Clock, Json, MachineFacts

FACTS = MachineFacts(
    hostname="alpha",
    addresses=("10.0.0.1",),
    gateway="10.0.0.254",
    cpus=2,
    memory_bytes=4 << 30,
    disk_bytes=100 << 30,
    disk_free_bytes=50 << 30,
    version="0.1.0",
)
SERVICES = ("mariadb", "redis", "nginx", "peer-sshd", "api", "worker", "monitor", "watchdog")


class FakeMachine:
    """Documents live in memory and age by the clock that was handed in."""

    def __init__(self, clock: Clock, facts: MachineFacts = FACTS) -> None:
        self._clock = clock
        self.current = facts
        self.commands: list[tuple[str, str]] = []
        self.failing_services: set[str] = set()
        self.open_ports: set[tuple[str, int]] = set()
        self._documents: dict[str, tuple[str, float]] = {}

    def facts(self) -> MachineFacts:
        return self.current

    def hostname(self) -> str:
        return self.current.hostname

    def service(self, action: str, name: str, timeout_s: float = 60.0) -> None:
        if action not in ("start", "stop", "restart", "reload", "kill") or name not in SERVICES:
            raise LocalFailure("service-unknown", "Unknown Service", detail=f"{action} {name}")
        self.commands.append((action, name))
        if name in self.failing_services:
            raise LocalFailure("service-failed", "A Service Did Not Obey", detail=f"{action} of {name}")

    def can_connect(self, host: str, port: int, timeout_s: float) -> bool:
        return (host, port) in self.open_ports

    def publish(self, name: str, document: Json) -> None:
        self._documents[name] = (json.dumps(document, default=str), self._clock.monotonic())

    def published(self, name: str) -> tuple[Json, float] | None:
        if name not in self._documents:
            return None
        content, published_at = self._documents[name]
        return json.loads(content), self._clock.monotonic() - published_at

    def forget(self, name: str) -> None:
        """The document is gone, as after a boot."""
        self._documents.pop(name, None)
