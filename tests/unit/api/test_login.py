"""Sessions, CSRF, throttling, and logging in while the database is down."""

from __future__ import annotations

import pytest

from app.core.access import SESSION_IDLE, SESSION_LIFE, SESSION_SEEN_STEP
from app.core.errors import LocalFailure
from tests.unit.api.world import NAME, PASSWORD, PASSWORD_HASH, Caller, World


def test_login_sets_a_cookie_that_scripts_and_other_sites_never_see(world: World) -> None:
    answer = world.log_in()
    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-hapair=")
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert answer.get_json()["username"] == NAME
    assert answer.get_json()["csrf_token"] not in cookie


def test_a_session_sees_itself_and_ends_with_logout(world: World) -> None:
    browser = world.browser()
    me = browser("GET", "/session").get_json()
    assert (me["username"], me["csrf_token"]) == (NAME, browser.headers["X-CSRF-Token"])
    assert browser("DELETE", "/session").status_code == 204
    assert browser("GET", "/session").get_json()["code"] == "session-ended"


@pytest.mark.parametrize("token", ["", "wrong", "\u00fc"])
def test_a_change_without_the_sessions_csrf_token_is_refused(world: World, token: str) -> None:
    browser = world.browser()
    browser.headers["X-CSRF-Token"] = token
    answer = browser("POST", "/ha/fingerprint")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "csrf")
    assert browser("GET", "/ha/config").status_code == 200


def test_a_session_ends_when_it_is_idle(world: World) -> None:
    browser = world.browser()
    world.clock.advance(SESSION_IDLE.total_seconds() - 1)
    assert browser("GET", "/session").status_code == 200
    world.clock.advance(SESSION_IDLE.total_seconds() - 1)
    assert browser("GET", "/session").status_code == 200
    world.clock.advance(SESSION_IDLE.total_seconds() + 1)
    assert browser("GET", "/session").get_json()["code"] == "session-ended"


def test_a_session_that_is_used_all_day_ends_too(world: World) -> None:
    browser = world.browser()
    step = SESSION_SEEN_STEP.total_seconds() * 10
    for _ in range(int(SESSION_LIFE.total_seconds() // step)):
        assert browser("GET", "/session").status_code == 200
        world.clock.advance(step)
    world.clock.advance(1)
    assert browser("GET", "/session").status_code == 401


def test_wrong_name_and_wrong_password_get_the_same_answer(world: World) -> None:
    wrong_password = world.log_in(password="something else").get_json()
    wrong_name = world.log_in(name="nobody").get_json()
    assert wrong_password == wrong_name
    assert wrong_password["code"] == "wrong-login"


def test_wrong_logins_are_slowed_down_and_a_right_one_waits_too(world: World) -> None:
    for _ in range(5):
        assert world.log_in(password="wrong password").status_code == 401
    slowed = world.log_in()
    assert (slowed.status_code, slowed.get_json()["code"]) == (429, "too-many-logins")
    assert int(slowed.headers["Retry-After"]) >= 1
    world.clock.advance(float(slowed.headers["Retry-After"]))
    assert world.log_in().status_code == 200
    assert world.log_in(password="wrong password").status_code == 401


def test_one_address_that_tries_many_names_is_slowed_down(world: World) -> None:
    for number in range(5):
        world.log_in(name=f"user{number}", X_Forwarded_For="192.0.2.66")
    assert world.log_in(X_Forwarded_For="192.0.2.66").status_code == 429
    assert world.log_in(X_Forwarded_For="192.0.2.7").status_code == 200


def test_who_was_logged_in_before_gets_in_while_the_database_is_down(world: World) -> None:
    assert world.log_in().status_code == 200
    world.accounts.failure = LocalFailure("database-down", "The Appliance Database Does Not Answer")
    assert world.log_in().status_code == 200
    assert world.log_in(password="wrong password").status_code == 401
    assert world.browser()("GET", "/ha/status").status_code == 200


def test_a_user_who_was_removed_on_the_other_server_leaves_nothing_here(world: World) -> None:
    world.accounts.add_user("lee", PASSWORD_HASH)
    browser = Caller(world.app, {"Cookie": world.log_in("lee").headers["Set-Cookie"].split(";", 1)[0]})
    assert browser("GET", "/session").status_code == 200
    world.accounts.remove_user("lee")
    assert world.log_in("lee").status_code == 401
    assert browser("GET", "/session").status_code == 401
    world.accounts.failure = LocalFailure("database-down", "The Appliance Database Does Not Answer")
    assert world.log_in("lee").status_code == 401


def test_logins_and_refusals_stand_in_the_activity_log_with_their_address(world: World) -> None:
    world.log_in(password="wrong password", X_Forwarded_For="10.9.9.9, 192.0.2.7")
    world.log_in(X_Forwarded_For="not an address")
    refused, done = reversed(world.store.activity())
    assert (refused.actor, refused.address, refused.action, refused.outcome) == (NAME, "192.0.2.7", "login", "refused")
    assert (done.address, done.outcome) == ("", "done")
    assert PASSWORD not in str(world.store.activity())


def test_nobody_gets_anything_without_logging_in(world: World) -> None:
    nobody = Caller(world.app)
    for cookie in ("", "__Host-hapair=", "__Host-hapair=x", "__Host-hapair=" + "x" * 4000):
        answer = nobody("GET", "/ha/status", Cookie=cookie)
        assert answer.status_code == 401
