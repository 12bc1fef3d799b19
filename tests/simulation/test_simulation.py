"""Many seeded runs of both nodes' real core through a fake world: safety under faults, stable after them."""

from __future__ import annotations

import multiprocessing
import shlex
from dataclasses import replace

import pytest

from tests.simulation.faults import Fault
from tests.simulation.many import shrink, simulate_many
from tests.simulation.mutants import MUTANTS
from tests.simulation.run import from_text, run, simulate
from tests.simulation.scenarios import AVAILABILITY, FOLDER, PERFORMANCE, PROTECTION, SCENARIOS, Scenario

RUNS = 10_000
"""`python -m tests.simulation --schedules N` runs more."""


@pytest.mark.timeout(1800)
def test_the_invariants_hold_in_every_run() -> None:
    results = list(simulate_many(0, RUNS, multiprocessing.cpu_count()))
    broken = [shrink(result).report() for result in results if result.failure]
    assert not broken, "\n\n".join(broken)
    assert sum(result.failovers for result in results) > RUNS / 10, "the runs must lead to failovers"
    assert sum(result.rescued > 0 for result in results) > RUNS / 50, "the runs must lead to rescues"


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_replays_the_same_run(seed: int) -> None:
    assert simulate(seed, tracing=True) == simulate(seed, tracing=True)


def test_a_broken_run_says_how_to_replay_it() -> None:
    assert "python -m tests.simulation --seed 3 --trace" in simulate(3).report()


def test_a_broken_run_is_shrunk_to_what_breaks_it_and_says_how_to_replay_that() -> None:
    """A core that believes ping alone: some lost pings are enough to show it, whatever else goes wrong."""
    mutant = next(each for each in MUTANTS if each.name == "believes ping alone")
    assert mutant.config is not None
    plan = (Fault(0.2, "slow-disk", "a", 6.0, amount=0.1), *mutant.plan, Fault(9.0, "kill-monitor", "a", 2.0))
    with mutant.broken():
        broken = run(7, mutant.config, plan)
        assert broken.failure
        small = shrink(broken)
        assert [fault.kind for fault in small.plan] == ["drop-ping"]
        assert small.plan[0].lasts < mutant.plan[0].lasts
        words = shlex.split(small.command)
        config, replayed = from_text(words[words.index("--story") + 1])
        assert run(small.seed, config, replayed).failure == small.failure


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_story_is_the_one_in_the_transcript(scenario: Scenario) -> None:
    written = scenario.path.read_text(encoding="utf-8")
    assert scenario.transcript() == written, "run `python -m tests.simulation --transcripts` and read the difference"
    assert "BROKEN" not in written


def test_every_transcript_belongs_to_a_scenario() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {scenario.path.name for scenario in SCENARIOS}


@pytest.mark.parametrize("kind", ["isolate", "gateway-down", "drop-ping", "kill-monitor"])
@pytest.mark.parametrize("node", ["a", "b"])
def test_faults_that_must_not_lead_to_a_failover_do_not(kind: str, node: str) -> None:
    if (kind, node) == ("isolate", "a"):
        return
    for seed in range(20):
        result = run(seed, AVAILABILITY, (Fault(1.0, kind, node, 12.0),))
        assert not result.failure
        assert result.failovers == 0


def test_two_forced_commands_end_in_a_conflict_in_which_nobody_writes() -> None:
    plan = (Fault(1.0, "cut-peer", "a", 14.0), Fault(2.0, "force", "b", 1.0), Fault(2.0, "force", "a", 1.0))
    slow_detection = replace(AVAILABILITY, ping_iterations=20)
    result = run(7, slow_detection, plan, tracing=True)
    assert all(f"{name} is fenced: conflict" in result.failure for name in "ab")
    opened = max(i for i, line in enumerate(result.trace) if "Lift" in line or "administrator" in line)
    assert opened < next(i for i, line in enumerate(result.trace) if "conflict" in line)


def test_a_dead_primary_is_always_replaced() -> None:
    for config in (AVAILABILITY, PROTECTION, PERFORMANCE):
        for seed in range(20):
            result = run(seed, config, (Fault(1.0, "crash", "a", 12.0),))
            assert not result.failure
            assert result.failovers == 1
