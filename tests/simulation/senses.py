"""What a node of the fake world is, and what it sees: its clocks, its pings and heartbeats, its probes.

`state`, `alarms`, `events`, `job`, `tree` and the database's log survive a crash; everything else is lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from app.core.acts import Promote
from app.core.exposure import probes_stay_here
from app.core.facts import (
    Alarm,
    DatabaseFacts,
    DatabaseReport,
    NetworkReport,
    Observation,
    PeerReport,
)
from app.core.pilot import Decision, PilotMemory
from app.core.roles import Role
from app.core.state import NodeState
from tests.simulation.database import Server
from tests.simulation.files import Tree
from tests.simulation.looks import database_facts, position
from tests.simulation.truth import Truth

if TYPE_CHECKING:
    from tests.simulation.swap import Swap
    from tests.simulation.teardown import Teardown
    from tests.simulation.world import World

REQUEST_TIMEOUT_S = 2.0
PING_TOOK_S = 0.005
PROBE_TIMEOUT_S = 2.0
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SeeingNode:
    """A server of the pair without the hands: nothing here decides or acts."""

    def __init__(self, name: str, world: World, state: NodeState, drift: float, wall_offset_s: float) -> None:
        self.name = name
        self.world = world
        self.state = state
        self.drift = drift
        self.wall_offset_s = wall_offset_s
        self.database = Server()
        self.tree = Tree()
        self.alarms: dict[str, Alarm] = {}
        self.alarms_raised: dict[str, int] = {}
        self.events: dict[str, tuple[str, ...]] = {}
        self.event_runs: list[str] = []
        self.job: str = ""
        """The durable job: `` or `rejoin`."""
        self.powered = True
        self.boots = 0
        self.paused = False
        self.apply_delay_s = 0.0
        self.disk_delay_s = 0.0
        self.answer_delay_s = 0.0
        """How long this node takes to answer a request of the other one."""
        self.teardown: Teardown | None = None
        self.forgotten = False
        """It has ended the pair and does not know the other node any more."""
        self.swap: Swap | None = None
        """The durable memory of a swap that was begun here."""
        self.worker_life = 0
        self.trip: tuple[str, int, float] | None = None
        """Crash in the act of that name, after so many of its steps, and boot after so long."""
        self.on_promote: list[tuple[Promote, Observation, bool]] = []
        self.truth = Truth()
        self.life = 0
        """Grows with every start of the monitor; what belongs to an older life is dropped."""
        self.forget()

    def forget(self) -> None:
        """A monitor that has just started knows nothing."""
        self.monitor_up = False
        self.memory = PilotMemory()
        self.decision: Decision | None = None
        self.busy = False
        self.planned_at = 0.0
        self.ticked_at: float | None = None
        self.peer_report: PeerReport | None = None
        self.heard_at: float | None = None
        self.called_at: float | None = None
        self.asked_at: float | None = None
        self.asking_since: float | None = None
        self.asking_id = 0
        self.missed = 0
        self.gateway: bool | None = None
        self.others_at: float | None = None
        self.rounds = 0
        self.facts: DatabaseFacts | None = None
        self.facts_at: float | None = None
        self.probe: tuple[int, float, str] | None = None
        """The write probe that is under way: its transaction, when it was begun, its position."""
        self.write_failing_since: float | None = None
        self.write_ok_started: float | None = None
        self.write_gtid = ""
        self.remote_probe: tuple[bool, float] | None = None

    def runs(self) -> bool:
        return self.powered and not self.paused

    def local(self, at: float) -> float:
        """The monotonic clock of this node."""
        return at * self.drift

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self.world.now + self.wall_offset_s)

    def age(self, at: float | None) -> float | None:
        return None if at is None else (self.world.now - at) * self.drift

    def takes_writes(self) -> bool:
        """Whether a client's write is accepted now."""
        database = self.database
        return self.runs() and database.up and not database.full and not database.read_only

    def serves_clients(self) -> bool:
        """Whether a client of the pair is served here; what a standalone server does is no business of the pair."""
        isolated = self.name in self.world.network.isolated
        return self.takes_writes() and not isolated and self.state.role is not Role.STANDALONE

    def alive(self, life: int) -> bool:
        return life == self.life and self.powered

    def heartbeats(self, life: int) -> None:
        if not self.alive(life):
            return
        world = self.world
        world.after(world.config.heartbeat_interval_s / self.drift, lambda: self.heartbeats(life))
        if self.paused:
            return
        if self.asking_since is not None and world.now - self.asking_since < REQUEST_TIMEOUT_S:
            return
        self.asking_since = world.now
        self.asking_id += 1
        request = self.asking_id
        if world.both_ways():
            world.after(world.delay(), lambda: self._asked(life, request))

    def _asked(self, life: int, request: int) -> None:
        """The request has arrived at the other node, which answers from its durable state."""
        peer, world = self.world.other(self.name), self.world
        if not peer.runs() or not world.both_ways() or peer.forgotten:
            return
        peer.called_at = world.now
        report = peer.report()
        world.after(peer.answer_delay_s + world.delay(), lambda: self._answered(life, request, report))
        if world.random.random() < 0.02:
            world.after(world.delay() + world.random.random(), lambda: self._answered(life, request, report))

    def _answered(self, life: int, request: int, report: PeerReport, *, waited: bool = False) -> None:
        if not self.alive(life) or request != self.asking_id or self.asking_since is None:
            return
        if self.paused:
            # It waits in the kernel: after the pause it looks like a new answer.
            self.world.after(0.05, lambda: self._answered(life, request, report, waited=True))
            return
        late = self.world.now - self.asking_since >= REQUEST_TIMEOUT_S or not self.world.both_ways()
        if late and not waited:
            return
        self.asked_at, self.asking_since = self.asking_since, None
        self.peer_report = report
        self.heard_at = self.world.now

    def report(self) -> PeerReport:
        """What this node says of itself: the durable part as it is now, the rest as of the monitor's last tick."""
        state, database, decision = self.state, self.database, self.decision
        failing = decision.database_failing_s if decision is not None else 0.0
        return PeerReport(
            node_id=self.name,
            hostname=self.name,
            role=state.role,
            term=state.term,
            phase=state.phase,
            writable=database.up and not database.read_only,
            fence=None if state.fence is None else state.fence.reason,
            standby_out=state.standby_out,
            eligible=decision.eligible if decision is not None and self.monitor_up else False,
            position=position(self.world, database) if database.up else "",
            received_position="",
            semi_sync_active=database.up and database.semi_sync,
            database_ok=database.up and failing == 0,
            database_failing_s=failing,
            monitor_age_s=self.age(self.ticked_at) if self.monitor_up else None,
            operation=self._announced(),
        )

    def _announced(self) -> str:
        operation = self.state.operation
        return operation.kind if operation is not None and self.wall() < operation.until else ""

    def ping_round(self, life: int) -> None:
        if not self.alive(life):
            return
        world, config = self.world, self.world.config
        world.after(config.ping_interval_s / self.drift, lambda: self.ping_round(life))
        if self.paused:
            return
        peer = world.other(self.name)
        answered = world.passes(self.name) and peer.powered and world.passes(peer.name)
        answered = answered and peer.name not in world.network.no_ping
        others = world.others_answer(self.name)
        took = PING_TOOK_S if answered and others else config.ping_patience_s(self.missed, PING_TOOK_S)
        world.after(took, lambda: self._pinged(life, answered, others))

    def _pinged(self, life: int, answered: bool | None, others: bool) -> None:
        if not self.alive(life) or self.paused:
            return
        if answered is not None:
            self.rounds += 1
            self.missed = 0 if answered else self.missed + 1
        self.gateway = others
        if others:
            self.others_at = self.world.now

    def ask_others(self) -> None:
        """Gateway and targets are pinged now."""
        life, world = self.life, self.world
        others = world.others_answer(self.name)
        took = PING_TOOK_S if others else world.config.ping_timeout_s
        world.after(took, lambda: self._pinged(life, None, others))

    def look_at_database(self) -> None:
        if self.database.up:
            self.facts_at = self.world.now
            self.facts = database_facts(self)

    def probe_own(self) -> None:
        """The primary's write probe: a real write, given up after its time."""
        world = self.world
        if self.probe is not None:
            number, started, gtid = self.probe
            if world.transactions[number].acknowledged_at is not None:
                self._probe_worked(started, gtid)
            elif world.now - started >= PROBE_TIMEOUT_S and number in (each for _, each in self.database.waiting):
                self.probe = None  # it is on disk here and waits for the standby alone
            elif world.now - started >= PROBE_TIMEOUT_S or not self.database.up:
                self.write_failing_since = self.write_failing_since or started
                self.probe = None
        if self.state.role is not Role.PRIMARY or self.state.fence is not None:
            self.probe, self.write_failing_since = None, None
        elif self.probe is None and self.takes_writes() and self._probes_stay_here():
            self._probe_worked(world.now, "")
        elif self.probe is None and self.takes_writes():
            number = world.write(self, probe=True).number
            self.probe = (number, world.now, position(world, self.database))
        elif self.probe is None and (not self.database.up or self.database.full):
            self.write_failing_since = self.write_failing_since or world.now

    def _probe_worked(self, started: float, gtid: str) -> None:
        self.write_failing_since, self.write_ok_started, self.write_gtid, self.probe = None, started, gtid, None

    def _probes_stay_here(self) -> bool:
        config, report, age = self.world.config, self.peer_report, self.age(self.heard_at)
        heard = report is not None and age is not None and age < config.heard_s
        follower = heard and report is not None and report.role is not Role.PRIMARY and report.term <= self.state.term
        return probes_stay_here(self.state, config, standby_heard=follower)

    def probe_peer(self) -> None:
        """The secondary's second look at a primary whose heartbeat it misses."""
        silent = self.heard_at is None or self.world.now - self.heard_at > self.world.config.heard_s
        if self.state.role is not Role.SECONDARY or not (silent or not self.database.connected):
            return
        peer = self.world.other(self.name)
        works = self.world.both_ways() and (peer.takes_writes() or (peer.forgotten and peer.database.up))
        works = works and (not peer.database.semi_sync or self.database.connected)
        self.remote_probe = (works, self.world.now)

    def observation(self, stalled_s: float) -> Observation:
        world = self.world
        network = NetworkReport(self.missed, None, self.gateway, {}, self.rounds, self.age(self.others_at))
        failing = self.age(self.write_failing_since) or 0.0
        write_age = self.age(self.write_ok_started)
        database = DatabaseReport(self.facts, self.age(self.facts_at), failing, "", write_age, self.write_gtid)
        stream_at = self.database.stream_alive_at
        own_life = stream_at is not None and self.state.role is Role.SECONDARY
        return Observation(
            now_s=self.local(world.now),
            network=network,
            database=database,
            peer=self.peer_report,
            heartbeat_age_s=self.age(self.heard_at),
            replication_alive_age_s=self.age(stream_at) if own_life else None,
            peer_write_probe_ok=None if self.remote_probe is None else self.remote_probe[0],
            peer_probe_age_s=None if self.remote_probe is None else self.age(self.remote_probe[1]),
            hostname=self.name,
            alarms=self.alarms,
            stalled_s=stalled_s,
            peer_asked_age_s=self.age(self.asked_at),
            peer_called_age_s=self.age(self.called_at),
        )
