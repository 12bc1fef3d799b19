"""The matrix is whole, its order depends on the seed alone, and each part of it is a part."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from tests.chaos.__main__ import SEED, chosen, left, parser
from tests.chaos.cells import ACTIVITIES, BLOCK, FAULTS, Cell, Failover, all_cells, in_order, part_of
from tests.chaos.results import Results, key_of
from tests.lab.places import LabError

ONE_SIDED, MUTUAL = 13, 2
CELLS = 2 * len(ACTIVITIES) * (2 * ONE_SIDED + MUTUAL)


def arguments(*given: str) -> argparse.Namespace:
    return parser().parse_args(given)


def test_every_fault_meets_every_activity_on_either_server_in_both_networks() -> None:
    cells = all_cells()
    assert len(set(cells)) == len(cells) == CELLS
    assert {cell.fault for cell in cells} == set(FAULTS)
    assert {cell.side for cell in cells if cell.fault == "pause"} == {"primary", "secondary"}


def test_the_order_depends_on_the_seed_alone_and_both_networks_come_early() -> None:
    cells = all_cells()
    assert in_order(cells, 7) == in_order(all_cells(), 7) != in_order(cells, 8)
    assert sorted(in_order(cells, 7)) == sorted(cells)
    assert {cell.topology for cell in in_order(cells, 7)[: 2 * BLOCK]} == {"same", "routed"}


def test_the_parts_together_are_the_whole() -> None:
    cells = in_order(all_cells(), SEED)
    parts = [part_of(cells, number, 4) for number in range(1, 5)]
    assert sorted(cell for part in parts for cell in part) == sorted(cells)


def test_options_select_and_a_cell_names_the_options_that_select_it() -> None:
    assert len(chosen(arguments("--while", "swap", "--topology", "same"))) == CELLS / 2 / len(ACTIVITIES)
    for cell in (all_cells()[0], all_cells()[-1]):
        assert chosen(arguments(*cell.arguments.split())) == [cell]


@pytest.mark.parametrize("part", ["0/4", "5/4", "1", "a/b", "1/0"])
def test_a_part_that_there_is_not_is_refused(part: str) -> None:
    with pytest.raises(LabError, match="K/N"):
        chosen(arguments("--part", part))


def test_a_resumed_run_leaves_out_what_was_tried_and_repeats_failures_only_when_told_to(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl")
    passed, failed, new = all_cells()[:3]  # the new one had no lab
    results.add({**key_of(passed), "passed": False})
    results.add({**key_of(passed), "passed": True})
    results.add({**key_of(failed), "passed": False})
    results.add({**key_of(new), "passed": False, "tried": False})
    cells = [passed, failed, new]
    assert left(cells, results, arguments()) == cells
    assert left(cells, results, arguments("--resume")) == [new]
    assert left(cells, results, arguments("--resume", "--failed")) == [failed, new]


def test_a_cells_moments_are_its_own_and_the_same_each_time() -> None:
    one, other = all_cells()[:2]
    assert one.draw(SEED).random() == one.draw(SEED).random() != other.draw(SEED).random()


@pytest.mark.parametrize(
    ("fault", "side", "failover"),
    [
        ("power-cut", "primary", Failover.MUST),
        ("power-cut", "secondary", Failover.NEVER),
        ("isolate", "secondary", Failover.NEVER),
        ("cut-peer", "both", Failover.MUST),
        ("one-way", "secondary", Failover.MUST),
        ("drop-ping", "primary", Failover.NEVER),
        ("kill-monitor", "primary", Failover.NEVER),
        ("disk-full", "primary", Failover.MAY),
        ("gateway-down", "both", Failover.NEVER),
    ],
)
def test_the_matrix_knows_what_the_failover_rules_say(fault: str, side: str, failover: Failover) -> None:
    assert Cell("same", "idle", fault, side).failover is failover
    assert Cell("same", "swap", fault, side).failover is Failover.MAY
