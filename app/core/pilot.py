"""THE decision of a node at each tick: what was seen in, what to do out. No clock, no I/O.

The order of one decision: look (sight), remember (memory), name what is wrong (diagnosis), judge (verdict), act. While
a job of this node is announced (a swap, a set-up, a rejoin …) the pilot keeps its hands off: it looks and remembers,
so that it is up to date when the job's time is over, but it does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from app.core import failover
from app.core.acts import Act, EmitEvent, Lift, RecordStable, SetSemiSync
from app.core.alarms import clear_foreign
from app.core.diagnosis import HEALTHY, PRIMARY_ROWS, SECONDARY_ROWS, Diagnosis, diagnose
from app.core.exposure import exposed
from app.core.facts import Observation
from app.core.failover import QUIET_KINDS, Blocked, Verdict
from app.core.holder import address_acts, lacks_address
from app.core.memory import Contact, PilotMemory, note_acts, remember, with_fields
from app.core.ownbase import failing_s
from app.core.pairconfig import PairConfig
from app.core.primary import primary_acts
from app.core.replication import BY_CODE
from app.core.roles import Role
from app.core.scene import Scene
from app.core.secondary import secondary_acts
from app.core.sight import Sight, look
from app.core.state import NodeState, Phase

__all__ = ["Contact", "Decision", "PilotMemory", "decide"]

STABLE_AGAIN_MIN_S = 60.0
"""A pair counts as stable again after a failover when it was stable for this long, or for the window if longer."""


@dataclass(frozen=True)
class Decision:
    """What one tick decided. `memory` is handed to the next decision as it is."""

    acts: tuple[Act, ...]
    memory: PilotMemory
    verdict: Verdict
    diagnosis: Diagnosis
    eligible: bool
    """This secondary was caught up since its own start and is in sync: what its heartbeat replies say of it."""
    obstacles: tuple[Blocked, ...] = ()
    """On a paired secondary: all that would hold a failover back right now."""
    lost_bound: str = ""
    """On a paired secondary: what a takeover at this moment could lose."""
    lost_transactions: int | None = None
    """On a paired primary: how many transactions a takeover by the other server at this moment could lose at most; None
    where that is not known."""
    database_failing_s: float = 0.0
    """For how long the own database has failed by its own fault; waiting for the standby is not failing."""


def decide(memory: PilotMemory, state: NodeState, config: PairConfig, seen: Observation, now: datetime) -> Decision:
    """The acts of this tick, in the order in which they are to be carried out."""
    started = memory.started_s if memory.started_s is not None else seen.now_s
    sight = look(seen, config, started)
    memory = remember(with_fields(memory, started_s=started), state, seen, sight)
    diagnosis = _diagnosis(state, sight)
    if diagnosis.name != memory.diagnosis:
        memory = replace(memory, diagnosis=diagnosis.name, diagnosis_since_s=seen.now_s)
    memory = _remember_address(memory, state, config, seen)
    scene = Scene(sight, memory, state, config, seen, now)
    verdict = failover.verdict(scene)
    acts: tuple[Act, ...] = ()
    if not hands_off(state, now):
        acts = tuple(_news(_acts(scene, verdict, diagnosis), memory))
    paired_secondary = state.role is Role.SECONDARY and state.phase is Phase.PAIRED
    return Decision(
        acts=acts,
        memory=note_acts(memory, acts, seen.now_s),
        verdict=verdict,
        diagnosis=diagnosis,
        eligible=paired_secondary and _eligible(memory, seen.now_s),
        obstacles=tuple(failover.obstacles(scene)) if paired_secondary else (),
        lost_bound=failover.loss(scene) if paired_secondary else "",
        lost_transactions=exposed(scene),
        database_failing_s=failing_s(scene),
    )


def hands_off(state: NodeState, now: datetime) -> bool:
    """Whether a job of this node is under way and within its bound."""
    operation = state.operation
    return operation is not None and operation.kind not in QUIET_KINDS and now < operation.until


def _remember_address(memory: PilotMemory, state: NodeState, config: PairConfig, seen: Observation) -> PilotMemory:
    if not lacks_address(state, config, seen):
        return with_fields(memory, address_lacking_since_s=None)
    return memory if memory.address_lacking_since_s is not None else replace(memory, address_lacking_since_s=seen.now_s)


def _diagnosis(state: NodeState, sight: Sight) -> Diagnosis:
    if state.phase is not Phase.PAIRED:
        return HEALTHY
    return diagnose(sight, SECONDARY_ROWS if state.role is Role.SECONDARY else PRIMARY_ROWS)


def _acts(scene: Scene, verdict: Verdict, diagnosis: Diagnosis) -> Iterator[Act]:
    yield from address_acts(scene)
    match scene.state.role:
        case Role.STANDALONE:
            yield from _standalone_acts(scene)
        case Role.PRIMARY:
            yield from primary_acts(scene)
        case Role.SECONDARY:
            yield from secondary_acts(scene, verdict, diagnosis)
    yield from clear_foreign(scene.state, scene.seen.alarms)
    yield from _stable_again(scene)


def _standalone_acts(scene: Scene) -> Iterator[Act]:
    if scene.facts is None:
        return
    why = "This server is standalone: it has nobody to ask and nobody to wait for."
    if scene.facts.semi_sync_enabled:
        yield SetSemiSync(rule="standalone", why=why, enabled=False)
    if scene.facts.read_only or scene.state.fence is not None:
        yield Lift(rule="standalone", why=why)


def _stable_again(scene: Scene) -> Iterator[Act]:
    since = scene.memory.stable_since_s
    needed = max(STABLE_AGAIN_MIN_S, scene.config.detection_window_s)
    if not scene.state.stable_since_failover and since is not None and scene.seen.now_s - since >= needed:
        why = f"The pair has been stable for {needed:g} s since the last failover."
        yield RecordStable(rule="stable-again", why=why)


def _eligible(memory: PilotMemory, now_s: float) -> bool:
    broken = any(now_s - since >= BY_CODE[code].hold_s for code, since in memory.condition_since_s)
    return memory.caught_up and not broken


def _news(acts: Iterator[Act], memory: PilotMemory) -> Iterator[Act]:
    """The acts without events that were told already since the monitor's start."""
    for act in acts:
        if not (isinstance(act, EmitEvent) and act.event.key in memory.emitted):
            yield act
