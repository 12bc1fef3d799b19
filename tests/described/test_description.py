"""Every call answers as the description says, whatever it is asked; `python -m tests.described` asks more."""

from __future__ import annotations

import json

import pytest

from app.adapters.store import SqliteNodeStore
from app.api.described import METHODS
from app.core.errors import NotAllowed
from app.schemas.jobs import JobPageSchema
from tests.browser.description import current
from tests.described.rehearsal import Rehearsal
from tests.described.stage import Scene

EXAMPLES = 3
"""Of each kind for each call; `python -m tests.described --examples 200` is for people with time."""
SEED = 1
CALLS = [
    f"{method.upper()} {path}"
    for path, item in json.loads(current())["paths"].items()
    for method in METHODS
    if method in item
]


@pytest.fixture(scope="module")
def rehearsals(tmp_path_factory: pytest.TempPathFactory) -> dict[Scene, Rehearsal]:
    return {scene: Rehearsal(tmp_path_factory.mktemp(str(scene)), scene) for scene in Scene}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_answers_as_it_is_described(rehearsals: dict[Scene, Rehearsal], call: str) -> None:
    scene = list(Scene)[CALLS.index(call) % len(Scene)]
    broken, answers = rehearsals[scene].broken_promises(call, EXAMPLES, SEED)
    assert broken == []
    assert answers.total() >= 1


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (RuntimeError("a mistake of ours"), "The API made a mistake"),
        (NotAllowed("odd", "A Status That GET /jobs Does Not Describe"), "Undocumented status code"),
    ],
    ids=["500", "409"],
)
def test_an_answer_that_is_not_described_is_found(
    rehearsals: dict[Scene, Rehearsal], monkeypatch: pytest.MonkeyPatch, error: Exception, title: str
) -> None:
    def failing(*_arguments: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr(SqliteNodeStore, "jobs", failing)
    broken, _ = rehearsals[Scene.STANDALONE].broken_promises("GET /api/v1/jobs", EXAMPLES, SEED)
    assert [each for each in broken if title in each]


def test_an_answer_of_another_shape_is_found(
    rehearsals: dict[Scene, Rehearsal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobPageSchema, "dump", lambda *_arguments, **_named: {"items": "none"})
    broken, _ = rehearsals[Scene.STANDALONE].broken_promises("GET /api/v1/jobs", EXAMPLES, SEED)
    assert [each for each in broken if "violates schema" in each]
