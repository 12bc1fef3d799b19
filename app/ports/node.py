"""All parts of one node together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.ports.activity import CommonLog
from app.ports.addresses import Addresses
from app.ports.alerts import Mailer, ScriptChecker, SystemLog, Webhook
from app.ports.certificate import ConsoleCertificate
from app.ports.common import Clock, Pinger
from app.ports.database import Database
from app.ports.files import Mirror, Rescues
from app.ports.machine import Machine, Queue, ScriptRunner
from app.ports.peer import Keys, Pairing, Peer
from app.ports.store import NodeStore


@dataclass(frozen=True)
class Node:
    """All parts of one node, as `app.wiring` put them together. Jobs, monitor and API get this and nothing else."""

    settings: Any
    """app.settings.Settings"""
    clock: Clock
    store: NodeStore
    common_log: CommonLog
    database: Database
    peer: Peer
    pairing: Pairing
    keys: Keys
    certificate: ConsoleCertificate
    mirror: Mirror
    rescues: Rescues
    machine: Machine
    queue: Queue
    pinger: Pinger
    mailer: Mailer
    scripts: ScriptRunner
    addresses: Addresses
    script_checker: ScriptChecker
    webhook: Webhook
    system_log: SystemLog
