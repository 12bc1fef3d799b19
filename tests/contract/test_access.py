"""What lets people in, the fakes and the real adapters alike (SQLite stands in for MariaDB's tables here)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from app.adapters.accounts import SqlAccounts
from app.adapters.store.access import SqliteAccess
from app.core.access import FAILURES_FORGOTTEN_AFTER, SESSION_IDLE, Scope, UserRole
from app.core.errors import LocalFailure, NotAllowed, NotFound
from app.migrate import migrate_appliance, migrate_node_store
from app.ports.access import Access, Accounts, UserRecord
from tests.fakes.access import FakeAccess, FakeAccounts

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DANA = UserRecord("dana", "hash", UserRole.ADMINISTRATOR, False, None, (), START, START, START)
LEE = dataclasses.replace(DANA, name="lee")


class HandClock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["fake", "sqlite"])
def access(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> Iterator[Access]:
    if request.param == "fake":
        yield FakeAccess(clock.now)
        return
    path = tmp_path / "node.db"
    migrate_node_store(path)
    access = SqliteAccess(path, clock)
    yield access
    access.close()


@pytest.fixture(params=["fake", "sqlite"])
def accounts(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> Iterator[Accounts]:
    if request.param == "fake":
        yield FakeAccounts(clock.now)
        return
    url = f"sqlite:///{tmp_path / 'appliance.db'}"
    migrate_appliance(url)
    engine = create_engine(url)
    yield SqlAccounts(sessionmaker(engine), clock)
    engine.dispose()


def test_a_session_lasts_from_login_to_logout(access: Access, clock: HandClock) -> None:
    session = access.add_session("digest", DANA, "csrf", "192.0.2.7")
    assert access.session("digest") == session
    assert session.created_at == session.last_seen_at == START
    clock.sleep(90)
    access.touch_session("digest")
    touched = access.session("digest")
    assert touched is not None
    assert touched.last_seen_at == START + timedelta(seconds=90)
    access.end_session("digest")
    assert access.session("digest") is None


def test_all_sessions_of_a_user_can_be_ended(access: Access) -> None:
    access.add_session("one", DANA, "csrf", "")
    access.add_session("two", DANA, "csrf", "")
    access.add_session("other", LEE, "csrf", "")
    assert access.session_counts() == {"dana": 2, "lee": 1}
    assert access.end_sessions_of("dana") == 2
    assert access.end_sessions_of("dana") == 0
    assert access.session("one") is access.session("two") is None
    assert access.session("other") is not None


def test_a_token_is_found_by_its_digest_only_while_it_exists(access: Access, clock: HandClock) -> None:
    token = access.add_token("id", "ansible", Scope.OPERATE, "digest", "dana")
    assert access.token("digest") == token
    assert access.tokens() == [token]
    assert access.token("other") is None
    clock.sleep(5)
    access.touch_token("id")
    assert access.tokens()[0].last_used_at == START + timedelta(seconds=5)
    assert access.remove_token("id")
    assert not access.remove_token("id")
    assert access.token("digest") is None


def test_a_token_of_the_same_id_is_replaced(access: Access) -> None:
    access.add_token("id", "old", Scope.READ, "old digest", "root")
    access.add_token("id", "new", Scope.READ, "new digest", "root")
    assert [token.label for token in access.tokens()] == ["new"]
    assert access.token("old digest") is None


def test_failed_logins_are_counted_until_they_are_forgotten(access: Access, clock: HandClock) -> None:
    assert access.login_failures("dana") is None
    for _ in range(3):
        access.add_login_failure("dana")
    failures = access.login_failures("dana")
    assert failures is not None
    assert (failures.count, failures.last_at) == (3, START)
    clock.sleep(FAILURES_FORGOTTEN_AFTER.total_seconds() + 1)
    access.add_login_failure("dana")
    again = access.login_failures("dana")
    assert again is not None
    assert again.count == 1
    access.clear_login_failures("dana")
    assert access.login_failures("dana") is None


def test_a_session_is_replaced_by_one_of_the_same_cookie(access: Access, clock: HandClock) -> None:
    access.add_session("digest", dataclasses.replace(DANA, must_change=True), "csrf", "")
    access.hold_totp("digest", "sealed")
    held = access.session("digest")
    assert held is not None
    assert (held.must_change, held.totp, held.role) == (True, "sealed", UserRole.ADMINISTRATOR)
    clock.sleep(5)
    renewed = access.add_session("digest", dataclasses.replace(DANA, role=UserRole.AUDITOR), "csrf", "")
    assert access.session("digest") == renewed
    assert (renewed.must_change, renewed.totp, renewed.role) == (False, None, UserRole.AUDITOR)


def test_a_session_that_is_over_is_not_counted(access: Access, clock: HandClock) -> None:
    access.add_session("digest", DANA, "csrf", "")
    clock.sleep(SESSION_IDLE.total_seconds() + 1)
    assert access.session_counts() == {}


def test_a_token_may_have_an_end(access: Access) -> None:
    end = START + timedelta(days=1)
    assert access.add_token("id", "robot", Scope.READ, "digest", "dana", end).expires_at == end
    found = access.token("digest")
    assert found is not None
    assert found.expires_at == end


def test_the_copy_of_a_user_follows_the_original(access: Access) -> None:
    access.copy_user(DANA)
    changed = dataclasses.replace(
        DANA, password_hash="another", role=UserRole.AUDITOR, must_change=True, totp="sealed", recovery=("a", "b"),
        sessions_from=START + timedelta(seconds=5),
    )  # fmt: skip
    access.copy_user(changed)
    assert access.copied_user("dana") == changed
    access.forget_user("dana")
    assert access.copied_user("dana") is None


def test_a_code_is_taken_once_until_it_would_not_be_accepted_anyway(access: Access, clock: HandClock) -> None:
    assert access.take_code("now", START + timedelta(seconds=60))
    assert access.take_code("always", None)
    assert not access.take_code("now", START + timedelta(seconds=60))
    clock.sleep(61)
    assert access.take_code("now", START + timedelta(seconds=120))
    assert not access.take_code("always", None)


def test_a_user_is_added_changed_and_removed(accounts: Accounts, clock: HandClock) -> None:
    added = accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=True)
    accounts.add_user("lee", "hash", UserRole.AUDITOR, must_change=False)
    assert (added.must_change, added.totp, added.recovery, added.sessions_from) == (True, None, (), START)
    clock.sleep(5)
    changed = accounts.change_password("dana", "new hash", must_change=False)
    later = START + timedelta(seconds=5)
    assert accounts.user("dana") == changed
    assert (changed.password_hash, changed.created_at, changed.must_change) == ("new hash", START, False)
    assert changed.password_changed_at == changed.sessions_from == later
    assert [(each.name, each.role) for each in accounts.users()] == [
        ("dana", UserRole.ADMINISTRATOR), ("lee", UserRole.AUDITOR)
    ]  # fmt: skip
    accounts.remove_user("lee")
    assert accounts.user("lee") is None


def test_a_second_factor_is_kept_with_its_recovery_codes_until_it_is_taken_away(accounts: Accounts) -> None:
    accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=False)
    accounts.change_second_factor("dana", "sealed", ("one", "two", "three"))
    for _ in range(2):
        accounts.strike_recovery_code("dana", "two")
    found = accounts.user("dana")
    assert found is not None
    assert (found.totp, found.recovery) == ("sealed", ("one", "three"))
    without = accounts.change_second_factor("dana", None, ())
    assert (without.totp, without.recovery) == (None, ())


def test_sessions_of_a_user_end_on_both_servers_by_their_beginning(accounts: Accounts, clock: HandClock) -> None:
    accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=False)
    clock.sleep(7)
    assert accounts.end_sessions("dana").sessions_from == START + timedelta(seconds=7)
    clock.sleep(7)
    accounts.add_user("lee", "hash", UserRole.ADMINISTRATOR, must_change=False)
    assert accounts.change_role("dana", UserRole.AUDITOR).sessions_from == START + timedelta(seconds=14)


def test_the_last_administrator_can_be_neither_removed_nor_made_an_auditor(accounts: Accounts) -> None:
    accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=False)
    accounts.add_user("lee", "hash", UserRole.AUDITOR, must_change=False)
    for act in (lambda: accounts.remove_user("dana"), lambda: accounts.change_role("dana", UserRole.AUDITOR)):
        with pytest.raises(NotAllowed) as last:
            act()
        assert last.value.code == "last-administrator"
    accounts.change_role("lee", UserRole.ADMINISTRATOR)
    accounts.remove_user("dana")


def test_impossible_changes_of_users_are_refused(accounts: Accounts) -> None:
    accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=False)
    with pytest.raises(NotAllowed) as exists:
        accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=False)
    assert exists.value.code == "user-exists"
    acts: tuple[Callable[[], object], ...] = (
        lambda: accounts.change_password("nobody", "hash", must_change=True),
        lambda: accounts.change_role("nobody", UserRole.ADMINISTRATOR),
        lambda: accounts.change_second_factor("nobody", None, ()),
        lambda: accounts.strike_recovery_code("nobody", "digest"),
        lambda: accounts.end_sessions("nobody"),
        lambda: accounts.remove_user("nobody"),
    )
    for act in acts:
        with pytest.raises(NotFound) as missing:
            act()
        assert missing.value.code == "no-such-user"


def test_an_appliance_database_that_can_not_be_opened_is_named(tmp_path: Path, clock: HandClock) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'no-such-folder' / 'appliance.db'}")
    with pytest.raises(LocalFailure) as failure:
        SqlAccounts(sessionmaker(engine), clock).user("dana")
    assert failure.value.code == "database-down"
    engine.dispose()
