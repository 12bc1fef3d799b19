"""What this node concludes about the other one from everything that it sees, by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """`name` is stable; `sentence` says what was seen and what it means."""

    name: str
    sentence: str
