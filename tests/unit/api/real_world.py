"""The real application on real stores, for what only matters there: who is let in, and what is said to strangers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from app.adapters.accounts import SqlAccounts
from app.adapters.activity import SqlCommonLog
from app.adapters.store import SqliteNodeStore
from app.adapters.store.access import SqliteAccess
from app.api import create_app
from app.core.access import UserRole
from app.core.errors import LocalFailure
from app.migrate import migrate_appliance, migrate_node_store
from app.passwords import digest, hash_password
from app.ports import Node
from tests.fakes.clock import FakeClock
from tests.fakes.rescues import FakeRescues
from tests.unit.api.world import FakeQueue, make_world

PASSWORD = "correct horse battery"
ADMINISTRATOR, AUDITOR, NEWCOMER = "dana", "audrey", "newton"


@dataclass(frozen=True)
class RealWorld:
    """Node store, sessions, tokens, users and activity are real (SQLite); the rest of the node is fakes."""

    app: Flask
    node: Node
    clock: FakeClock
    access: SqliteAccess
    accounts: SqlAccounts
    rescues: FakeRescues
    queue: FakeQueue


def make_stores(folder: Path) -> None:
    """Both stores exist in the folder, in their newest shape and empty."""
    migrate_node_store(folder / "store" / "node.db")
    migrate_appliance(f"sqlite:///{folder / 'appliance.db'}")


@contextmanager
def open_world(folder: Path) -> Iterator[RealWorld]:
    """The application on the stores of that folder."""
    world = make_world(folder)
    path, url = folder / "store" / "node.db", f"sqlite:///{folder / 'appliance.db'}"
    store, access = SqliteNodeStore(path, world.clock), SqliteAccess(path, world.clock)
    engine = create_engine(url)
    accounts = SqlAccounts(sessionmaker(engine), world.clock)
    node = dataclasses.replace(world.node, store=store, common_log=SqlCommonLog(url))
    app = create_app(node, access, accounts, access)
    try:
        yield RealWorld(app, node, world.clock, access, accounts, world.rescues, world.queue)
    finally:
        access.close()
        store.close()
        engine.dispose()


@contextmanager
def real_world(folder: Path) -> Iterator[RealWorld]:
    """A standalone server with an administrator, an auditor and somebody who never changed the first password."""
    make_stores(folder)
    with open_world(folder) as world:
        password_hash = hash_password(PASSWORD)
        for name, role in ((ADMINISTRATOR, UserRole.ADMINISTRATOR), (AUDITOR, UserRole.AUDITOR)):
            world.accounts.add_user(name, password_hash, role, must_change=False)
        world.accounts.add_user(NEWCOMER, password_hash, UserRole.ADMINISTRATOR, must_change=True)
        yield world


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def browser(world: RealWorld, name: str) -> dict[str, str]:
    """The headers of that user's browser, which has just logged in."""
    try:
        user = world.accounts.user(name)
    except LocalFailure:
        user = world.access.copied_user(name)
    assert user is not None
    world.access.add_session(digest(f"cookie-of-{name}"), user, f"csrf of {name}", "192.0.2.7")
    return {"Cookie": f"__Host-hapair=cookie-of-{name}", "X-CSRF-Token": f"csrf of {name}"}
