"""What lets people in, the fakes and the real adapters alike (SQLite stands in for MariaDB's tables here)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from app.adapters.accounts import SqlAccounts
from app.adapters.store.access import SqliteAccess
from app.core.access import FAILURES_FORGOTTEN_AFTER, Scope
from app.core.errors import LocalFailure, NotAllowed, NotFound
from app.migrate import migrate_appliance, migrate_node_store
from app.ports.access import Access, Accounts
from tests.fakes.access import FakeAccess, FakeAccounts

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


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
    session = access.add_session("digest", "dana", "csrf", "192.0.2.7")
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
    access.add_session("one", "dana", "csrf", "")
    access.add_session("two", "dana", "csrf", "")
    access.add_session("other", "lee", "csrf", "")
    access.end_sessions_of("dana")
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


def test_the_copy_of_a_user_follows_the_original(access: Access) -> None:
    access.copy_user("dana", "hash one")
    access.copy_user("dana", "hash two")
    assert access.copied_password("dana") == "hash two"
    access.forget_user("dana")
    assert access.copied_password("dana") is None


def test_a_user_is_added_changed_and_removed(accounts: Accounts, clock: HandClock) -> None:
    accounts.add_user("dana", "hash")
    accounts.add_user("lee", "hash")
    clock.sleep(5)
    accounts.change_password("dana", "new hash")
    user = accounts.user("dana")
    assert user is not None
    assert (user.password_hash, user.created_at) == ("new hash", START)
    assert user.password_changed_at == START + timedelta(seconds=5)
    assert [each.name for each in accounts.users()] == ["dana", "lee"]
    accounts.remove_user("lee")
    assert accounts.user("lee") is None


def test_impossible_changes_of_users_are_refused(accounts: Accounts) -> None:
    accounts.add_user("dana", "hash")
    with pytest.raises(NotAllowed) as exists:
        accounts.add_user("dana", "hash")
    assert exists.value.code == "user-exists"
    with pytest.raises(NotAllowed) as last:
        accounts.remove_user("dana")
    assert last.value.code == "last-user"
    for act in (lambda: accounts.change_password("nobody", "hash"), lambda: accounts.remove_user("nobody")):
        with pytest.raises(NotFound) as missing:
            act()
        assert missing.value.code == "no-such-user"


def test_an_appliance_database_that_can_not_be_opened_is_named(tmp_path: Path, clock: HandClock) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'no-such-folder' / 'appliance.db'}")
    with pytest.raises(LocalFailure) as failure:
        SqlAccounts(sessionmaker(engine), clock).user("dana")
    assert failure.value.code == "database-down"
    engine.dispose()
