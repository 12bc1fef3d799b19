"""One run: a seed becomes a configuration, a plan of faults and a world; the checks say whether it held."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from random import Random

from app.core.errors import HapairError
from app.core.pairconfig import PairConfig, ProtectionMode
from app.core.roles import Role
from app.core.state import NodeState, PeerIdentity, Phase
from tests.simulation import checks
from tests.simulation.faults import Fault, arrange, draw, heal
from tests.simulation.node import SimulatedNode
from tests.simulation.truth import Broken
from tests.simulation.world import World

WARM_UP_S = 4.0
"""The pair has settled before anything goes wrong."""
FAULTS_END_S = 26.0
"""Whatever is not over by then is healed; a plan whose faults are over earlier is healed SETTLE_S after the last."""
SETTLE_S = 3.0
LIVENESS_BOUND_S = 240.0
"""The pair is stable again within this time after the last fault."""
STABLE_FOR_S = 2.0
STEP_S = 0.25
DRIFT_MAX = 0.01
WALL_OFFSET_MAX_S = 2.0


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    seed: int
    failure: str
    """Empty where everything held."""
    config: PairConfig
    plan: tuple[Fault, ...]
    trace: tuple[str, ...]
    stable_after_s: float
    failovers: int
    rescued: int

    @property
    def command(self) -> str:
        """What replays this run: its seed alone, or with the plan where that was not drawn from the seed."""
        drawn = f"python -m tests.simulation --seed {self.seed} --trace"
        if (self.config, self.plan) == drawn_from(self.seed):
            return drawn
        return f"{drawn} --story {shlex.quote(to_text(self.config, self.plan))}"

    def report(self) -> str:
        plan = "\n".join(f"  {fault}" for fault in self.plan)
        return f"seed {self.seed}: {self.failure}\nreplay: {self.command}\n{self.config}\n{plan}"


def simulate(seed: int, *, tracing: bool = False) -> Result:
    """A run drawn from the seed."""
    config, plan = drawn_from(seed)
    return run(seed, config, plan, tracing=tracing)


def drawn_from(seed: int) -> tuple[PairConfig, tuple[Fault, ...]]:
    """The configuration and the plan of the seed."""
    random = Random(seed)
    return draw_config(random), draw(random)


def to_text(config: PairConfig, plan: tuple[Fault, ...]) -> str:
    """Both in one line of JSON, for a command line."""
    return json.dumps({"config": asdict(config), "plan": [asdict(fault) for fault in plan]})


def from_text(text: str) -> tuple[PairConfig, tuple[Fault, ...]]:
    """What `to_text` has written."""
    story = json.loads(text)
    mode = ProtectionMode(story["config"].pop("protection_mode"))
    return PairConfig(**story["config"], protection_mode=mode), tuple(Fault(**fault) for fault in story["plan"])


def draw_config(random: Random) -> PairConfig:
    """Short windows, so that much happens in little time."""
    return PairConfig(
        ping_interval_s=1.0,
        ping_iterations=random.choice((2, 3, 5, 12)),
        protection_mode=random.choice(tuple(ProtectionMode)),
        service_failover=random.random() < 0.8,
        failover_lag_bound_s=random.choice((2.0, 30.0)),
        anti_flapping_s=random.choice((0.0, 20.0, 900.0)),
        standby_online_event=random.random() < 0.5,
        semi_sync_fallback_s=random.choice((4.0, 10.0)),
    )


def run(seed: int, config: PairConfig, plan: tuple[Fault, ...], *, tracing: bool = False) -> Result:
    """A settled pair meets the plan; afterwards everything is healed and the pair must become stable."""
    world = new_pair(seed, config)
    failure, stable_after = "", 0.0
    try:
        _advance(world, WARM_UP_S)
        world.tracing = tracing
        arrange(world, plan)
        _advance(world, world.now + _disturbed_for_s(plan))
        heal(world)
        stable_after = _become_stable(world)
        checks.acknowledged_in_order(world)
        checks.nothing_lost(world)
        checks.events_once(world)
    except Broken as broken:
        failure = str(broken)
        world.say("", f"BROKEN {failure}")
    except HapairError as error:
        failure = f"a move was refused at {world.now:.2f}: {error}"
        world.say("", f"BROKEN {failure}")
    failovers = sum(key.startswith("Failover") for node in world.nodes.values() for key in node.event_runs)
    return Result(seed, failure, config, plan, tuple(world.trace), stable_after, failovers, len(world.rescued))


def _disturbed_for_s(plan: tuple[Fault, ...]) -> float:
    """How long the plan goes on. A crash in an act comes whenever that act does."""
    last = max((FAULTS_END_S if fault.act else fault.at + fault.lasts + SETTLE_S for fault in plan), default=SETTLE_S)
    return min(last, FAULTS_END_S)


def new_pair(seed: int, config: PairConfig) -> World:
    """Node a is primary and node b its secondary, both have just started; clients try to write."""
    world = World(seed, config)
    for name, role in (("a", Role.PRIMARY), ("b", Role.SECONDARY)):
        other = "b" if name == "a" else "a"
        identity = PeerIdentity(other, other, "", "", "", "")
        state = NodeState(name, role=role, term=1, phase=Phase.PAIRED, pair_id="pair", peer=identity)
        drift = 1.0 + DRIFT_MAX * (2 * world.random.random() - 1)
        offset = WALL_OFFSET_MAX_S * (2 * world.random.random() - 1)
        world.nodes[name] = SimulatedNode(name, world, state, drift, offset)
    replica = world.nodes["b"].database
    replica.follows = replica.receiving = True
    world.begin()
    for node in world.nodes.values():
        node.start_monitor()
    return world


def _advance(world: World, end: float) -> None:
    while world.now < end:
        world.run_until(min(end, world.now + STEP_S))
        for node in world.nodes.values():
            node.truth.look(node, world)
        checks.writable_terms(world)
        checks.promotions(world)


def _become_stable(world: World) -> float:
    healed_at = world.now
    stable_since: float | None = None
    while True:
        _advance(world, world.now + STEP_S)
        found = next(checks.troubles(world), None)
        stable_since = None if found else (stable_since or world.now)
        if stable_since is not None and world.now - stable_since >= STABLE_FOR_S:
            return stable_since - healed_at
        if world.now - healed_at > LIVENESS_BOUND_S:
            raise Broken(f"liveness: {LIVENESS_BOUND_S:g} s after the last fault: {'; '.join(checks.troubles(world))}")
