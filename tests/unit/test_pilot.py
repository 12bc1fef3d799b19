"""Whatever a node sees, some things it never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.acts import Cause, FenceSelf, Lift, Promote, RecordStandbyOut, SetSemiSync
from app.core.facts import Alarm, DatabaseReport, NetworkReport, Observation
from app.core.memory import Contact, PilotMemory
from app.core.pairconfig import PairConfig, ProtectionMode
from app.core.pilot import decide
from app.core.roles import Role
from app.core.state import Fence, FenceReason, NodeState, Operation, Phase, Promotion
from tests.unit.situations import FACTS, NOW, NOW_S, PEER, PRIMARY_REPORT, REPLICATION

AGES = st.one_of(st.none(), st.sampled_from([0.0, 0.4, 1.0, 2.0, 3.0, 5.0, 12.0, 700.0]))
SINCE = st.one_of(st.none(), st.sampled_from([NOW_S - age for age in (0.0, 1.0, 3.0, 10.0, 100.0)]))
FLAGS = st.booleans()

REPLICATIONS = st.builds(
    replace, st.just(REPLICATION), receiver_running=FLAGS, applier_running=FLAGS,
    receiver_error_number=st.sampled_from([0, 1236, 2003, 9999]), applier_error_number=st.sampled_from([0, 1062]),
)  # fmt: skip
DATABASES = st.builds(
    DatabaseReport,
    facts=st.one_of(
        st.none(),
        st.builds(
            replace, st.just(FACTS), read_only=FLAGS, semi_sync_enabled=FLAGS, semi_sync_clients=st.integers(0, 1),
            replication=st.one_of(st.none(), REPLICATIONS), uptime_s=st.sampled_from([1.0, 500.0]), beat_age_s=AGES,
        ),
    ),
    facts_age_s=AGES,
    write_failing_s=st.sampled_from([0.0, 2.0, 20.0]),
    write_age_s=AGES,
)  # fmt: skip
PEERS = st.one_of(
    st.none(),
    st.builds(
        replace, st.just(PRIMARY_REPORT), role=st.sampled_from(list(Role)), term=st.integers(3, 5), writable=FLAGS,
        fence=st.one_of(st.none(), st.sampled_from(list(FenceReason))), standby_out=FLAGS, eligible=FLAGS,
        semi_sync_active=FLAGS, database_ok=FLAGS, monitor_age_s=AGES, maintenance=FLAGS, stopping=FLAGS,
    ),
)  # fmt: skip
OBSERVATIONS = st.builds(
    Observation,
    now_s=st.just(NOW_S),
    network=st.builds(
        NetworkReport, peer_missed=st.integers(0, 5), peer_round_trip_ms=st.none(),
        gateway_answers=st.one_of(st.none(), FLAGS), targets=st.dictionaries(st.sampled_from(["t1", "t2"]), FLAGS),
        others_answer_age_s=AGES,
    ),
    database=DATABASES, peer=PEERS, heartbeat_age_s=AGES, replication_alive_age_s=AGES,
    peer_write_probe_ok=st.one_of(st.none(), FLAGS), peer_probe_age_s=AGES, stalled_s=st.sampled_from([0.0, 0.5, 30.0]),
    peer_asked_age_s=AGES, peer_called_age_s=AGES,
    alarms=st.dictionaries(
        st.sampled_from(["standby-offline", "replication-duplicate-row", "conflict"]),
        st.just(Alarm("code", "text", NOW)),
    ),
)  # fmt: skip
STATES = st.builds(
    NodeState, node_id=st.just("node"), role=st.sampled_from(list(Role)), term=st.just(4),
    phase=st.sampled_from(list(Phase)), peer=st.just(PEER), standby_out=FLAGS,
    fence=st.one_of(st.none(), st.builds(Fence, st.sampled_from(list(FenceReason)), st.just(NOW))),
    promotion=st.one_of(st.none(), st.builds(Promotion, st.just(4), st.just(NOW), st.just("failover"))),
    last_failover_at=st.one_of(st.none(), st.just(NOW - timedelta(seconds=60))), stable_since_failover=FLAGS,
    operation=st.one_of(
        st.none(),
        st.builds(
            Operation, st.just("j"), st.sampled_from(["swap", "maintenance"]),
            st.sampled_from([NOW - timedelta(seconds=1), NOW + timedelta(seconds=9)]),
        ),
    ),
)  # fmt: skip
MEMORIES = st.builds(
    PilotMemory, started_s=SINCE, caught_up=FLAGS, frozen_since_s=SINCE, fence_since_s=SINCE, read_only_since_s=SINCE,
    contact=st.one_of(st.none(), st.builds(Contact, st.just(NOW_S), AGES, FLAGS)), acknowledging_since_s=SINCE,
    standby_failing_since_s=SINCE, write_fair_since_s=SINCE, restarted_s=SINCE, database_uptime_s=SINCE,
)  # fmt: skip
CONFIGS = st.builds(
    PairConfig, st.just(1.0), st.sampled_from([2, 3]), st.sampled_from(list(ProtectionMode)), service_failover=FLAGS
)


@settings(max_examples=300, deadline=None)
@given(MEMORIES, STATES, CONFIGS, OBSERVATIONS)
def test_no_observation_leads_to_a_forbidden_act(
    memory: PilotMemory, state: NodeState, config: PairConfig, seen: Observation
) -> None:
    decision = decide(memory, state, config, seen, NOW)
    acts = decision.acts
    assert all(act.why and act.rule for act in acts)
    if any(isinstance(act, Lift) for act in acts):
        assert state.role is not Role.SECONDARY
        assert not any(isinstance(act, FenceSelf) for act in acts)
        in_conflict = state.fence is not None and state.fence.reason is FenceReason.CONFLICT
        assert not in_conflict or state.phase is not Phase.PAIRED or state.role is Role.STANDALONE
    for act in acts:
        if isinstance(act, Promote) and not act.resume:
            assert state.role is Role.SECONDARY
            assert act.term == state.term + 1
            assert memory.caught_up
            if act.cause is Cause.FAILOVER:
                assert seen.network.gateway_answers or any(seen.network.targets.values())
    kinds = [type(act) for act in acts]
    if RecordStandbyOut in kinds and SetSemiSync in kinds:
        assert kinds.index(RecordStandbyOut) < kinds.index(SetSemiSync)
    out = [act for act in acts if isinstance(act, RecordStandbyOut)]
    assert not out or config.protection_mode is not ProtectionMode.PROTECTION or out[0].rule == "peer-left"
    if state.operation is not None and state.operation.kind == "swap" and state.operation.until > NOW:
        assert acts == ()


@settings(max_examples=100, deadline=None)
@given(MEMORIES, STATES, CONFIGS, OBSERVATIONS)
def test_a_decision_depends_on_nothing_but_its_arguments(
    memory: PilotMemory, state: NodeState, config: PairConfig, seen: Observation
) -> None:
    assert decide(memory, state, config, seen, NOW) == decide(memory, state, config, seen, NOW)
