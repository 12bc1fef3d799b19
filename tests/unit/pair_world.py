"""Two whole nodes out of fakes, joined as two servers are: their jobs and verbs are the real ones.

No monitor runs here; what it would publish is published by hand (`eligible`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from app.core import config as configuration
from app.core.errors import PeerUnreachable
from app.core.roles import Change, Role
from app.core.state import Phase
from app.ports import REPLICATION_SECRET, Actor, JobRecord, Json, MachineFacts, Node, ReplicationSource
from app.settings import Settings
from jobs import runner
from jobs.peer import pairing
from jobs.peer.noted import Handler, NotedActs
from jobs.peer.verbs import VERBS
from jobs.start import start_job
from tests.copies import copy_of
from tests.fakes.activity import FakeCommonLog
from tests.fakes.addresses import FakeAddresses
from tests.fakes.alerts import FakeScriptChecker, FakeSystemLog, FakeWebhook
from tests.fakes.certificate import FakeCertificate
from tests.fakes.clock import FakeClock
from tests.fakes.database import FakeDatabase, FakeNetwork
from tests.fakes.keys import FakeKeys
from tests.fakes.machine import FakeMachine
from tests.fakes.mailer import FakeMailer
from tests.fakes.mirror import FakeMirror
from tests.fakes.pairing import FakeListener, FakePairing, FakePairingNetwork
from tests.fakes.peer import FakePeer
from tests.fakes.pinger import FakePinger
from tests.fakes.queue import FakeQueue
from tests.fakes.rescues import FakeRescues
from tests.fakes.scripts import FakeScripts
from tests.fakes.store import FakeNodeStore

ADMIN = Actor("admin", "192.0.2.9")
ADDRESSES = {"alpha": "10.0.0.1", "beta": "10.0.0.2"}
REAL_YIELD_S = 0.0002
"""A sleeper lets other threads run, though its clock is not a real one."""


class Killed(BaseException):
    """The worker was ended at this point."""


class PoliteClock(FakeClock):
    """While somebody sleeps, what is due happens, and other threads run."""

    def __init__(self) -> None:
        super().__init__()
        self._due: list[tuple[float, Callable[[], object]]] = []

    def at(self, when_s: float, act: Callable[[], object]) -> None:
        """`act` happens in the first sleep that ends at that time or later."""
        self._due.append((when_s, act))

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        now_s = self.monotonic()
        due = [act for when_s, act in self._due if when_s <= now_s]
        self._due = [each for each in self._due if each[0] > now_s]
        for act in due:
            act()
        time.sleep(REAL_YIELD_S)


class ServiceMachine(FakeMachine):
    """Its database service starts and stops the fake database."""

    database: FakeDatabase

    def service(self, action: str, name: str, timeout_s: float = 60.0) -> None:
        super().service(action, name, timeout_s)
        if name == "mariadb":
            if action in ("stop", "restart"):
                self.database.stop()
            if action in ("start", "restart"):
                self.database.start()


class PairedMirror(FakeMirror):
    """Receives by the node's real state."""

    store: FakeNodeStore

    @property
    def term(self) -> int:
        return self.store.state().term

    @term.setter
    def term(self, value: int) -> None: ...

    @property
    def receives(self) -> bool:
        return self.store.state().role is Role.SECONDARY

    @receives.setter
    def receives(self, value: bool) -> None: ...


class WiredPeer(FakePeer):
    """Reaches the other node's real verbs while both know each other."""

    here: Server
    there: Server

    def request(self, verb: str, body: Json, timeout_s: float) -> Json:
        self._must_know_each_other()
        return super().request(verb, body, timeout_s)

    @contextmanager
    def open_seed(self, timeout_s: float) -> Iterator[Iterator[bytes]]:
        self._must_know_each_other()
        self.seed = copy_of(self.there.database)
        with super().open_seed(timeout_s) as chunks:
            yield chunks

    def _must_know_each_other(self) -> None:
        self.paired = self.here.keys.pinned is not None and self.here.store.state().peer is not None
        if self.paired and self.there.keys.pinned is None:
            raise PeerUnreachable("peer-unreachable", "The Other Server Does Not Know This One")


def carry_out(node: Node, verb: str, handler: Handler, body: Json) -> Json:
    """As a session of the peer channel, and the pairing listener, do it."""
    reply, write_down = NotedActs(node).carry_out(verb, handler, body)
    write_down()
    return reply


class Server:
    """One node and its parts."""

    def __init__(self, name: str, number: int, world: World) -> None:
        clock = world.clock
        self.name, self.address = name, ADDRESSES[name]
        self.store = FakeNodeStore(clock.now, name, f"node-{name}")
        self.keys = FakeKeys(name)
        self.database = FakeDatabase(
            name, server_id=number, network=world.network, host=self.address, clock=clock, remote_source=self._source
        )
        self.machine = ServiceMachine(clock, MachineFacts(
            name, (self.address,), "10.0.0.254", 2, 4 << 30, 100 << 30, 50 << 30, "0.1.0"
        ))  # fmt: skip
        self.machine.database = self.database
        self.machine.open_ports = {(address, port) for address in ADDRESSES.values() for port in (3306, 7722)}
        self.mirror = PairedMirror({f"{name}.txt": name.encode()})
        self.mirror.store = self.store
        self.peer = WiredPeer()
        self.queue = FakeQueue()
        self.addresses = FakeAddresses()
        self.node = Node(
            settings=Settings(), clock=clock, store=self.store, database=self.database, peer=self.peer,
            certificate=FakeCertificate(clock),
            pairing=FakePairing(world.pairings, self.address), keys=self.keys, mirror=self.mirror,
            common_log=FakeCommonLog(), rescues=FakeRescues(), machine=self.machine, queue=self.queue,
            pinger=FakePinger(), mailer=FakeMailer(), scripts=FakeScripts(), addresses=self.addresses,
            script_checker=FakeScriptChecker(), webhook=FakeWebhook(), system_log=FakeSystemLog(),
        )  # fmt: skip
        self.database.lift()

    def _source(self) -> ReplicationSource | None:
        peer, password = self.store.state().peer, self.keys.secret(REPLICATION_SECRET)
        return None if peer is None or password is None else ReplicationSource(peer.address, 3306, "r", password)

    def draft(self, role: Role, **changes: Any) -> None:
        """What an administrator saves: the configuration with that role."""
        other = next(address for name, address in ADDRESSES.items() if name != self.name)
        applied = configuration.complete(self.store.config().applied)
        pair = {} if role is Role.STANDALONE else {"HAServerAddress": self.address, "HAPeerAddress": other}
        self.store.save_draft({**applied, **pair, "HAServerRole": role.value, **changes}, None, ADMIN)

    def apply(self, kind: str, arguments: Json | None = None) -> JobRecord:
        """APPLY is pressed, and the worker runs the job to its end."""
        return self.work(start_job(self.node, kind, arguments or {}, ADMIN).id)

    def work(self, job_id: str) -> JobRecord:
        ended = runner.run(self.node, job_id)
        assert ended is not None
        return ended

    def be_seen_as(self, *, eligible: bool) -> None:
        """The monitor's snapshot says so."""
        self.machine.publish("monitor", {"report": {"eligible": eligible}})

    def look(self) -> Json:
        """All that a set-up, a swap or a teardown may change, so that two moments can be compared."""
        state = self.store.state()
        rows = {name: dict(table) for name, table in self.database.data.tables.items() if name.startswith("app.")}
        return {
            "role": state.role.value,
            "phase": state.phase.value,
            "paired with": None if state.peer is None else state.peer.node_id,
            "fence": None if state.fence is None else state.fence.reason.value,
            "operation": state.operation,
            "pinned": self.keys.pinned is not None,
            "writable": not self.database.down and not self.database.read_only,
            "replicates from": None if self.database.source is None else self.database.source.host,
            "rows": rows,
            "files": dict(self.mirror.files),
            "applied": configuration.complete(self.store.config().applied),
        }


class World:
    """Two standalone servers, each with some data of its own."""

    def __init__(self) -> None:
        self.clock = PoliteClock()
        self.network = FakeNetwork()
        self.pairings = FakePairingNetwork()
        self.alpha = Server("alpha", 1, self)
        self.beta = Server("beta", 2, self)
        for here, there in ((self.alpha, self.beta), (self.beta, self.alpha)):
            here.peer.here, here.peer.there = here, there
            here.peer.verbs = {verb: partial(carry_out, there.node, verb, handler) for verb, handler in VERBS.items()}
            here.mirror.peer = there.mirror
            here.database.ensure_accounts()
            here.database.open_client().write(10 if here is self.alpha else 20)
            here.be_seen_as(eligible=False)
        self.listener: FakeListener | None = None

    def save_drafts(self) -> None:
        """The manual's steps 1 to 13, and the listener that the secondary's monitor opens for its draft."""
        key = self.alpha.node.pairing.generate_pairing_key()
        self.alpha.store.save_pairing_key(key.fingerprint, self.alpha.keys.seal(key.private_key))
        self.alpha.draft(Role.PRIMARY, HAPeerFingerprint=key.fingerprint)
        self.beta.draft(Role.SECONDARY, HAPeerFingerprint=key.fingerprint)
        self.listen(key.fingerprint)

    def listen(self, fingerprint: str) -> None:
        if self.listener is not None:
            self.listener.stop()

        def answer(verb: str, body: Json) -> Json:
            return carry_out(self.beta.node, verb, lambda node, sent: pairing.answer(node, verb, sent), body)

        listener = self.beta.node.pairing.listen(fingerprint, answer, lambda _address, _reason: None)
        assert isinstance(listener, FakeListener)
        self.listener = listener

    def welcome(self) -> None:
        """What the secondary's monitor does with its listener: a pairing that was taken back may be repeated."""
        if self.listener is not None and self.listener.retired and self.beta.store.state().peer is None:
            self.listen(self.listener.fingerprint)

    def pair(self) -> None:
        """A pair with alpha as its primary, in sync as after the monitors' first ticks."""
        self.save_drafts()
        assert self.alpha.apply(Change.SETUP_PRIMARY).state == "succeeded"
        assert self.beta.apply(Change.SETUP_SECONDARY).state == "succeeded"
        self.settle()

    def settle(self) -> None:
        """What the monitors do once the secondary is in sync."""
        from app.core import moves

        self.network.settle()
        for server in (self.alpha, self.beta):
            state = server.store.state()
            if state.role is Role.PRIMARY and state.phase is Phase.PAIRED:
                server.database.set_semi_sync(enabled=True)
                server.store.change_state(moves.record_standby_back)
            server.be_seen_as(eligible=state.role is Role.SECONDARY)

    def cut(self) -> None:
        """The link between the two is gone, for every channel."""
        self.network.cut("alpha", "beta")
        for server in (self.alpha, self.beta):
            server.peer.reachable = server.mirror.reachable = False

    def heal(self) -> None:
        for server in (self.alpha, self.beta):
            server.peer.reachable = server.mirror.reachable = True
        self.network.heal()

    def look(self) -> Json:
        return {"alpha": self.alpha.look(), "beta": self.beta.look()}
