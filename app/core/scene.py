"""All that one decision looks at, in one value: what was seen, what is remembered, who this node is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.core.facts import DatabaseFacts, Observation
from app.core.memory import PilotMemory, fresh_facts
from app.core.pairconfig import PairConfig
from app.core.sight import Sight
from app.core.state import NodeState


@dataclass(frozen=True)
class Scene:
    """The arguments of a decision."""

    sight: Sight
    memory: PilotMemory
    state: NodeState
    config: PairConfig
    seen: Observation
    now: datetime

    @property
    def facts(self) -> DatabaseFacts | None:
        """The last look at the own database, if it is recent enough to act on."""
        return fresh_facts(self.seen)
