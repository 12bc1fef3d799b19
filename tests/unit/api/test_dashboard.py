"""The RQ dashboard behind the console's door: who may look, who may press, and what its pages may do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import ResponseError
from werkzeug.test import TestResponse

from app.api import dashboard
from app.core.access import Scope
from tests.unit.api.world import Caller, World

PAGES = ("", "0/view/jobs", "0/view/workers", "0/data/queues.json", "static/css/main.css")
CHANGES = ("queue/hapair/compact", "queue/hapair/queued/empty", "requeue/hapair", "job/x/delete")


@pytest.fixture(autouse=True)
def _empty_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Redis that holds nothing: each command gives what an empty one would."""
    answers = {"SMEMBERS": set(), "ZRANGE": [], "LRANGE": [], "EXISTS": 0, "HGETALL": {}, "LPOP": None}
    monkeypatch.setattr(Redis, "execute_command", lambda self, name, *rest, **options: answers.get(name, 0))
    dashboard.dashboard.cache_clear()
    yield
    dashboard.dashboard.cache_clear()


def ask(caller: Caller, method: str, page: str, **headers: str) -> TestResponse:
    sent = caller.headers | {name.replace("_", "-"): value for name, value in headers.items()}
    client = caller.app.test_client(use_cookies=False)
    return client.open(f"/dashboard/{page}", method=method, headers=sent, base_url="https://alpha.example")


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_sees_the_pages_and_a_stranger_none(world: World, page: str) -> None:
    assert ask(world.caller(Scope.READ), "GET", page).status_code == 200
    assert ask(world.caller(None), "GET", page).status_code == 401


@pytest.mark.parametrize("page", CHANGES)
@pytest.mark.parametrize("scope", [None, Scope.READ, Scope.OPERATE])
def test_only_who_may_configure_presses_its_buttons(world: World, page: str, scope: Scope | None) -> None:
    assert ask(world.caller(scope), "POST", page).status_code in {401, 403}


def test_what_an_administrator_presses_is_done_and_recorded(world: World, call: Caller) -> None:
    assert ask(call, "POST", "queue/hapair/compact").get_json() == {"status": "OK"}
    newest = world.store.activity()[0]
    assert (newest.action, newest.outcome, newest.detail) == ("dashboard", "done", {"button": "queue/hapair/compact"})


def test_the_address_of_its_first_page_leads_there(call: Caller) -> None:
    answer = ask(call, "GET", "0/view/queues")
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://alpha.example/dashboard/")


@pytest.mark.parametrize("page", CHANGES)
def test_nothing_is_changed_by_a_link(call: Caller, page: str) -> None:
    assert ask(call, "GET", page).status_code == 404


def test_a_browser_needs_the_token_of_its_session(world: World) -> None:
    browser = world.browser()
    page = ask(browser, "GET", "")
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith(f"_csrf_token={browser.headers['X-CSRF-Token']};")
    assert {"Secure", "Path=/dashboard/", "SameSite=Strict"} <= {part.strip() for part in cookie.split(";")}
    stranger = Caller(browser.app, {"Cookie": browser.headers["Cookie"]})
    assert ask(stranger, "POST", "queue/hapair/compact").status_code == 403
    assert ask(stranger, "POST", "queue/hapair/compact", X_CSRF_Token="guessed").status_code == 403
    assert ask(browser, "POST", "queue/hapair/compact").status_code == 200


def test_a_page_runs_its_own_script_and_reaches_nothing_but_itself(call: Caller) -> None:
    page = ask(call, "GET", "")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    nonce = re.search(r"'nonce-([^']+)'", policy["script-src"])
    assert nonce is not None
    inline = re.findall(r"<script(?![^>]*src=)(?![^>]*text/template)([^>]*)>", page.text)
    assert inline == [f' type="text/javascript" nonce="{nonce[1]}"']
    assert "'unsafe-inline'" not in policy["script-src"]
    assert policy["connect-src"] == "https://alpha.example/dashboard/"
    assert policy["default-src"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert nonce[1] not in ask(call, "GET", "").text


def test_a_host_name_can_not_widen_the_policy() -> None:
    assert "evil" not in dashboard.policy("n", "evil.example; script-src *")


@pytest.mark.parametrize("page", ["1/view", "0/view/job/none", "0/data/jobs/q/nonsense/8/asc/1.json", "nonsense"])
def test_what_is_not_there_is_not_found(call: Caller, page: str) -> None:
    answer = ask(call, "GET", page)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("page", ["0/view/workers", "0/data/queues.json"])
def test_it_says_when_redis_is_down(call: Caller, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    def down(*_: object, **__: object) -> None:
        raise RedisDown("gone")

    monkeypatch.setattr(Redis, "execute_command", down)
    answer = ask(call, "GET", page)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "queue-down")
    assert dashboard.QUEUE_DOWN not in answer.headers


def test_what_redis_refuses_is_not_called_down(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise ResponseError("no such key")

    monkeypatch.setattr(Redis, "execute_command", refuses)
    answer = ask(call, "POST", "queue/hapair/compact")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "dashboard-failed")


def test_jobs_are_never_unpickled(world: World) -> None:
    from rq.serializers import JSONSerializer, resolve_serializer

    assert isinstance(dashboard.dashboard("redis://localhost"), Flask)
    assert resolve_serializer(None) is JSONSerializer
