"""A fixed few cells of the fault matrix on a real pair; `make chaos` tries them all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos import pairs
from tests.chaos.__main__ import SEED
from tests.chaos.cells import Cell, all_cells
from tests.chaos.judge import judge
from tests.chaos.trial import run
from tests.lab.servers import Servers

pytestmark = [pytest.mark.lab, pytest.mark.timeout(400)]
FEW = (
    Cell("same", "swap", "kill-monitor", "secondary"),
    Cell("same", "file-burst", "kill-mariadb", "primary"),
)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A stable pair in which one failover may follow another at once."""
    made = pairs.new_pair("same")
    yield made
    pairs.remove(made)


def test_the_few_are_of_the_matrix() -> None:
    assert set(FEW) <= set(all_cells())


@pytest.mark.parametrize("cell", FEW, ids=lambda cell: cell.key)
def test_nothing_is_lost_and_the_pair_is_well_again_by_itself(servers: Servers, cell: Cell) -> None:
    course, evidence = run(cell, servers, SEED)
    assert judge(cell, evidence) == [], course.notes
