"""The appliance database on a real MariaDB: its tables, its times, and what a read-only server says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, pool
from sqlalchemy.engine import URL
from sqlalchemy.orm import sessionmaker

from app.adapters.accounts import SqlAccounts
from app.core.access import UserRole
from app.core.errors import NotAllowed
from app.migrate import migrate_appliance
from app.models.appliance import ApplianceBase
from tests.contract.mariadb_servers import RealServer
from tests.fakes.clock import FakeClock

ACCOUNT, PASSWORD = "appliance", "only for this test"


def url(server: RealServer, user: str, password: str | None = None) -> URL:
    return URL.create(
        "mysql+pymysql", user, password, "localhost", database="hapair", query={"unix_socket": str(server.socket)}
    )


@pytest.fixture
def server(real_servers: tuple[RealServer, RealServer]) -> Iterator[RealServer]:
    server = real_servers[0]
    for each in real_servers:
        each.quiet()
    server.reset()
    server.database.ensure_accounts()
    migrate_appliance(url(server, "root"))
    server.execute(f"CREATE USER {ACCOUNT}@localhost IDENTIFIED BY %s", PASSWORD)
    server.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON hapair.* TO {ACCOUNT}@localhost")
    yield server
    server.execute(f"DROP USER {ACCOUNT}@localhost")


@pytest.fixture
def engine(server: RealServer) -> Iterator[Engine]:
    engine = create_engine(url(server, ACCOUNT, PASSWORD), poolclass=pool.NullPool)
    yield engine
    engine.dispose()


def test_migrations_make_what_the_models_describe_and_may_be_repeated(server: RealServer) -> None:
    migrate_appliance(url(server, "root"))
    engine = create_engine(url(server, "root"), poolclass=pool.NullPool)
    options = {"include_name": lambda name, kind, _: kind != "table" or name in ApplianceBase.metadata.tables}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, ApplianceBase.metadata) == []
    engine.dispose()


def test_users_keep_their_times_to_the_microsecond(server: RealServer, engine: Engine) -> None:
    server.database.lift()
    clock = FakeClock()
    clock.advance(0.123456)
    accounts = SqlAccounts(sessionmaker(engine), clock)
    made = accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=False)
    assert accounts.user("dana") == made
    assert made.created_at == clock.now()
    with pytest.raises(NotAllowed) as again:
        accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=False)
    assert again.value.code == "user-exists"
    with pytest.raises(NotAllowed) as last:
        accounts.remove_user("dana")
    assert last.value.code == "last-administrator"


def test_a_read_only_server_sends_changes_of_users_to_the_primary(server: RealServer, engine: Engine) -> None:
    server.database.lift()
    accounts = SqlAccounts(sessionmaker(engine), FakeClock())
    accounts.add_user("dana", "hash", UserRole.ADMINISTRATOR, must_change=False)
    server.execute("SET GLOBAL read_only = 1")
    for change in (
        lambda: accounts.add_user("lee", "hash", UserRole.AUDITOR, must_change=True),
        lambda: accounts.change_password("dana", "other", must_change=False),
        lambda: accounts.change_second_factor("dana", "sealed", ("digest",)),
        lambda: accounts.end_sessions("dana"),
        lambda: accounts.remove_user("dana"),
    ):
        with pytest.raises(NotAllowed) as refusal:
            change()
        assert refusal.value.code in {"database-read-only", "last-administrator"}
    assert [user.name for user in accounts.users()] == ["dana"]
