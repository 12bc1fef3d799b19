"""How many mails may go out: the first few at once, then one in a while with everything that has come since.

A purse holds a few coins; each mail costs one, and one comes back each minute. So a single event is told at once, and
a thousand in a minute are a handful of mails in which each event still stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

PURSE = 5.0
"""Mails that may go one right after the other."""
COIN_EVERY_S = 60.0
GROUP_MAX = 200
"""Events in one mail; the others are in the next."""
SINGLES_MAX = 3
"""So many events that wait are told by a mail each; more are put together."""

Each = TypeVar("Each")


@dataclass(frozen=True)
class Purse:
    """What was left at a moment of the monotonic clock."""

    coins: float = PURSE
    at_s: float = 0.0

    def at(self, now_s: float) -> Purse:
        """The purse with what has come back until now."""
        returned = max(now_s - self.at_s, 0.0) / COIN_EVERY_S
        return Purse(min(self.coins + returned, PURSE), now_s)

    def wait_s(self) -> float:
        """Until the next mail may go."""
        return max(1.0 - self.coins, 0.0) * COIN_EVERY_S

    def spent(self) -> Purse:
        return Purse(self.coins - 1.0, self.at_s)


def groups(waiting: Sequence[Each], purse: Purse) -> list[tuple[Each, ...]]:
    """What waits, put into mails that the purse can pay for now; it holds at least one coin."""
    if len(waiting) <= min(SINGLES_MAX, int(purse.coins)):
        return [(each,) for each in waiting]
    return [tuple(waiting[:GROUP_MAX])]
