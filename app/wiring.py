"""The one place where adapters are chosen: settings in, a whole node out."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.adapters.activity import SqlCommonLog
from app.adapters.addresses import NetlinkAddresses
from app.adapters.certificate import CertificateService, FileCertificate, RemoteCertificate
from app.adapters.clock import SystemClock
from app.adapters.keys import FileKeys
from app.adapters.machine import LinuxMachine
from app.adapters.mailer import SmtpMailer
from app.adapters.mariadb import MariaDB
from app.adapters.mirror import RsyncMirror
from app.adapters.peer.client import SshPeer
from app.adapters.peer.pairing import SshPairing
from app.adapters.pinger import IcmpPinger
from app.adapters.queue import RedisQueue
from app.adapters.rescues import FolderRescues, RemoteRescues, RescueService
from app.adapters.scriptcheck import ShellChecks
from app.adapters.scripts import BashScripts
from app.adapters.store import SqliteNodeStore
from app.adapters.store.access import SqliteAccess
from app.adapters.systemlog import SyslogLines
from app.adapters.throttle import RedisThrottle
from app.adapters.webhook import HttpWebhook
from app.core.state import PeerIdentity
from app.ports import (
    REPLICATION_SECRET,
    REPLICATION_USER,
    ConsoleCertificate,
    Keys,
    Node,
    NodeStore,
    ReplicationSource,
    Rescues,
)
from app.ports.access import Access, Accounts, Throttle
from app.settings import Settings, read_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def build_node(settings: Settings | None = None) -> Node:
    """A node with its real parts. Nothing connects here: each part does when it is first asked."""
    settings = settings or read_settings()
    clock = SystemClock()
    store = SqliteNodeStore(settings.node_store, clock)
    keys = FileKeys(settings)
    machine = LinuxMachine(settings)

    def peer_identity() -> PeerIdentity | None:
        return store.state().peer

    return Node(
        settings=settings,
        clock=clock,
        store=store,
        common_log=SqlCommonLog(settings.appliance_url),
        database=MariaDB(
            socket=settings.database_socket,
            data_dir=settings.database_dir,
            account=settings.database_account,
            node=machine.facts().hostname,
            source=lambda: replication_source(store, keys, settings),
        ),
        peer=SshPeer(settings, peer_identity),
        pairing=SshPairing(settings),
        keys=keys,
        certificate=_certificate(settings, machine, clock),
        mirror=RsyncMirror(settings, peer_identity),
        rescues=_rescues(settings),
        machine=machine,
        queue=RedisQueue(settings.redis_url),
        pinger=IcmpPinger(),
        mailer=SmtpMailer(),
        scripts=BashScripts(),
        addresses=NetlinkAddresses(),
        script_checker=ShellChecks(),
        webhook=HttpWebhook(),
        system_log=SyslogLines(),
    )


def _rescues(settings: Settings) -> Rescues:
    """Root looks into the folders; the API, which may not, asks root's service."""
    return FolderRescues(settings) if os.geteuid() == 0 else RemoteRescues(settings.run_dir)


def _certificate(settings: Settings, machine: LinuxMachine, clock: SystemClock) -> ConsoleCertificate:
    """Root has the files; the API, which may not read the key, asks root's service."""
    return FileCertificate(settings, machine, clock) if os.geteuid() == 0 else RemoteCertificate(settings.run_dir)


def build_certificate_service(settings: Settings) -> CertificateService:
    """What replaces the console's certificate for the API; lives in a process of root's."""
    return CertificateService(FileCertificate(settings, LinuxMachine(settings), SystemClock()), settings.run_dir)


def build_rescue_service(settings: Settings) -> RescueService:
    """What gives the rescues to the API; lives in a process of root's."""
    return RescueService(FolderRescues(settings), settings.run_dir)


def build_access(settings: Settings) -> Access:
    """What lets people in on this node."""
    return SqliteAccess(settings.node_store, SystemClock())


def build_throttle(settings: Settings, access: Access) -> Throttle:
    """What slows down wrong log-ins: Redis, and while it is down the node store."""
    return RedisThrottle(settings.redis_url, SystemClock(), access)


def build_accounts(sessions: Callable[[], Session]) -> Accounts:
    """The administrators, in the appliance database that `sessions` opens.

    They are loaded here because only the API needs them, and the peer's requests must not wait for them.
    """
    from app.adapters.accounts import SqlAccounts

    return SqlAccounts(sessions, SystemClock())


def replication_source(store: NodeStore, keys: Keys, settings: Settings) -> ReplicationSource | None:
    """The peer's database as this node replicates from it; None without a peer or its password."""
    peer = store.state().peer
    password = keys.secret(REPLICATION_SECRET)
    if peer is None or password is None:
        return None
    return ReplicationSource(
        peer.address, settings.database_port, REPLICATION_USER, password, authority=keys.peer_authority()
    )
