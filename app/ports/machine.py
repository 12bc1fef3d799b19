"""This server, its services, and those it sends things to: queue, mail, scripts, a witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.virtual_address import Interface
from app.ports.common import Json


@dataclass(frozen=True)
class MachineFacts:
    hostname: str
    addresses: tuple[str, ...]
    gateway: str | None
    cpus: int
    memory_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    version: str
    """hapair's own."""
    interfaces: tuple[Interface, ...] = ()
    """Those that are up and have addresses that others can reach."""


class Machine(Protocol):
    """This server: its identity, its services, and the files that its processes tell each other things with."""

    def facts(self) -> MachineFacts: ...
    def hostname(self) -> str:
        """The same as in the facts, without the time that they take."""
        ...

    def service(self, action: str, name: str, timeout_s: float = 60.0) -> None:
        """`start`, `stop`, `restart`, `reload` (nginx only) or `kill` (at once, like a crash) one of: mariadb, redis,
        nginx, peer-sshd, api, worker, monitor."""
        ...

    def can_connect(self, host: str, port: int, timeout_s: float) -> bool:
        """Whether someone accepts TCP connections there. Never raises."""
        ...

    def publish(self, name: str, document: Json) -> None:
        """The document replaces the one of that name in the run folder, atomically; gone after a reboot."""
        ...

    def published(self, name: str) -> tuple[Json, float] | None:
        """The document and its age in seconds (monotonic where it matters), None where there is none."""
        ...


class Queue(Protocol):
    """Transport of jobs to the worker; the journal in the node store is the truth."""

    def enqueue(self, job_id: str) -> None:
        """Raises LocalFailure (code `queue-down`)."""
        ...


@dataclass(frozen=True)
class ScriptResult:
    exit_code: int | None
    """None where it was ended for taking too long."""
    output: str
    duration_s: float


class ScriptRunner(Protocol):
    def run(
        self, script: str, parameters: Sequence[str], environment: Mapping[str, str], timeout_s: float
    ) -> ScriptResult:
        """The custom script, by bash as root, in its own process group and working folder, with a clean environment."""
        ...


class Witness(Protocol):
    """A third party's lease; there is none yet."""

    def acquire(self, pair_id: str, node_id: str, term: int) -> bool: ...
