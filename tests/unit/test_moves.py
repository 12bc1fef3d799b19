"""Legal changes of the durable state; an illegal one raises and changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import moves
from app.core.acts import Cause
from app.core.errors import NotAllowed
from app.core.failover import commits_wait, standby_out_after_promotion
from app.core.pairconfig import PairConfig, ProtectionMode
from app.core.roles import Role
from app.core.state import FenceReason, NodeState
from tests.unit.situations import NOW, PRIMARY, SECONDARY, fenced


def promoted(state: NodeState = SECONDARY, cause: Cause = Cause.FAILOVER) -> NodeState:
    return moves.intend_promotion(state, cause, state.term + 1, NOW, lost_bound="Nothing.", standby_out=True)


def test_the_intent_is_a_fenced_primary_of_the_next_term() -> None:
    state = promoted()
    assert (state.role, state.term) == (Role.PRIMARY, SECONDARY.term + 1)
    assert state.fence is not None
    assert moves.promotion_unfinished(state)
    assert state.last_failover_at == NOW
    assert not state.stable_since_failover


def test_a_promotion_may_be_repeated_at_each_of_its_steps() -> None:
    state = promoted()
    assert moves.intend_promotion(state, Cause.FAILOVER, state.term, NOW, standby_out=False) == state
    done = moves.complete_promotion(state, "0-2-7")
    assert done.fence is None
    assert moves.complete_promotion(done, "0-2-9") == done


@pytest.mark.parametrize("cause", [Cause.SWAP, Cause.TAKEOVER, Cause.RESUME, Cause.SETUP])
def test_only_failovers_start_the_anti_flapping_time(cause: Cause) -> None:
    assert promoted(cause=cause).last_failover_at is None


def test_a_term_never_stays_or_goes_back_in_a_promotion() -> None:
    for term in (SECONDARY.term, SECONDARY.term - 1):
        with pytest.raises(NotAllowed):
            moves.intend_promotion(SECONDARY, Cause.FAILOVER, term, NOW, standby_out=True)


def test_a_secondary_and_an_unfinished_promotion_are_never_lifted() -> None:
    for state in (SECONDARY, promoted()):
        with pytest.raises(NotAllowed):
            moves.lift(state)
    assert moves.lift(fenced(PRIMARY, FenceReason.BOOT)).fence is None


def test_a_secondary_is_not_fenced() -> None:
    assert moves.fence(SECONDARY, FenceReason.MONITOR_SILENT, NOW, "silent for 6 s") == SECONDARY


def test_a_fence_keeps_its_time_while_its_reason_stays() -> None:
    state = fenced(PRIMARY, FenceReason.ISOLATED)
    assert state.fence is not None
    again = moves.fence(state, FenceReason.ISOLATED, NOW, "still")
    assert again.fence is not None
    assert again.fence.since == state.fence.since
    assert moves.fence(state, FenceReason.SUPERSEDED, NOW).fence != state.fence


def test_only_a_primary_has_a_standby() -> None:
    out = moves.record_standby_out(PRIMARY, NOW)
    assert out.standby_out_since == NOW
    assert moves.record_standby_out(out, NOW.replace(hour=13)) == out
    assert moves.record_standby_back(out) == PRIMARY
    for move in (lambda: moves.record_standby_out(SECONDARY, NOW), lambda: moves.record_standby_back(SECONDARY)):
        with pytest.raises(NotAllowed):
            move()


def test_a_primary_is_demoted_by_a_higher_term_only() -> None:
    state = moves.demote(fenced(PRIMARY, FenceReason.SUPERSEDED), 5, NOW, by_failover=True)
    assert (state.role, state.term, state.fence) == (Role.SECONDARY, 5, None)
    assert state.last_failover_at == NOW
    with pytest.raises(NotAllowed):
        moves.demote(PRIMARY, PRIMARY.term, NOW, by_failover=True)
    with pytest.raises(NotAllowed):
        moves.demote(SECONDARY, SECONDARY.term - 1, NOW, by_failover=True)


def test_only_a_secondary_adopts_a_term_and_never_a_lower_one() -> None:
    assert moves.adopt_term(SECONDARY, 9).term == 9
    with pytest.raises(NotAllowed):
        moves.adopt_term(SECONDARY, 3)
    with pytest.raises(NotAllowed):
        moves.adopt_term(PRIMARY, 9)


STEPS = st.lists(
    st.sampled_from(["fence", "lift", "out", "back", "adopt", "intend", "complete", "demote", "stable"]), max_size=30
)


@given(STEPS, st.sampled_from([PRIMARY, SECONDARY]))
def test_no_sequence_of_moves_lowers_the_term_or_opens_a_secondary(steps: list[str], start: NodeState) -> None:
    state = start
    for step in steps:
        before = state
        try:
            state = _move(state, step)
        except NotAllowed:
            state = before
        assert state.term >= before.term
        if before.role is Role.SECONDARY and state.role is Role.PRIMARY:
            assert state.term > before.term
            assert state.fence is not None


def _move(state: NodeState, step: str) -> NodeState:
    match step:
        case "fence":
            return moves.fence(state, FenceReason.ISOLATED, NOW)
        case "lift":
            return moves.lift(state)
        case "out":
            return moves.record_standby_out(state, NOW)
        case "back":
            return moves.record_standby_back(state)
        case "adopt":
            return moves.adopt_term(state, state.term + 1)
        case "intend":
            return moves.intend_promotion(state, Cause.FAILOVER, state.term + 1, NOW, standby_out=True)
        case "complete":
            return moves.complete_promotion(state, "0-1-1")
        case "demote":
            return moves.demote(state, state.term + 1, NOW, by_failover=True)
        case _:
            return moves.record_stable(state)


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("mode", list(ProtectionMode))
def test_in_protection_no_takeover_lets_writes_go_on_alone(cause: Cause, mode: ProtectionMode) -> None:
    config = PairConfig(protection_mode=mode)
    out = standby_out_after_promotion(cause, config)
    assert out is (mode is not ProtectionMode.PROTECTION or cause in (Cause.RESUME, Cause.SETUP))
    state = replace(PRIMARY, standby_out=out)
    assert commits_wait(state, config) is (mode is not ProtectionMode.PERFORMANCE and not out)
