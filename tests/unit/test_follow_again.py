"""A secondary that replicates from nobody joins its primary again by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.pilot import PilotMemory
from app.core.primary import REJOIN_RETRY_S
from app.core.roles import Role
from app.core.secondary import UNFOLLOWING_S
from app.core.state import FenceReason
from tests.unit.situations import CAUGHT_UP, NOW_S, SECONDARY, database, kinds, peer, secondary_sees, tick

ALONE = database(secondary_sees(), replication=None)


def _after(memory: PilotMemory, seconds: float) -> list[str]:
    return kinds(tick(SECONDARY, replace(ALONE, now_s=NOW_S + seconds), memory))


def test_a_secondary_that_follows_nobody_rejoins_after_a_while_and_asks_again_only_later() -> None:
    first = tick(SECONDARY, ALONE, CAUGHT_UP)
    assert "Rejoin" not in kinds(first)
    assert "Rejoin" in _after(first.memory, UNFOLLOWING_S)
    asked = replace(first.memory, rejoin_asked_s=NOW_S)
    assert "Rejoin" not in _after(asked, REJOIN_RETRY_S - 1.0)
    assert "Rejoin" in _after(asked, REJOIN_RETRY_S)


@pytest.mark.parametrize("change", [{"role": Role.SECONDARY}, {"fence": FenceReason.OPERATION}])
def test_it_rejoins_only_an_open_primary(change: dict[str, object]) -> None:
    assert tick(SECONDARY, peer(ALONE, **change), CAUGHT_UP).memory.unfollowing_since_s is None
