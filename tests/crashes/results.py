"""Results of trials, one JSON line each; the last line of a combination counts."""

from __future__ import annotations

import json
from pathlib import Path

from tests.crashes.trial import Trial

KEPT = Path(__file__).with_name("lab-results.jsonl")
"""The results that docs/crashes.md shows."""


def add(path: Path, trial: Trial) -> None:
    """The trial is the file's last line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(trial.line() + "\n")


def read(path: Path) -> dict[str, Trial]:
    """The last trial of each combination; none where there is no file."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [Trial(**json.loads(line)) for line in lines if line.strip()]
    return {trial.key: trial for trial in found}


def held(path: Path) -> set[str]:
    """The combinations whose last trial held."""
    return {key for key, trial in read(path).items() if trial.held}


def merge(path: Path) -> dict[str, Trial]:
    """The kept results with those of `path`, which are kept from now on."""
    both = {**read(KEPT), **read(path)}
    KEPT.write_text("".join(both[key].line() + "\n" for key in sorted(both)), encoding="utf-8")
    return both
