"""Every node boots fenced, and every fence has an exit that is a proof."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.acts import FenceSelf, Lift, RaiseAlarm, SetSemiSync
from app.core.facts import Observation
from app.core.fences import EXITS
from app.core.pairconfig import ProtectionMode
from app.core.roles import Role
from app.core.state import FenceReason, NodeState
from tests.unit.situations import (
    CONFIG,
    MEMORY,
    NOW_S,
    PRIMARY,
    SECONDARY,
    database,
    fence_remembered,
    fenced,
    kinds,
    network,
    peer,
    primary_sees,
    secondary_sees,
    silent_peer,
    the,
    tick,
)

BOOTED = database(primary_sees(), read_only=True, semi_sync_enabled=False)
"""The peer is secondary of the same term; the own database has just started."""
SILENT = silent_peer(BOOTED, 60.0)
JUST = replace(MEMORY, read_only_since_s=NOW_S - 1.0)
LONG = replace(MEMORY, read_only_since_s=NOW_S - 5.0)
ASKING = [FenceReason.BOOT, FenceReason.PEER_UNKNOWN, FenceReason.ISOLATED, FenceReason.MONITOR_SILENT,
          FenceReason.OPERATION]  # fmt: skip


def test_every_fence_has_an_exit() -> None:
    assert {row.reason for row in EXITS} == set(FenceReason)
    assert all(row.exit and row.meaning for row in EXITS)


def test_a_booted_primary_is_lifted_when_its_peer_is_the_secondary_of_this_term() -> None:
    decision = tick(PRIMARY, BOOTED, JUST)
    assert kinds(decision) == ["SetSemiSync", "Lift"]
    assert the(decision, SetSemiSync).enabled is True


def test_a_booted_primary_never_writes_before_commits_wait() -> None:
    names = kinds(tick(PRIMARY, BOOTED, JUST))
    assert names.index("SetSemiSync") < names.index("Lift")


def test_a_booted_primary_without_waiting_commits_is_just_lifted() -> None:
    config = replace(CONFIG, protection_mode=ProtectionMode.PERFORMANCE)
    assert kinds(tick(PRIMARY, BOOTED, JUST, config)) == ["Lift"]


def test_a_booted_primary_whose_peer_is_silent_asks_first_and_then_stays_fenced() -> None:
    assert tick(PRIMARY, SILENT, JUST).acts == ()
    decision = tick(PRIMARY, SILENT, LONG)
    assert the(decision, FenceSelf).reason is FenceReason.PEER_UNKNOWN
    assert "Resume as primary" in the(decision, RaiseAlarm).text


def test_a_booted_primary_that_had_recorded_its_standby_as_out_is_lifted_alone() -> None:
    out = replace(PRIMARY, standby_out=True)
    assert tick(out, SILENT, JUST).acts == ()
    assert kinds(tick(out, SILENT, LONG)) == ["Lift"]


def test_a_booted_primary_that_was_replaced_rejoins() -> None:
    seen = peer(BOOTED, role=Role.PRIMARY, term=5)
    assert kinds(tick(PRIMARY, seen, JUST)) == ["FenceSelf", "Rejoin"]


def test_a_booted_secondary_is_never_lifted() -> None:
    for seen in (secondary_sees(), silent_peer(secondary_sees(), 60.0)):
        assert "Lift" not in kinds(tick(SECONDARY, seen, MEMORY))
    assert kinds(tick(SECONDARY, database(secondary_sees(), read_only=False))) == ["EnforceReadOnly"]


def test_a_booted_secondary_is_not_eligible_until_it_has_caught_up() -> None:
    far_behind = peer(database(secondary_sees(), beat_age_s=500.0), position="0-1-900")
    decision = tick(SECONDARY, far_behind, MEMORY)
    assert not decision.eligible
    assert tick(SECONDARY, secondary_sees(), decision.memory).eligible


@pytest.mark.parametrize("restarted", [{"uptime_s": 1.0}, {"uptime_s": 900.0, "process_id": 1}])
def test_a_restarted_database_makes_the_secondary_ineligible_until_it_has_caught_up_again(
    restarted: dict[str, Any],
) -> None:
    running = tick(SECONDARY, secondary_sees())
    assert running.eligible
    behind = peer(database(secondary_sees(), **restarted, beat_age_s=60.0), position="0-1-900")
    assert not tick(SECONDARY, behind, running.memory).eligible


@pytest.mark.parametrize("reason", ASKING)
def test_a_fenced_primary_is_lifted_by_an_answer_that_came_after_the_fence(reason: FenceReason) -> None:
    state = fenced(PRIMARY, reason)
    assert "Lift" in kinds(tick(state, BOOTED, fence_remembered(reason, 1.0)))
    older = tick(state, replace(BOOTED, peer_asked_age_s=1.2), fence_remembered(reason, 1.0))
    assert "Lift" not in kinds(older)


def test_an_isolated_primary_stays_fenced_while_nobody_is_heard() -> None:
    alone = network(SILENT, gateway_answers=False)
    state = fenced(PRIMARY, FenceReason.ISOLATED)
    assert tick(state, alone, fence_remembered(FenceReason.ISOLATED)).acts == ()
    out = replace(state, standby_out=True)
    assert tick(out, alone, fence_remembered(FenceReason.ISOLATED)).acts == ()


def test_an_isolated_primary_whose_network_is_back_asks_the_peer() -> None:
    state = fenced(PRIMARY, FenceReason.ISOLATED)
    back = tick(state, SILENT, fence_remembered(FenceReason.ISOLATED))
    assert the(back, FenceSelf).reason is FenceReason.PEER_UNKNOWN
    out = replace(state, standby_out=True)
    assert kinds(tick(out, SILENT, fence_remembered(FenceReason.ISOLATED))) == ["Lift"]


def test_a_superseded_primary_waits_for_its_peer() -> None:
    state = fenced(PRIMARY, FenceReason.SUPERSEDED)
    assert tick(state, SILENT, fence_remembered(FenceReason.SUPERSEDED)).acts == ()


def test_a_fence_by_a_peer_that_did_not_take_over_after_all_ends() -> None:
    state = fenced(PRIMARY, FenceReason.SUPERSEDED)
    assert "Lift" in kinds(tick(state, BOOTED, fence_remembered(FenceReason.SUPERSEDED)))


def test_a_handover_that_nobody_took_ends_after_the_window() -> None:
    state = fenced(PRIMARY, FenceReason.HANDOVER)
    assert "Lift" not in kinds(tick(state, BOOTED, fence_remembered(FenceReason.HANDOVER, 2.9)))
    assert "Lift" in kinds(tick(state, BOOTED, fence_remembered(FenceReason.HANDOVER, 3.0)))


def test_a_peer_that_left_the_pair_can_not_be_primary() -> None:
    seen = peer(BOOTED, role=Role.STANDALONE, term=4)
    assert kinds(tick(PRIMARY, seen, JUST)) == ["RecordStandbyOut", "Lift"]


def test_an_old_primary_does_not_keep_the_rightful_one_closed() -> None:
    seen = peer(BOOTED, role=Role.PRIMARY, term=3)
    assert "Lift" in kinds(tick(PRIMARY, seen, JUST))


def test_a_peer_unknown_fence_is_alarmed_once_and_cleared_when_it_is_left() -> None:
    state = fenced(PRIMARY, FenceReason.PEER_UNKNOWN)
    assert tick(state, SILENT, fence_remembered(FenceReason.PEER_UNKNOWN)).acts == ()


@pytest.mark.parametrize("state", [fenced(PRIMARY, reason) for reason in FenceReason] + [PRIMARY, SECONDARY])
def test_nothing_is_lifted_while_the_database_can_not_be_asked(state: NodeState) -> None:
    seen: Observation = database(primary_sees(), facts_age_s=None)
    assert not any(isinstance(act, Lift) for act in tick(state, seen, LONG).acts)
