"""Every call of the description by every kind of visitor, on the real application with real stores.

The views are replaced by one that notes that it was reached, under the same marks: so a cell says exactly whether its
visitor came through the door, and a run of all of them changes nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from app.access_page import CODES, COLUMNS, IN, page, rows
from app.api.described import ACCESS, MEANINGS, access_of, operations
from app.api.reference import description
from app.core.access import Scope
from app.passwords import digest
from tests.unit.api.real_world import ADMINISTRATOR, AUDITOR, NEWCOMER, RealWorld, bearer, browser, real_world

PAGE = Path(__file__).resolve().parents[3] / "docs" / "access.md"
BESIDE = {"/api/v1/openapi.json", "/api/v1/docs", "/api/v1/docs/style.css", "/dashboard/", "/dashboard/<path:page>"}
"""What is no call of the API: its description, and the pages of rq-dashboard."""

Headers = dict[str, str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWorld]:
    with real_world(tmp_path_factory.mktemp("matrix")) as found:
        yield found


@pytest.fixture(scope="module")
def visitors(world: RealWorld) -> dict[str, Headers]:
    """The headers of each kind of visitor."""
    found: dict[str, Headers] = {"nobody": {}, "wrong token": bearer("never made")}
    for name, scope in [*((str(each), each) for each in Scope), ("expired token", Scope.CONFIGURE)]:
        ends_at = world.clock.now() - timedelta(seconds=1) if name == "expired token" else None
        world.access.add_token(name.replace(" ", "-"), name, scope, digest(f"secret {name}"), ADMINISTRATOR, ends_at)
        found[name] = bearer(f"secret {name}")
    for column, name in (("auditor", AUDITOR), ("administrator", ADMINISTRATOR), ("first password", NEWCOMER)):
        found[column] = browser(world, name)
    found["CSRF missing"] = {"Cookie": found["administrator"]["Cookie"]}
    return found


@pytest.fixture(scope="module")
def reached(world: RealWorld) -> list[tuple[str, str]]:
    """What came through the door, as (method, path); the views themselves do not run any more."""
    found: list[tuple[str, str]] = []

    def watched(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def watch(**_names: str) -> tuple[str, int]:
            found.append((request.method, request.path))
            return "", 204

        return watch

    world.app.view_functions = {name: watched(view) for name, view in world.app.view_functions.items()}
    return found


def test_each_cell_of_the_matrix_is_as_the_description_says(
    world: RealWorld, visitors: dict[str, Headers], reached: list[tuple[str, str]]
) -> None:
    wrong = []
    with world.app.app_context():
        matrix = rows(world.app)
    for method, path, _, cells in matrix:
        address = re.sub(r"\{[^}]*\}", "x", path)
        for column in COLUMNS:
            reached.clear()
            client = world.app.test_client(use_cookies=False)
            answer = client.open(address, method=method, headers=visitors[column], json={})
            came_in = reached == [(method, address)]
            code = None if came_in else answer.get_json()["code"]
            if cells[column] != IN and (came_in or code != CODES[cells[column]]):
                wrong.append(f"{method} {path} by {column}: {code or 'let in'} instead of {cells[column]}")
            if cells[column] == IN and not came_in:
                wrong.append(f"{method} {path} by {column}: {code} instead of let in")
    assert wrong == []


def test_every_call_states_its_access_and_stands_in_the_description(world: RealWorld) -> None:
    with world.app.app_context():
        document = description()
    for path, method, operation in operations(document):
        assert operation.get(ACCESS) in MEANINGS, f"{method} {path} states no access: mark its view (app.api.door)"
    routes = {rule.rule for rule in world.app.url_map.iter_rules()}
    described = {path.replace("{", "<").replace("}", ">") for path in document["paths"]}
    assert routes - described == BESIDE
    for rule in world.app.url_map.iter_rules():
        assert access_of(world.app.view_functions[rule.endpoint]) in MEANINGS, rule


def test_a_call_without_a_stated_access_lets_nobody_in(tmp_path: Path) -> None:
    with real_world(tmp_path) as world:
        app: Flask = world.app
        app.add_url_rule("/api/v1/forgotten", "forgotten", lambda: "inside")
        answer = app.test_client(use_cookies=False).get("/api/v1/forgotten", headers=browser(world, ADMINISTRATOR))
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")


def test_the_page_is_made_from_the_description() -> None:
    assert PAGE.read_text() == page(), "run `python -m app.access_page > docs/access.md`"
