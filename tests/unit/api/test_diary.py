"""Each call that changes something leaves exactly one entry in the activity log, however it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.api.diary import STRANGERS_NOTED_MAX, STRANGERS_WINDOW_S
from app.api.reference import description
from app.core.access import Scope
from tests.unit.api.test_door import filled
from tests.unit.api.world import Caller, World, make_world

PREFIX = "/api/v1"
SAFE = {"get", "head", "options"}


def changes() -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, body schema) of each operation that changes something, from the description."""
    app = make_world(Path("/nonexistent")).app
    with app.app_context():
        document = description()
    found = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if isinstance(operation, dict) and method not in SAFE:
                media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
                name = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
                shape = document["components"]["schemas"].get(name, {})
                found.append((method.upper(), path.removeprefix(PREFIX), shape))
    return found


CHANGES = changes()
NAMES = [f"{method} {path}" for method, path, _ in CHANGES]


def address_of(path: str) -> str:
    return filled(path.replace("{", "<").replace("}", ">"))


def sample(shape: dict[str, Any]) -> dict[str, Any]:
    """A body of the right types for what the description asks."""
    kinds: dict[str, Any] = {"integer": 5, "boolean": False, "string": "text of some length", "array": [], "object": {}}
    values = {}
    for name in shape.get("required", []):
        known = shape["properties"].get(name, {})
        values[name] = (known.get("enum") or [kinds.get(str(known.get("type")), "text")])[0]
    return values


def attempts(world: World, shape: dict[str, Any]) -> list[tuple[str, Caller, Any]]:
    """Callers of all kinds, with bodies of all kinds."""
    administrator, browser = world.caller(), world.browser()
    without_csrf = Caller(world.app, {name: value for name, value in browser.headers.items() if name != "X-CSRF-Token"})
    return [
        ("nobody", world.caller(None), sample(shape)),
        ("a wrong token", Caller(world.app, {"Authorization": "Bearer wrong"}), sample(shape)),
        ("a token that may only read", world.caller(Scope.READ), sample(shape)),
        ("no CSRF token", without_csrf, sample(shape)),
        ("an administrator", administrator, sample(shape)),
        ("a browser", browser, sample(shape)),
        ("unknown fields", administrator, {"nothing": "known"}),
        ("no object", administrator, [1]),
    ]


@pytest.mark.parametrize(("method", "path", "shape"), CHANGES, ids=NAMES)
def test_each_attempt_at_a_change_leaves_exactly_one_entry(
    tmp_path: Path, method: str, path: str, shape: dict[str, Any]
) -> None:
    for who, caller, body in attempts(world := make_world(tmp_path), shape):
        before = world.store.activity_head().entry
        answer = caller(method, address_of(path), body)
        answer.close()
        entries = world.store.activity_after(before, 10)
        # What a job of the checks does stands there besides, as what it is.
        own = [each for each in entries if not each.action.startswith("job:")]
        assert len(own) == 1, (who, answer.status_code, own)
        (entry,) = own
        expected = "done" if answer.status_code < 400 else "refused" if answer.status_code < 500 else "failed"
        assert entry.outcome == expected, (who, answer.status_code, entry)
        if expected != "done":
            assert entry.detail["code"] == answer.get_json()["code"], who


@pytest.mark.parametrize(("method", "path", "shape"), CHANGES, ids=NAMES)
def test_a_body_that_is_no_json_leaves_one_entry_too(
    world: World, method: str, path: str, shape: dict[str, Any]
) -> None:
    caller = world.caller()
    for content_type, data in (("application/json", b"{"), ("text/plain", b"x"), ("application/json", b"\xff")):
        before = world.store.activity_head().entry
        client = world.app.test_client(use_cookies=False)
        headers = {**caller.headers, "Content-Type": content_type}
        answer = client.open(PREFIX + address_of(path), method=method, headers=headers, data=data)
        entries = world.store.activity_after(before, 10)
        assert len([each for each in entries if not each.action.startswith("job:")]) == 1, answer.status_code
        answer.close()


def test_looking_leaves_no_entry_but_looking_at_what_one_may_not_does(world: World) -> None:
    reader = world.caller(Scope.READ)
    for path in ("/ha/config", "/activity", "/jobs", "/session"):
        reader("GET", path)
    assert world.store.activity().items == ()
    reader("GET", "/users")
    (entry,) = world.store.activity()
    assert (entry.actor, entry.outcome, entry.detail["code"]) == ("token:read", "refused", "scope-too-small")


def test_a_stranger_who_goes_on_does_not_fill_the_disk(world: World) -> None:
    stranger = world.caller(None)
    for _ in range(STRANGERS_NOTED_MAX + 10):
        stranger("POST", "/ha/swap", X_Forwarded_For="192.0.2.66")
    noted = world.store.activity(limit=500)
    assert len(noted) == STRANGERS_NOTED_MAX
    assert (noted[0].actor, noted[0].address, noted[0].action) == ("unknown", "192.0.2.66", "swap")
    world.clock.advance(STRANGERS_WINDOW_S)
    stranger("POST", "/ha/swap")
    assert len(world.store.activity(limit=500)) == STRANGERS_NOTED_MAX + 1
