"""The simulation can fail: every deliberate breakage of the core is caught."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.run import Result, run, simulate

SEEDS = 600
"""A breakage that so many runs don't show counts as not caught."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_breakage_is_caught(mutant: Mutant) -> None:
    with mutant.broken():
        failures = (_run(mutant, seed).failure for seed in range(SEEDS))
        caught = next((failure for failure in failures if failure.startswith(mutant.caught_by)), None)
    assert caught, f"{SEEDS} runs did not show that the core {mutant.name}"


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.plan], ids=lambda mutant: mutant.name)
def test_the_plan_that_catches_it_holds_with_the_real_core(mutant: Mutant) -> None:
    for seed in range(10):
        assert not _run(mutant, seed).failure


def _run(mutant: Mutant, seed: int) -> Result:
    if mutant.config is None:
        return simulate(seed)
    return run(seed, mutant.config, mutant.plan)
