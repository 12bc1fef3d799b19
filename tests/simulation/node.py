"""A node of the fake world: the real core in a modelled monitor, with a modelled database and durable state.

What the core tells is carried out step by step; between two steps the node may crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.core import pilot as core
from app.core.acts import Act, Promote
from app.core.facts import Alarm
from app.core.state import NodeState
from tests.simulation import teardown
from tests.simulation.effects import carry_out, resume_job
from tests.simulation.senses import SeeingNode
from tests.simulation.swap import Swap, carry_on
from tests.simulation.teardown import Teardown

TICK_S = 0.5


class SimulatedNode(SeeingNode):
    """One server of the pair."""

    # --- power ----------------------------------------------------------------------------------------------------

    def start_monitor(self) -> None:
        if not self.powered:
            return
        self.forget()
        self.life += 1
        self.monitor_up = True
        self.planned_at = self.world.now
        life = self.life
        if self.job:
            self._perform(resume_job(self))
        phase = self.world.random.random()
        self.world.after(0.1 * phase, lambda: self.heartbeats(life))
        self.world.after(0.2 * phase, lambda: self.ping_round(life))
        self.world.after(0.3 * phase, lambda: self._tick(life))

    def kill_monitor(self) -> None:
        self.life += 1
        self.forget()

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

    # --- deciding and acting --------------------------------------------------------------------------------------

    def _tick(self, life: int) -> None:
        if not self.alive(life):
            return
        period = TICK_S * (0.9 + 0.2 * self.world.random.random())
        self.world.after(period, lambda: self._tick(life))
        if self.paused or self.busy:
            return
        stalled = max(0.0, (self.world.now - self.planned_at) * self.drift)
        self.planned_at = self.world.now + period
        self.look_at_database()
        self.probe_own()
        self.probe_peer()
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
        while self.alive(life):
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
