"""First passwords, second factors, recovery codes, roles and ended sessions."""

from __future__ import annotations

import pyotp
import pytest

from app.api.door import Visitor, still_valid
from app.core.access import SESSION_SEEN_STEP, Scope, UserRole
from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import PeerIdentity
from app.passwords import digest
from app.ports import Actor
from tests.unit.api.world import NAME, PASSWORD, PASSWORD_HASH, PEER, Caller, World

NEW_PASSWORD = "wrong donkey capacitor"


def signed_in(world: World, name: str = NAME, password: str = PASSWORD, **more: str) -> Caller:
    answer = Caller(world.app)("POST", "/session", {"username": name, "password": password, **more})
    assert answer.status_code == 200, answer.text
    cookie = answer.headers["Set-Cookie"].split(";", 1)[0]
    return Caller(world.app, {"Cookie": cookie, "X-CSRF-Token": answer.get_json()["csrf_token"]})


def enrolled(world: World, browser: Caller) -> tuple[pyotp.TOTP, list[str]]:
    """A second factor that is confirmed; the next code is of a later step."""
    secret = browser("POST", "/session/totp", {"password": PASSWORD}).get_json()["secret"]
    totp = pyotp.TOTP(secret)
    codes = browser("PUT", "/session/totp", {"code": code_of(world, totp)}).get_json()["recovery_codes"]
    world.clock.advance(30)
    return totp, codes


def code_of(world: World, totp: pyotp.TOTP, steps_later: int = 0) -> str:
    return totp.at(int(world.clock.now().timestamp()) + 30 * steps_later)


def log_in(world: World, **more: str) -> tuple[int, str]:
    answer = Caller(world.app)("POST", "/session", {"username": NAME, "password": PASSWORD, **more})
    return answer.status_code, answer.get_json().get("code", "")


def test_who_has_a_first_password_can_do_nothing_but_change_it(world: World, call: Caller) -> None:
    call("POST", "/users", {"name": "lee", "password": PASSWORD})
    lee = signed_in(world, "lee")
    assert lee("GET", "/session").get_json()["password_change_needed"]
    for method, path in (("GET", "/ha/status"), ("POST", "/ha/fingerprint"), ("GET", "/users")):
        assert lee(method, path).get_json()["code"] == "password-change-needed"
    changed = lee("PUT", "/session/password", {"current": PASSWORD, "password": NEW_PASSWORD})
    assert not changed.get_json()["password_change_needed"]
    assert lee("GET", "/ha/status").status_code == 200
    assert signed_in(world, "lee", NEW_PASSWORD)("GET", "/ha/status").status_code == 200


def test_a_password_that_was_reset_must_be_changed_again_and_ends_all_sessions(world: World, call: Caller) -> None:
    browser = signed_in(world)
    assert call("PUT", f"/users/{NAME}/password", {"password": NEW_PASSWORD}).status_code == 204
    assert browser("GET", "/session").status_code == 401
    assert signed_in(world, NAME, NEW_PASSWORD)("GET", "/system").get_json()["code"] == "password-change-needed"


def test_ones_own_password_is_changed_by_showing_the_old_one_only(world: World) -> None:
    browser = signed_in(world)
    assert browser("PUT", f"/users/{NAME}/password", {"password": NEW_PASSWORD}).get_json()["code"] == "own-password"
    wrong = browser("PUT", "/session/password", {"current": "not the password", "password": NEW_PASSWORD})
    assert (wrong.status_code, list(wrong.get_json()["errors"])) == (422, ["current"])
    same = browser("PUT", "/session/password", {"current": PASSWORD, "password": PASSWORD})
    assert list(same.get_json()["errors"]) == ["password"]
    for _ in range(5):
        browser("PUT", "/session/password", {"current": "not the password", "password": NEW_PASSWORD})
    slowed = browser("PUT", "/session/password", {"current": PASSWORD, "password": NEW_PASSWORD})
    assert slowed.status_code == 429


@pytest.mark.parametrize("password", ["password123", "Password123", "qwertyuiop1", "1234567890", "short", "a" * 257])
def test_a_password_that_is_common_or_of_a_wrong_length_is_refused(call: Caller, password: str) -> None:
    answer = call("POST", "/users", {"name": "lee", "password": password})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["password"])


def test_a_second_factor_counts_once_its_first_code_was_sent(world: World) -> None:
    browser = signed_in(world)
    begun = browser("POST", "/session/totp", {"password": PASSWORD}).get_json()
    assert begun["uri"].startswith("otpauth://totp/hapair")
    assert begun["qr_code"].startswith("data:image/svg+xml")
    assert log_in(world) == (200, "")
    wrong = browser("PUT", "/session/totp", {"code": "000000"})
    assert (wrong.status_code, wrong.get_json()["code"]) == (422, "wrong-proof")
    totp = pyotp.TOTP(begun["secret"])
    confirmed = browser("PUT", "/session/totp", {"code": code_of(world, totp)})
    assert len(set(confirmed.get_json()["recovery_codes"])) == 10
    assert browser("GET", "/session").get_json()["totp"]
    assert log_in(world) == (401, "code-needed")
    assert log_in(world, code="000000") == (401, "wrong-code")
    assert browser("POST", "/session/totp", {"password": PASSWORD}).get_json()["code"] == "second-factor-exists"


def test_a_code_lets_in_once(world: World) -> None:
    browser = signed_in(world)
    totp, _ = enrolled(world, browser)
    code = code_of(world, totp)
    assert log_in(world, code=code) == (200, "")
    assert log_in(world, code=code) == (401, "wrong-code")
    world.clock.advance(30)
    assert log_in(world, code=code_of(world, totp)) == (200, "")


def test_the_code_that_confirmed_the_second_factor_does_not_let_in(world: World) -> None:
    browser = signed_in(world)
    totp = pyotp.TOTP(browser("POST", "/session/totp", {"password": PASSWORD}).get_json()["secret"])
    code = code_of(world, totp)
    assert browser("PUT", "/session/totp", {"code": code}).status_code == 200
    assert log_in(world, code=code) == (401, "wrong-code")


def test_codes_of_a_clock_that_is_a_step_off_let_in_and_no_further_off(world: World) -> None:
    totp, _ = enrolled(world, signed_in(world))
    world.clock.advance(120)
    for steps, status in ((-2, 401), (-1, 200), (1, 200), (2, 401)):
        assert log_in(world, code=code_of(world, totp, steps))[0] == status


def test_wrong_codes_are_slowed_down_like_wrong_passwords(world: World) -> None:
    enrolled(world, signed_in(world))
    for _ in range(5):
        assert log_in(world, code="000000") == (401, "wrong-code")
    assert log_in(world, code="000000") == (429, "too-many-logins")


def test_asking_for_the_code_is_no_wrong_login(world: World) -> None:
    totp, _ = enrolled(world, signed_in(world))
    for _ in range(8):
        assert log_in(world) == (401, "code-needed")
    assert log_in(world, code=code_of(world, totp)) == (200, "")


def test_a_recovery_code_lets_in_once_and_new_ones_replace_the_old(world: World) -> None:
    browser = signed_in(world)
    _, codes = enrolled(world, browser)
    assert log_in(world, code=codes[0].upper().replace("-", " ")) == (200, "")
    assert log_in(world, code=codes[0]) == (401, "wrong-code")
    assert browser("GET", "/session").get_json()["recovery_codes"] == 9
    fresh = browser("POST", "/session/recovery-codes", {"password": PASSWORD}).get_json()["recovery_codes"]
    assert log_in(world, code=codes[1]) == (401, "wrong-code")
    assert log_in(world, code=fresh[1]) == (200, "")


def test_a_recovery_code_lets_in_once_while_the_database_is_down(world: World) -> None:
    browser = signed_in(world)
    _, codes = enrolled(world, browser)
    world.accounts.failure = LocalFailure("database-down", "The Appliance Database Does Not Answer")
    assert log_in(world, code=codes[0]) == (200, "")
    assert log_in(world, code=codes[0]) == (401, "wrong-code")
    world.accounts.failure = None
    assert log_in(world, code=codes[0]) == (401, "wrong-code")


def test_neither_secret_nor_codes_are_stored_or_written_down_readable(world: World) -> None:
    browser = signed_in(world)
    secret = browser("POST", "/session/totp", {"password": PASSWORD}).get_json()["secret"]
    held = [each.totp for each in world.access._sessions.values()]
    code = code_of(world, pyotp.TOTP(secret))
    codes = browser("PUT", "/session/totp", {"code": code}).get_json()["recovery_codes"]
    user = world.accounts.user(NAME)
    assert user is not None
    assert user.totp
    kept = f"{user.totp} {held} {user.recovery} {world.store.activity()}"
    assert [each for each in (secret, PASSWORD, code, *codes) if each in kept] == []
    assert user.totp not in repr(user)


def test_a_second_factor_is_removed_by_its_owner_or_reset_by_an_administrator(world: World, call: Caller) -> None:
    browser = signed_in(world)
    enrolled(world, browser)
    assert browser("DELETE", "/session/totp", {"password": "not the password"}).status_code == 422
    assert browser("DELETE", "/session/totp", {"password": PASSWORD}).status_code == 204
    assert log_in(world) == (200, "")
    enrolled(world, browser)
    assert call("DELETE", f"/users/{NAME}/totp").status_code == 204
    assert log_in(world) == (200, "")
    assert browser("POST", "/session/recovery-codes", {"password": PASSWORD}).get_json()["code"] == "no-second-factor"


def test_an_auditor_sees_status_and_logs_and_changes_only_what_is_their_own(world: World) -> None:
    world.accounts.add_user("audrey", PASSWORD_HASH, UserRole.AUDITOR)
    auditor = signed_in(world, "audrey")
    me = auditor("GET", "/session").get_json()
    assert (me["role"], me["scope"]) == ("auditor", "read")
    for path in ("/ha/status", "/ha/config", "/ha/events", "/activity", "/jobs", "/system"):
        assert auditor("GET", path).status_code == 200
    for method, path in (("POST", "/ha/swap"), ("PUT", "/ha/config/draft"), ("GET", "/users"), ("POST", "/tokens")):
        assert auditor(method, path).get_json()["code"] == "scope-too-small"
    wanted = {"current": PASSWORD, "password": NEW_PASSWORD}
    assert auditor("PUT", "/session/password", wanted).status_code == 200


def test_a_changed_role_takes_effect_at_once(world: World, call: Caller) -> None:
    world.accounts.add_user("lee", PASSWORD_HASH)
    browser = signed_in(world, "lee")
    assert call("PUT", "/users/lee/role", {"role": "auditor"}).get_json()["role"] == "auditor"
    assert browser("GET", "/session").status_code == 401
    assert signed_in(world, "lee")("GET", "/users").status_code == 403
    assert call("PUT", f"/users/{NAME}/role", {"role": "auditor"}).get_json()["code"] == "last-administrator"


def test_all_sessions_of_a_user_end_here_at_once(world: World, call: Caller) -> None:
    first, second = signed_in(world), signed_in(world)
    listed = call("GET", "/users").get_json()["items"]
    assert [user["sessions"] for user in listed] == [2]
    assert call("DELETE", f"/users/{NAME}/sessions").get_json() == {"ended": 2, "both_servers": True, "detail": ""}
    assert first("GET", "/session").status_code == second("GET", "/session").status_code == 401
    assert call("DELETE", "/users/nobody/sessions").status_code == 404


def test_sessions_that_were_ended_on_the_other_server_end_here_within_a_minute(world: World) -> None:
    browser = signed_in(world)
    world.clock.advance(1)
    world.accounts.end_sessions(NAME)
    assert browser("GET", "/system").status_code == 200
    world.clock.advance(SESSION_SEEN_STEP.total_seconds() + 1)
    assert browser("GET", "/system").get_json()["code"] == "session-ended"


def test_users_are_changed_on_the_primary_only_and_a_secondary_says_where(world: World, call: Caller) -> None:
    browser = signed_in(world)
    world.become(Role.SECONDARY, peer=peer())
    acts: list[tuple[Caller, str, str, dict[str, str] | None]] = [
        (call, "POST", "/users", {"name": "lee", "password": NEW_PASSWORD}),
        (call, "PUT", f"/users/{NAME}/password", {"password": NEW_PASSWORD}),
        (call, "PUT", f"/users/{NAME}/role", {"role": "auditor"}),
        (call, "DELETE", f"/users/{NAME}/totp", None),
        (call, "DELETE", f"/users/{NAME}", None),
        (browser, "PUT", "/session/password", {"current": PASSWORD, "password": NEW_PASSWORD}),
        (browser, "POST", "/session/totp", {"password": PASSWORD}),
    ]
    for who, method, path, body in acts:
        answer = who(method, path, body)
        assert (answer.status_code, answer.get_json()["code"]) == (409, "database-read-only"), path
        assert PEER in answer.get_json()["hint"]
    ended = call("DELETE", f"/users/{NAME}/sessions").get_json()
    assert (ended["ended"], ended["both_servers"]) == (1, False)
    assert PEER in ended["detail"]
    assert browser("GET", "/session").status_code == 401


def peer() -> PeerIdentity:
    key = "ssh-ed25519 AAAA"
    return PeerIdentity("peer", "beta", PEER, host_key=key, client_key=key, certificate="")


def test_an_expired_token_says_so_and_its_open_stream_ends(world: World, call: Caller) -> None:
    made = call("POST", "/tokens", {"label": "robot", "scope": "read", "expires_in_days": 1}).get_json()
    robot = Caller(world.app, {"Authorization": f"Bearer {made['token']}"})
    assert robot("GET", "/system").status_code == 200
    open_stream = Visitor(Actor("token:robot"), Scope.READ, token_digest=digest(made["token"]))
    assert still_valid(open_stream, world.access, world.clock.now())
    world.clock.advance(24 * 3600)
    assert not still_valid(open_stream, world.access, world.clock.now())
    assert robot("GET", "/system").get_json()["code"] == "token-expired"
    for days in (0, -1, 3651, "7", 1.5, True):
        wanted = {"label": "robot", "scope": "read", "expires_in_days": days}
        assert call("POST", "/tokens", wanted).status_code == 422
    endless = call("POST", "/tokens", {"label": "robot", "scope": "read", "expires_in_days": None}).get_json()
    assert endless["expires_at"] is None


def test_a_token_can_not_do_what_needs_a_person(world: World) -> None:
    robot = world.caller(Scope.CONFIGURE)
    for method, path in (("DELETE", "/session"), ("PUT", "/session/password"), ("POST", "/session/totp")):
        assert robot(method, path).get_json()["code"] == "not-a-session"
