"""The decision of a node at each tick: facts in, acts out. No clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from app.core.acts import Act
from app.core.diagnosis import Diagnosis
from app.core.facts import Observation
from app.core.failover import Healthy, Verdict
from app.core.pairconfig import PairConfig
from app.core.state import NodeState


@dataclass(frozen=True)
class Contact:
    """What this secondary knew of its primary when it last heard of it."""

    at_s: float
    data_age_s: float | None
    """How old the newest data of the primary was here."""
    semi_sync: bool
    """The primary waited for this node's acknowledgement with each commit."""
    standby_out: bool
    """The primary had recorded this node as out of the pair."""


@dataclass(frozen=True)
class PilotMemory:
    """What must be remembered from tick to tick, and may be lost when the monitor restarts."""

    started_s: float | None = None
    database_uptime_s: float | None = None
    caught_up: bool = False
    contact: Contact | None = None
    frozen_since_s: float | None = None
    unacknowledged_since_s: float | None = None
    acknowledged_since_s: float | None = None
    stable_since_s: float | None = None
    restart_tried: bool = False
    rejoin_asked_s: float | None = None
    others_asked_s: float | None = None
    fenced_at_s: float | None = None
    emitted: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Decision:
    """What one tick decided. `memory` is handed to the next decision as it is."""

    acts: tuple[Act, ...]
    memory: PilotMemory
    verdict: Verdict
    diagnosis: Diagnosis
    eligible: bool
    """This secondary was caught up since its own start and is in sync: what its heartbeat replies say of it."""


def decide(memory: PilotMemory, state: NodeState, config: PairConfig, seen: Observation, now: datetime) -> Decision:
    """The acts of this tick."""
    return Decision((), memory, Healthy(), Diagnosis("healthy", "Nothing is wrong."), eligible=False)
