"""Tokens, users and refusals at the door; who may call what is tested by test_access_matrix.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.access import Scope
from tests.unit.api.world import PASSWORD, Caller, World, make_world

API = "/api/v1/"
"""The dashboard, which is no part of the API, has tests of its own."""


def calls() -> list[tuple[str, str]]:
    """(method, path) of every call, from the application's own routes."""
    app = make_world(Path("/nonexistent")).app
    return sorted(
        (method, rule.rule.removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(API)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


CALLS = calls()


def filled(path: str) -> str:
    path = path.replace("<job_id>", "job-1").replace("<rescue_id>", "r").replace("<test_id>", "t")
    return path.replace("<token_id>", "t").replace("<name>", "nobody")


def test_every_call_of_the_contract_is_there_and_described(call: Caller) -> None:
    described = set(call("GET", "/openapi.json").get_json()["paths"])
    for path in (
        "/session", "/tokens", "/ha/config", "/ha/config/draft", "/ha/fingerprint", "/ha/preflight", "/ha/apply",
        "/ha/retry", "/ha/swap", "/ha/takeover", "/ha/resume", "/ha/resolve", "/ha/maintenance", "/ha/status",
        "/ha/status/stream", "/ha/events", "/jobs", "/jobs/{job_id}", "/jobs/{job_id}/stream", "/activity", "/system",
        "/ha/rescues", "/ha/rescues/{rescue_id}", "/ha/rescues/{rescue_id}/download",
        "/health/live", "/health/ready", "/health/primary", "/metrics",
    ):  # fmt: skip
        assert f"/api/v1{path}" in described


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic YTpi", "bearer " + "x" * 5000, "Bearer \u00e9"])
def test_a_broken_authorization_is_a_clear_refusal(world: World, header: str) -> None:
    answer = Caller(world.app, {"Authorization": header})("GET", "/session")
    assert answer.status_code == 401


def test_a_refused_change_stands_in_the_activity_log(world: World) -> None:
    world.caller(Scope.READ)("POST", "/ha/swap")
    (entry,) = world.store.activity()
    assert (entry.actor, entry.outcome) == ("token:read", "refused")


def test_a_token_is_shown_once_and_works_until_it_is_withdrawn(world: World, call: Caller) -> None:
    made = call("POST", "/tokens", {"label": "ansible", "scope": "operate"})
    assert made.status_code == 201
    secret = made.get_json()["token"]
    robot = Caller(world.app, {"Authorization": f"Bearer {secret}"})
    assert robot("GET", "/session").get_json()["username"] == "token:ansible"
    listed = call("GET", "/tokens")
    assert secret not in listed.text
    assert "ansible" in [token["label"] for token in listed.get_json()["items"]]
    assert call("DELETE", f"/tokens/{made.get_json()['id']}").status_code == 204
    assert robot("GET", "/session").status_code == 401
    assert call("DELETE", f"/tokens/{made.get_json()['id']}").status_code == 404
    assert secret not in str(world.store.activity())


def test_roots_own_token_keeps_the_person_behind_sudo_and_can_not_be_withdrawn(world: World, call: Caller) -> None:
    from app.passwords import digest

    world.access.add_token("local", "root", Scope.CONFIGURE, digest("local secret"), "hapair")
    root = Caller(world.app, {"Authorization": "Bearer local secret"})
    assert root("GET", "/session", X_Hapair_Person="dana").get_json()["username"] == "root (dana)"
    assert root("GET", "/session").get_json()["username"] == "root"
    assert call("GET", "/session", X_Hapair_Person="root").get_json()["username"] == "token:configure"
    assert call("DELETE", "/tokens/local").get_json()["code"] == "token-kept"


def test_users_are_added_changed_and_removed(world: World, call: Caller) -> None:
    assert call("POST", "/users", {"name": "lee", "password": "a password of lee's"}).status_code == 422
    assert call("POST", "/users", {"name": "lee", "password": "quite a long one"}).status_code == 201
    assert call("POST", "/users", {"name": "lee", "password": "quite a long one"}).get_json()["code"] == "user-exists"
    assert world.log_in("lee", "quite a long one").status_code == 200
    assert call("PUT", "/users/lee/password", {"password": "quite another one"}).status_code == 204
    assert world.log_in("lee", "quite a long one").status_code == 401
    assert {user["name"] for user in call("GET", "/users").get_json()["items"]} == {"dana", "lee"}
    assert "argon2" not in call("GET", "/users").text
    assert call("DELETE", "/users/lee").status_code == 204
    assert world.log_in("lee", "quite another one").status_code == 401
    assert call("DELETE", "/users/dana").get_json()["code"] == "last-administrator"
    assert call("PUT", "/users/lee/password", {"password": "quite another one"}).status_code == 404


def test_a_new_password_ends_the_users_other_sessions_only(world: World) -> None:
    own, other = world.browser(), world.browser()
    wanted = {"current": PASSWORD, "password": "quite another one"}
    assert own("PUT", "/session/password", wanted).status_code == 200
    assert own("GET", "/session").status_code == 200
    assert other("GET", "/session").status_code == 401
