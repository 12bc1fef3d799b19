"""Brings the two stores to the newest shape, from any working folder and without a shell.

Each store has its own Alembic branch under `migrations/`. The node store's runs in one exclusive transaction, so
that two processes that start at once, or a power cut in the middle, leave either the old shape or the new one.
"""

from __future__ import annotations

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, pool
from sqlalchemy.engine import URL, make_url

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
STORE_FOLDER_MODE = 0o2770
"""Set-group-id: the journal files that SQLite makes beside the store belong to the folder's group."""
STORE_FILE_MODE = 0o660
BUSY_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10


def migrate_node_store(path: Path, group_id: int | None = None) -> None:
    """The node store exists with the newest shape and an identity; with `group_id` that group shares it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, STORE_FILE_MODE)
    os.close(descriptor)
    if group_id is not None:
        os.chown(path.parent, -1, group_id)
        os.chown(path, -1, group_id)
        path.parent.chmod(STORE_FOLDER_MODE)
    path.chmod(STORE_FILE_MODE)
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=pool.NullPool, connect_args={"timeout": BUSY_TIMEOUT_S}
    )

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("PRAGMA synchronous=FULL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        _upgrade("node", connection)
        connection.commit()


def migrate_appliance(url: str | URL) -> None:
    """The appliance database has the newest shape; the schema itself must exist. Needs a writable server, or the right
    to write to a read-only one."""
    arguments = {"connect_timeout": CONNECT_TIMEOUT_S} if make_url(url).get_backend_name() == "mysql" else {}
    engine = create_engine(url, poolclass=pool.NullPool, connect_args=arguments)
    with engine.connect() as connection:
        _upgrade("appliance", connection)
        connection.commit()


def _upgrade(store: str, connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS / store).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
