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
from app.adapters.store import SqliteNodeStore
from app.adapters.store.access import SqliteAccess
from app.api import create_app
from app.core.access import UserRole
from app.migrate import migrate_appliance, migrate_node_store
from app.passwords import hash_password
from app.ports import Node
from tests.fakes.clock import FakeClock
from tests.unit.api.world import make_world

PASSWORD = "correct horse battery"
ADMINISTRATOR, AUDITOR, NEWCOMER = "dana", "audrey", "newton"


@dataclass(frozen=True)
class RealWorld:
    """Node store, sessions, tokens and users are real (SQLite); the rest of the node is fakes."""

    app: Flask
    node: Node
    clock: FakeClock
    access: SqliteAccess
    accounts: SqlAccounts


@contextmanager
def real_world(folder: Path) -> Iterator[RealWorld]:
    """A standalone server with an administrator, an auditor and somebody who never changed the first password."""
    world = make_world(folder)
    store_path, url = folder / "store" / "node.db", f"sqlite:///{folder / 'appliance.db'}"
    migrate_node_store(store_path)
    migrate_appliance(url)
    store, access = SqliteNodeStore(store_path, world.clock), SqliteAccess(store_path, world.clock)
    engine = create_engine(url)
    accounts = SqlAccounts(sessionmaker(engine), world.clock)
    password_hash = hash_password(PASSWORD)
    for name, role in ((ADMINISTRATOR, UserRole.ADMINISTRATOR), (AUDITOR, UserRole.AUDITOR)):
        accounts.add_user(name, password_hash, role, must_change=False)
    accounts.add_user(NEWCOMER, password_hash, UserRole.ADMINISTRATOR, must_change=True)
    node = dataclasses.replace(world.node, store=store)
    try:
        yield RealWorld(create_app(node, access, accounts, access), node, world.clock, access, accounts)
    finally:
        access.close()
        store.close()
        engine.dispose()
