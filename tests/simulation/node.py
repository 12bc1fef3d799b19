"""A node of the fake world: the real core in a modelled monitor, with a modelled database and durable state.

`state`, `alarms`, `events`, `job` and the database's log survive a crash; everything else is lost. What the core
tells is carried out step by step; between two steps the node may crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.core import pilot as core
from app.core.acts import Act, Promote
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
from tests.simulation import teardown
from tests.simulation.database import Server
from tests.simulation.effects import carry_out, resume_job
from tests.simulation.files import Tree
from tests.simulation.looks import database_facts, position
from tests.simulation.swap import Swap, carry_on
from tests.simulation.teardown import Teardown
from tests.simulation.truth import Truth
from tests.simulation.world import World

TICK_S = 0.5
REQUEST_TIMEOUT_S = 2.0
PING_TOOK_S = 0.005
PROBE_TIMEOUT_S = 2.0
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SimulatedNode:
    """One server of the pair."""

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
        self._forget()

    def _forget(self) -> None:
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

    # --- being ----------------------------------------------------------------------------------------------------

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

    def start_monitor(self) -> None:
        if not self.powered:
            return
        self._forget()
        self.life += 1
        self.monitor_up = True
        self.planned_at = self.world.now
        life = self.life
        if self.job:
            self._perform(resume_job(self))
        phase = self.world.random.random()
        self.world.after(0.1 * phase, lambda: self._heartbeats(life))
        self.world.after(0.2 * phase, lambda: self._ping_round(life))
        self.world.after(0.3 * phase, lambda: self._tick(life))

    def kill_monitor(self) -> None:
        self.life += 1
        self._forget()

    def crash(self) -> None:
        """Power is gone."""
        self.world.say(self.name, "CRASH")
        self.powered = False
        self.paused = False
        self.database.stop()
        self.worker_life += 1
        self.kill_monitor()

    def boot(self) -> None:
        if self.powered:
            return
        self.world.say(self.name, "boots")
        self.powered = True
        self.boots += 1
        self.database.start(self.world.now)
        self.world.after(0.2 + self.world.random.random(), self._start_if_down)
        self.world.after(0.5 + self.world.random.random(), self._start_worker)

    # --- the worker -----------------------------------------------------------------------------------------------

    def begin_swap(self) -> None:
        """The job is in the journal, and the worker takes it."""
        self.world.swaps += 1
        self.swap = Swap(f"swap-{self.world.swaps}")
        self._start_worker()

    def is_idle(self) -> bool:
        """Whether no job is under way here, so that another one may be begun."""
        return not self.job and self.swap is None and self.teardown is None

    def begin_teardown(self) -> None:
        """An administrator ends the pair here."""
        self.teardown = Teardown("teardown")
        self._start_worker()

    def restart_worker_later(self, delay_s: float) -> None:
        self.worker_life += 1
        self.world.after(delay_s, self._start_worker)

    def _start_worker(self) -> None:
        """The worker goes on with what the journal says."""
        if self.powered and self.swap is not None:
            self.worker_life += 1
            self.serve(carry_on(self, self.swap), self.worker_life)
        elif self.powered and self.teardown is not None:
            self.worker_life += 1
            self.serve(teardown.carry_on(self, self.teardown), self.worker_life)

    def serve(self, steps: Iterator[float], life: int | None = None, step: int = 1) -> None:
        """A process beside the monitor takes these steps; None is one that lives as long as the node's power lasts."""
        if not self.powered or life not in (None, self.worker_life):
            return
        wait_s = 0.1 if self.paused else next(steps, None)
        if wait_s is None:
            return
        if not self.paused and self._trips("Swap", step):
            return
        boots, following = self.boots, step if self.paused else step + 1
        again = wait_s + self.disk_delay_s
        self.world.after(again, lambda: self.serve(steps, life, following) if self.boots == boots else None)

    def _start_if_down(self) -> None:
        if self.powered and not self.monitor_up:
            self.start_monitor()

    def restart_monitor_later(self, delay_s: float) -> None:
        self.kill_monitor()
        self.world.after(delay_s, self._start_if_down)

    def _alive(self, life: int) -> bool:
        return life == self.life and self.powered

    # --- observing ------------------------------------------------------------------------------------------------

    def _heartbeats(self, life: int) -> None:
        if not self._alive(life):
            return
        world = self.world
        world.after(world.config.heartbeat_interval_s / self.drift, lambda: self._heartbeats(life))
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
        if not self._alive(life) or request != self.asking_id or self.asking_since is None:
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

    def _ping_round(self, life: int) -> None:
        if not self._alive(life):
            return
        world, config = self.world, self.world.config
        world.after(config.ping_interval_s / self.drift, lambda: self._ping_round(life))
        if self.paused:
            return
        peer = world.other(self.name)
        answered = world.passes(self.name) and peer.powered and world.passes(peer.name)
        answered = answered and peer.name not in world.network.no_ping
        others = world.others_answer(self.name)
        took = PING_TOOK_S if answered and others else config.ping_patience_s(self.missed, PING_TOOK_S)
        world.after(took, lambda: self._pinged(life, answered, others))

    def _pinged(self, life: int, answered: bool | None, others: bool) -> None:
        if not self._alive(life) or self.paused:
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

    def _look_at_database(self) -> None:
        if self.database.up:
            self.facts_at = self.world.now
            self.facts = database_facts(self)

    def _probe_own(self) -> None:
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

    def _probe_peer(self) -> None:
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

    # --- deciding and acting --------------------------------------------------------------------------------------

    def _tick(self, life: int) -> None:
        if not self._alive(life):
            return
        period = TICK_S * (0.9 + 0.2 * self.world.random.random())
        self.world.after(period, lambda: self._tick(life))
        if self.paused or self.busy:
            return
        stalled = max(0.0, (self.world.now - self.planned_at) * self.drift)
        self.planned_at = self.world.now + period
        self._look_at_database()
        self._probe_own()
        self._probe_peer()
        seen = self.observation(stalled)
        decision = core.decide(self.memory, self.state, self.world.config, seen, self.wall())
        self.memory, self.decision, self.ticked_at = decision.memory, decision, self.world.now
        if decision.acts:
            for act in decision.acts:
                self.world.say(self.name, f"{type(act).__name__} [{act.rule}] {act.why}")
                if isinstance(act, Promote) and self.database.up:
                    self.truth.look(self, self.world)
                    self.on_promote.append((act, seen, self.truth.caught_up_in_this_life))
            self.perform(decision.acts)

    def perform(self, told: tuple[Act, ...]) -> None:
        """The acts are carried out, one step after the other."""
        self._perform(carry_out(self, told))

    def _perform(self, steps: Iterator[tuple[str, float]]) -> None:
        self.busy = True
        self._next_step(self.life, steps, {})

    def _next_step(self, life: int, steps: Iterator[tuple[str, float]], done: dict[str, int]) -> None:
        """One step after the other; a crash in between leaves the rest undone."""
        while self._alive(life):
            if self.paused:
                self.world.after(0.1, lambda: self._next_step(life, steps, done))
                return
            step = next(steps, None)
            if step is None:
                self.busy = False
                self.planned_at = self.world.now + TICK_S
                return
            act, delay = step
            done[act] = done.get(act, 0) + 1
            if self._trips(act, done[act]):
                return
            delay += self.disk_delay_s
            if delay > 0.0:
                self.world.after(delay, lambda: self._next_step(life, steps, done))
                return

    def _trips(self, act: str, step: int) -> bool:
        """Whether the node has lost power at this step of the act, as the plan says."""
        if self.trip is None or self.trip[:2] != (act, step):
            return False
        boot_after = self.trip[2]
        self.trip = None
        self.crash()
        self.world.after(boot_after, self.boot)
        return True

    def change(self, state: NodeState) -> None:
        """The state is durable. A term that went back would be a bug of the core."""
        assert state.term >= self.state.term, f"{self.name}: term went back from {self.state.term} to {state.term}"
        self.state = state

    def add_event(self, key: str, parameters: tuple[str, ...]) -> None:
        """The event is recorded and its script runs, if it is not known yet."""
        if key not in self.events:
            self.events[key] = parameters
            self.event_runs.append(key)
            self.world.say(self.name, f"EVENT {' '.join(parameters[:3])}")

    def raise_alarm(self, code: str, text: str) -> None:
        known = self.alarms.get(code)
        if known is None:
            self.alarms_raised[code] = self.alarms_raised.get(code, 0) + 1
        raised = Alarm(code, text, self.wall()) if known is None else replace(known, text=text)
        self.alarms = {**self.alarms, code: raised}

    def clear_alarm(self, code: str) -> None:
        self.alarms = {name: each for name, each in self.alarms.items() if name != code}
