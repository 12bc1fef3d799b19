"""The node store, the appliance database's tables, the first administrator and the first tokens."""

from __future__ import annotations

import grp
import os
import secrets
from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url, pool
from sqlalchemy.orm import sessionmaker

from app.core.access import Scope, UserRole, clean_user_name
from app.install.accounts import API_ACCOUNT
from app.migrate import CONNECT_TIMEOUT_S, migrate_appliance, migrate_node_store
from app.models.appliance import ApplianceBase
from app.passwords import check_new_password, digest, hash_password, new_secret
from app.ports import Json
from app.ports.access import Access
from app.settings import Settings
from app.wiring import build_access, build_accounts, build_node

FIRST_PASSWORD_BYTES = 12
LOCAL_TOKEN_ID = "local"  # noqa: S105 - a name
INSTALLATION_TOKEN_ID = "installation"  # noqa: S105 - a name
INSTALLER = "hapair"


def prepare_node_store(settings: Settings) -> None:
    """The node store exists in its newest shape, shared by root and the API's account."""
    migrate_node_store(settings.node_store, grp.getgrnam(API_ACCOUNT).gr_gid)


def prepare_access(settings: Settings, username: str, password: str | None) -> Json:
    """The appliance's tables, the administrator `username` and root's own token exist.

    Returns `{username, password, token}`: password and a token for automation (scope configure) where they were made
    now, else None. Without `password` one is drawn, which must be changed at the first log-in. A password that is given
    replaces the one that is there.
    Raises ValueError where name or password don't keep the rules.
    """
    name = clean_user_name(username)
    if password is not None:
        check_new_password(password, name)
    build_node(settings).database.ensure_accounts()
    migrate_appliance(settings.appliance_url)
    engine = create_engine(
        settings.appliance_url, poolclass=pool.NullPool, connect_args=connect_arguments(settings.appliance_url)
    )
    if engine.dialect.name == "mysql":
        with engine.connect() as connection:
            _admit_api_account(connection)
    accounts, access = build_accounts(sessionmaker(engine)), build_access(settings)
    save_local_token(settings.local_token, access)
    if accounts.user(name) is not None:
        if password is not None:
            accounts.change_password(name, hash_password(password), must_change=False)
        return {"username": name, "password": password, "token": None}
    drawn = password is None
    password = password or secrets.token_urlsafe(FIRST_PASSWORD_BYTES)
    user = accounts.add_user(name, hash_password(password), UserRole.ADMINISTRATOR, must_change=drawn)
    access.copy_user(user)
    token = new_secret()
    access.add_token(INSTALLATION_TOKEN_ID, "installation", Scope.CONFIGURE, digest(token), INSTALLER)
    return {"username": name, "password": password, "token": token}


def save_local_token(path: Path, access: Access) -> None:
    """Root's command line has a token in a file that only root can read; the node store knows its digest."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        new = path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret())
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    access.add_token(LOCAL_TOKEN_ID, "root", Scope.CONFIGURE, digest(path.read_text().strip()), INSTALLER)


def connect_arguments(url: str) -> dict[str, int]:
    """Bounds for connections to MariaDB; SQLite takes none."""
    return {"connect_timeout": CONNECT_TIMEOUT_S} if make_url(url).get_backend_name() == "mysql" else {}


def _admit_api_account(connection: Connection) -> None:
    """The API's account may read and change the appliance's tables, known by its Unix account alone. Not logged to the
    binary log: each server does this for itself."""
    connection.exec_driver_sql("SET SESSION sql_log_bin=0")
    connection.exec_driver_sql(f"CREATE USER IF NOT EXISTS '{API_ACCOUNT}'@'localhost' IDENTIFIED VIA unix_socket")
    for table in sorted(ApplianceBase.metadata.tables):
        connection.exec_driver_sql(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON hapair.{table} TO '{API_ACCOUNT}'@'localhost'"
        )
    connection.commit()
