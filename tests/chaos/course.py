"""How one cell went, from its first row to its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos.activities import Busy
from tests.chaos.pairs import Stable
from tests.chaos.witness import Witness


@dataclass
class Course:
    """The cell as it went. Times are of the monotonic clock; None where it did not come to that."""

    host: str
    """The host that the fault befell; `both` where it befell the network."""
    primary: str
    """The primary at the beginning."""
    witness: Witness
    fault_s: float | None = None
    healed_s: float | None = None
    stable: Stable | None = None
    ended_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    busy: Busy = field(default_factory=Busy)
    writes_on: frozenset[str] = frozenset()

    @property
    def outage_s(self) -> float:
        """The longest time without an acknowledged row, from the fault until the pair was stable."""
        since_s = self.fault_s or self.witness.started_s
        return self.witness.outage_s(since_s, self.stable.since_s if self.stable is not None else self.ended_s)
