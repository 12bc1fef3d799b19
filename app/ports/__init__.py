"""The walls of the house: what the rest of hapair may ask of the world, and in which words.

Each Protocol has one real adapter in `app/adapters` and one fake in `tests/fakes`, and both pass the
same tests in `tests/contract`. Adapters raise the errors of `app.core.errors` and nothing else.
Times are aware UTC datetimes, durations seconds, sizes bytes.
"""

from app.ports.activity import CommonLog
from app.ports.addresses import Addresses
from app.ports.alerts import AlertTest, Mail, Mailer, ScriptChecker, SystemLog, Webhook, WebhookCall
from app.ports.certificate import ConsoleCertificate
from app.ports.common import Clock, Json, Pinger, Progress
from app.ports.database import REPLICATION_SECRET, REPLICATION_USER, Database, ReplicationSource, RescueReport
from app.ports.files import BatchReport, Mirror, Rescues
from app.ports.machine import Machine, MachineFacts, Queue, ScriptResult, ScriptRunner, Witness
from app.ports.node import Node
from app.ports.peer import Keys, OwnIdentity, Pairing, PairingKey, PairingListener, Peer
from app.ports.store import (
    Actor,
    AlarmRecord,
    ConfigRecord,
    EventRecord,
    JobRecord,
    NodeStore,
    StepRecord,
)

__all__ = [
    "REPLICATION_SECRET",
    "REPLICATION_USER",
    "Actor",
    "Addresses",
    "AlarmRecord",
    "AlertTest",
    "BatchReport",
    "Clock",
    "CommonLog",
    "ConfigRecord",
    "ConsoleCertificate",
    "Database",
    "EventRecord",
    "JobRecord",
    "Json",
    "Keys",
    "Machine",
    "MachineFacts",
    "Mail",
    "Mailer",
    "Mirror",
    "Node",
    "NodeStore",
    "OwnIdentity",
    "Pairing",
    "PairingKey",
    "PairingListener",
    "Peer",
    "Pinger",
    "Progress",
    "Queue",
    "ReplicationSource",
    "RescueReport",
    "Rescues",
    "ScriptChecker",
    "ScriptResult",
    "ScriptRunner",
    "StepRecord",
    "SystemLog",
    "Webhook",
    "WebhookCall",
    "Witness",
]
