"""The secondary's verdict: whether to take over, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.acts import Cause


@dataclass(frozen=True)
class Healthy:
    """There is nothing to suspect."""


@dataclass(frozen=True)
class Suspect:
    """The primary is silent, not yet for long enough."""

    missed: int
    needed: int


@dataclass(frozen=True)
class Blocked:
    """The primary may be gone, but this node must not take over. `reason` is a code, `text` the sentence for people."""

    reason: str
    text: str


@dataclass(frozen=True)
class Promote:
    """This node must take over now."""

    cause: Cause
    lost_bound: str
    why: str


Verdict = Healthy | Suspect | Blocked | Promote
