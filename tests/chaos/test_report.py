"""The report says what was tried and what was not, and its pictures are drawn from the kept lines alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from tests.chaos import report
from tests.chaos.cells import Cell, all_cells
from tests.chaos.results import Results, key_of, spans_of, write_spans
from tests.chaos.runner import Runner
from tests.chaos.witness import NO_ANSWER, Sample

SEED = 5
CELL = Cell("same", "swap", "pause", "primary")


def line(cell: Cell, **other: Any) -> dict[str, Any]:
    return {
        **key_of(cell), "seed": SEED, "version": "abc", "passed": True, "complaints": [], "notes": ["swap reverted"],
        "befallen": "a", "primary_before": "a", "primary_after": "b", "failovers": 1, "outage_s": 3.4,
        "stable_after_s": 7.7, "rows": 900, "rows_rescued": 0, "rows_lost": 0, "files": 0, "files_rescued": 0,
        "fault_at_s": 1.0, "healed_at_s": 7.0, "stable_at_s": 14.7, "ended_at_s": 15.0,
        "roles": {"a": [[0.0, 1.0, "primary"], [1.0, 7.0, NO_ANSWER], [7.0, 15.0, "secondary"]],
                  "b": [[0.0, 4.4, "secondary"], [4.4, 15.0, "primary"]]},
        "writes": {"a": [[0.1, 1.0]], "b": [[4.4, 15.0]]}, **other,
    }  # fmt: skip


def test_the_page_has_a_row_for_what_was_tried_and_names_what_was_not(tmp_path: Path) -> None:
    refused = Cell("routed", "idle", "slow", "secondary")
    failed = line(Cell("same", "swap", "slow", "primary"), passed=False, complaints=["2 rows | gone"])
    untried = {**key_of(refused), "passed": False, "tried": False, "complaints": ["no lab"], "version": "abc"}
    found = {CELL: line(CELL), Cell("same", "swap", "slow", "primary"): failed, refused: untried}
    said = report.write(found, tmp_path, SEED)
    page = (tmp_path / "README.md").read_text()
    assert said.startswith(f"3 of {len(all_cells())} cells tried, 1 passed")
    assert "| pause | primary (alpha) | passed | yes | 3.4 | 7.7 | 900 |  |  | swap reverted |" in page
    assert "2 rows / gone; swap reverted |" in page
    assert "| slow | secondary | **FAILED** |" in page
    assert f"**not yet run {len(all_cells()) - 3}**" in page
    assert "Not yet run: all 28 cells." in page
    assert f"--seed {SEED}" in page


def test_the_picture_is_well_formed_and_shows_roles_and_writes_of_both_hosts(tmp_path: Path) -> None:
    report.write({CELL: line(CELL)}, tmp_path, SEED)
    drawn = ET.parse(tmp_path / "same-swap.svg").getroot()  # noqa: S314 - we have just written it
    fills = [each.get("fill") for each in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert fills.count("#2ca02c") == 3  # two spans of writes, and the legend's square
    assert fills.count("#1f77b4") == 3


def test_a_run_writes_its_report_over_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "old.svg").write_text("<svg/>")
    report.write({}, tmp_path, SEED)
    assert [each.name for each in tmp_path.iterdir()] == ["README.md"]


def test_spans_join_what_is_the_same_and_leave_gaps_where_nobody_wrote() -> None:
    samples = [Sample(at_s, label) for at_s, label in ((10.0, "primary"), (10.5, "primary"), (11.0, NO_ANSWER))]
    assert spans_of(samples, 10.0) == [[0.0, 1.0, "primary"], [1.0, 1.0, NO_ANSWER]]
    assert write_spans([1.0, 1.1, 3.0]) == [[1.0, 1.1], [3.0, 3.0]]


def test_a_cell_that_could_not_be_tried_is_a_failure_and_not_an_end(tmp_path: Path, monkeypatch: Any) -> None:
    def no_lab(topology: str) -> None:
        raise AssertionError("no room")

    monkeypatch.setattr("tests.chaos.pairs.new_pair", no_lab)
    results = Results(tmp_path / "results.jsonl")
    assert Runner(results, tmp_path / "failures", SEED).go([CELL, all_cells()[0]]) == 2
    assert [each["complaints"] for each in results.latest().values()] == [["The cell could not be tried: no room"]] * 2
    assert "no room" in (tmp_path / "failures" / "same-swap-pause-primary.txt").read_text()
