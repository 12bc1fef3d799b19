"""Wrong input everywhere: a clear refusal, nothing changed, never an error of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.body import BODY_BYTES_MAX
from app.core.fields import FIELDS
from tests.unit.api.test_diary import CHANGES, address_of
from tests.unit.api.test_door import CALLS, filled
from tests.unit.api.world import Caller, World, check_problem

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 10**40, 1.5, -0.0, 1e308, "", " ", "\0", "a\0b", "\n", "\r\nX: y", "\x1b[31m",
    "\ud800", "\udfff\ud800", "\u202e", "\ufeff", "🦜" * 100, "' OR 1=1 --", '"; DROP TABLE users; --', "$(reboot)",
    "`reboot`", "; reboot #", "| nc -l", "../../../etc/passwd", "%s%n", "{{7*7}}", "${jndi:ldap://x}", "<script>",
    "A" * 70_000, [], {}, [[]], [None], {"": None}, {"$gt": ""}, ["primary"], {"HAServerRole": "primary"},
)  # fmt: skip
BODIES = (
    b"", b"{", b"[]", b"null", b"1", b'"text"', b"\xff\xfe", b"\0", b'{"a":1,"a":2}', b'{"HAPingIterations": NaN}',
    b'{"HAPingIterations": Infinity}', b"[" * 50_000, b'{"a":' * 50_000, b'{"HAPingIterations": ' + b"9" * 5000 + b"}",
    b"{'HAServerRole': 'primary'}", b'{"\\ud800": 1}', b"HAServerRole=primary", b"{}garbage",
    b'{"' + b"x" * 10_000 + b'": 1}',
)  # fmt: skip
JSON_CALLS = [each for each in CALLS if each[0] in {"POST", "PUT", "DELETE"}]
FINE = {200, 201, 202, 204}


def check(answer: Any) -> None:
    assert answer.status_code < 500 or answer.get_json()["code"] in {"worker-silent"}, answer.text[:500]
    if answer.status_code not in FINE:
        check_problem(answer)


@pytest.mark.parametrize("each", FIELDS, ids=lambda each: each.name)
def test_no_field_lets_a_hostile_value_through(world: World, call: Caller, each: Any) -> None:
    for value in HOSTILE:
        before = world.store.config()
        answer = call("PUT", "/ha/config/draft", {each.name: value}, If_Match=call.etag())
        check(answer)
        if answer.status_code == 422:
            assert each.name in answer.get_json()["errors"] or answer.get_json()["code"] == "invalid-configuration"
            assert world.store.config() == before
        else:
            assert answer.status_code == 200
            kept = answer.get_json()["draft"] or {}
            assert isinstance(kept.get(each.name, each.default), type(each.default))


@pytest.mark.parametrize(("method", "path"), JSON_CALLS)
def test_no_call_breaks_on_a_hostile_body(world: World, method: str, path: str) -> None:
    call = world.caller()
    client = world.app.test_client(use_cookies=False)
    for body in BODIES:
        answer = client.open(
            f"/api/v1{filled(path)}", method=method, data=body,
            headers={**call.headers, "If-Match": call.etag(), "Content-Type": "application/json"},
        )  # fmt: skip
        check(answer)


@pytest.mark.parametrize(("method", "path"), JSON_CALLS)
def test_no_call_breaks_on_hostile_values_of_the_names_it_knows(world: World, method: str, path: str) -> None:
    call = world.caller()
    names = ("username", "password", "label", "scope", "name", "confirm", "keep", "enabled", "minutes")
    for value in HOSTILE:
        for body in (dict.fromkeys(names, value), *({name: value} for name in names)):
            check(call(method, filled(path), body, If_Match='"1"'))


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/{}", "/jobs/{}/stream", "/tokens/{}", "/users/{}", "/users/{}/password", "/ha/events?before={}",
        "/jobs?before={}", "/activity?actor={}", "/activity?action={}&limit=2", "/{}", "/ha/{}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_no_address_breaks_it(call: Caller, path: str, method: str) -> None:
    for text in ("%00", "%0a", "%ff%fe", "..%2f..%2f", "%27%20OR%201=1", "a" * 5000, "%F0%9F%A6%9C", "%ED%A0%80", "-1"):
        answer = call(method, path.format(text), {"password": "long enough one"} if method == "PUT" else None)
        check(answer)


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-CSRF-Token", "Cookie", "If-Match", "Authorization", "Accept", "X-Hapair-Person"]
)
def test_no_header_breaks_it(world: World, header: str) -> None:
    for value in ("", "x" * 10_000, "\u00ff\u00fe", "a=b; a=c; ;;;", '"', "%00", ",,,,", "W/W/", "Bearer Bearer x"):
        call = world.caller()
        call.headers[header] = value
        check(call("PUT", "/ha/config/draft", {"HAPingIterations": 3}))


def test_a_body_beyond_the_bound_is_refused_unread(world: World, call: Caller) -> None:
    answer = call("PUT", "/ha/config/draft", {"HAAdminAlertScript": "x" * BODY_BYTES_MAX}, If_Match=call.etag())
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, shape in CHANGES if shape])
def test_no_call_that_takes_a_body_takes_one_beyond_the_bound(world: World, method: str, path: str) -> None:
    client = world.app.test_client(use_cookies=False)
    for caller in (world.caller(), world.browser()):
        answer = client.open(
            f"/api/v1{address_of(path)}", method=method, data=b" " * (BODY_BYTES_MAX + 1),
            headers={**caller.headers, "If-Match": '"1"', "Content-Type": "application/json"},
        )  # fmt: skip
        if answer.status_code != 403:
            assert (answer.status_code, answer.get_json()["code"]) == (413, "too-large")
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "", "é"])
def test_another_content_type_is_refused(call: Caller, kind: str) -> None:
    client = call.app.test_client(use_cookies=False)
    answer = client.put(
        "/api/v1/ha/config/draft", data=b'{"HAPingIterations": 3}',
        headers={**call.headers, "If-Match": call.etag(), "Content-Type": kind},
    )  # fmt: skip
    assert (answer.status_code, answer.get_json()["code"]) == (415, "not-json")
    check_problem(answer)


@pytest.mark.parametrize(("method", "status"), [("PATCH", 405), ("TRACE", 405), ("FOO", 405)])
def test_another_method_is_refused_with_those_that_are_allowed(call: Caller, method: str, status: int) -> None:
    answer = call(method, "/ha/config")
    assert answer.status_code == status
    assert "GET" in answer.headers["Allow"]


def test_no_secret_and_no_control_character_reaches_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world.log_in(password="a password that is wrong")
    call = world.caller()
    call("GET", "/jobs/%0aforged%20line%1b[31m")
    call.save({"HAAdminAlertScript": "echo script-body"})
    made = call("POST", "/tokens", {"label": "ansible", "scope": "read"}).get_json()
    logged = caplog.text
    assert "GET /api/v1/jobs/" in logged
    assert "\nforged" not in logged
    assert "\x1b" not in logged
    for secret in ("a password that is wrong", "script-body", made["token"], call.headers["Authorization"][7:]):
        assert secret not in logged


def test_an_error_of_ours_shows_nothing_of_the_inside(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail in /path/of/the/program")

    call = world.caller()
    monkeypatch.setattr(world.store, "config", broken)
    answer = call("GET", "/ha/config")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal-error")
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from([each.name for each in FIELDS]) | st.text(), JSON_VALUES, max_size=6))
def test_any_json_is_either_a_draft_or_refused(world: World, body: dict[str, Any]) -> None:
    call = world.caller()
    client = world.app.test_client(use_cookies=False)
    answer = client.put(
        "/api/v1/ha/config/draft", data=json.dumps(body).encode(),
        headers={**call.headers, "If-Match": call.etag(), "Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code in {200, 422}
