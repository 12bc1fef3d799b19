"""One node with fake parts, and an other server that says of itself what the test wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.core.pilot import Decision
from app.core.roles import Role
from app.core.state import NodeState, PeerIdentity, Phase
from app.ports import Json, Node
from app.settings import Settings
from jobs.monitor.acts import Hands
from jobs.monitor.board import Board
from jobs.monitor.database import DatabaseDuty, WriteProbeDuty
from jobs.monitor.heartbeat import HeartbeatDuty
from jobs.monitor.loop import Loop
from jobs.monitor.peerprobe import PeerProbeDuty
from jobs.monitor.pings import PingDuty
from jobs.monitor.services import ServiceDuty
from jobs.monitor.situation import SituationReader
from tests.fakes.activity import FakeCommonLog
from tests.fakes.addresses import FakeAddresses
from tests.fakes.alerts import FakeScriptChecker, FakeSystemLog, FakeWebhook
from tests.fakes.certificate import FakeCertificate
from tests.fakes.clock import FakeClock
from tests.fakes.database import FakeDatabase, FakeNetwork
from tests.fakes.keys import FakeKeys
from tests.fakes.machine import FACTS, FakeMachine
from tests.fakes.mailer import FakeMailer
from tests.fakes.mirror import FakeMirror
from tests.fakes.pairing import FakePairing, FakePairingNetwork
from tests.fakes.peer import FakePeer
from tests.fakes.pinger import FakePinger
from tests.fakes.queue import FakeQueue
from tests.fakes.rescues import FakeRescues
from tests.fakes.scripts import FakeScripts
from tests.fakes.store import FakeNodeStore

PEER = PeerIdentity("node-b", "beta", "10.0.0.2", "ssh-ed25519 AAAA", "ssh-ed25519 BBBB", "PEM")
GATEWAY = "10.0.0.254"
APPLIED: Json = {"HAPingInterval": 1, "HAPingIterations": 3, "HAAlertEmail": "ops@example.org"}
STEP_S = 0.25
SETTLE_S = 30.0


def report(**changes: Any) -> Json:
    """A healthy secondary's heartbeat reply, but for the changes."""
    healthy: Json = {
        "node_id": "node-b",
        "hostname": "beta",
        "role": "secondary",
        "term": 1,
        "phase": "paired",
        "writable": False,
        "fence": None,
        "standby_out": False,
        "eligible": True,
        "position": "",
        "received_position": "",
        "semi_sync_active": False,
        "database_ok": True,
        "database_failing_s": 0.0,
        "monitor_age_s": 0.1,
    }
    return {**healthy, **changes}


class World:
    """The node under test is alpha (10.0.0.1), the other server beta (10.0.0.2)."""

    def __init__(self, role: Role = Role.STANDALONE, **state: Any) -> None:
        self.clock = FakeClock()
        self.store = FakeNodeStore(now=self.clock.now)
        self.databases = FakeNetwork()
        self.database = FakeDatabase("alpha", server_id=1, network=self.databases, host="10.0.0.1", clock=self.clock)
        self.other = FakeDatabase("beta", server_id=2, network=self.databases, host="10.0.0.2", clock=self.clock)
        self.peer = FakePeer({"heartbeat": lambda _body: self.report, "announce": lambda _body: {}})
        self.report = report()
        self.pinger = FakePinger({GATEWAY: 0.2, "10.0.0.2": 0.4})
        self.machine = FakeMachine(self.clock, FACTS)
        self.mailer, self.scripts, self.mirror = FakeMailer(), FakeScripts(), FakeMirror()
        self.webhook, self.system_log = FakeWebhook(), FakeSystemLog()
        self.rescues = FakeRescues()
        self.certificate = FakeCertificate(self.clock)
        self.queue = FakeQueue()
        self.addresses = FakeAddresses()
        self.common_log = FakeCommonLog()
        self.listeners = FakePairingNetwork()
        self.node = Node(
            settings=Settings(),
            clock=self.clock,
            store=self.store,
            common_log=self.common_log,
            database=self.database,
            peer=self.peer,
            pairing=FakePairing(self.listeners),
            keys=FakeKeys(),
            certificate=self.certificate,
            mirror=self.mirror,
            rescues=self.rescues,
            machine=self.machine,
            queue=self.queue,
            pinger=self.pinger,
            mailer=self.mailer,
            scripts=self.scripts,
            script_checker=FakeScriptChecker(),
            webhook=self.webhook,
            system_log=self.system_log,
            addresses=self.addresses,
        )
        if role is not Role.STANDALONE:
            paired: Json = {"role": role, "term": 1, "phase": Phase.PAIRED, "peer": PEER, "pair_id": "p" * 32}
            self.store.change_state(lambda before: replace(before, **{**paired, **state}))
            self.store.save_applied({**APPLIED, "HAServerRole": role.value})
        self._assemble()

    def _assemble(self) -> None:
        reader = SituationReader(self.node)
        self.board = Board(reader.read(self.clock.monotonic()))
        self.pings = PingDuty(self.node, self.board)
        self.heartbeat = HeartbeatDuty(self.node, self.board)
        self.looks = DatabaseDuty(self.node, self.board)
        self.writes = WriteProbeDuty(self.node, self.board)
        self.peer_probe = PeerProbeDuty(self.node, self.board)
        self.services = ServiceDuty(self.node, self.board)
        self.hands = Hands(self.node, self.pings.ask_others, self.services.restart_database, lambda: None)
        self.loop = Loop(self.node, self.board, reader, self.hands, self.looks.look_now)
        self.decisions: list[Decision] = []

    @property
    def state(self) -> NodeState:
        return self.store.state()

    def tick(self) -> None:
        """Every observer steps once, then the loop; acts that were begun are waited for."""
        if self.database.source is not None and not self.database.network.find("alpha", "10.0.0.2", 3306):
            self.database.receiving = False
        elif self.database.source is not None:
            self.database.heartbeats += 1
        for duty in (self.pings, self.heartbeat, self.looks, self.writes, self.peer_probe, self.services):
            duty.step()
        decision = self.loop.tick()
        if decision is not None:
            self.decisions.append(decision)
        assert self.loop.settle(SETTLE_S), "an act did not end"

    def run(self, seconds: float) -> None:
        """The world goes on for that long."""
        for _ in range(round(seconds / STEP_S)):
            self.tick()
            self.clock.advance(STEP_S)

    def lose_peer(self) -> None:
        """As a power cut of the other server."""
        self.peer.reachable = False
        self.pinger.answering.pop("10.0.0.2", None)
        self.databases.cut("alpha", "beta")
        self.other.stop()

    def snapshot(self) -> Json:
        """What the monitor published last."""
        published = self.machine.published("monitor")
        assert published is not None, "nothing was published"
        return published[0]

    def event_kinds(self) -> list[str]:
        """The outbox, oldest first."""
        return [event.kind for event in reversed(self.store.events())]

    def rules(self) -> list[str]:
        """Every act that was decided, as `Act:rule`."""
        return [f"{type(act).__name__}:{act.rule}" for each in self.decisions for act in each.acts]
