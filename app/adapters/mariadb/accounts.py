"""The schema `hapair` and the accounts that the pair needs, made once and replicated like everything else.

| account | comes in by | may |
|---|---|---|
| root@localhost | the operating system's word (unix_socket) | everything: hapair's manager |
| hapair@localhost | the operating system's word (unix_socket) | read and change the schema `hapair`: the API |
| hapair_replication@% | password over TLS | replicate; read and write the one table `hapair.probe`, by which the secondary finds out whether the primary's database still takes writes |
"""  # noqa: E501

from __future__ import annotations

import hashlib

from app.adapters.mariadb.connection import Arguments, Manager, Session
from app.adapters.mariadb.facts import replica_status
from app.ports import REPLICATION_USER

APPLIANCE_ACCOUNT = "hapair"
"""The operating system's account of the API, and of its database account."""

_SCHEMA = "CREATE DATABASE IF NOT EXISTS hapair CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
_TABLES = {
    "beat": "CREATE TABLE IF NOT EXISTS hapair.beat (node VARCHAR(64) NOT NULL PRIMARY KEY, term BIGINT NOT NULL,"
    " at DATETIME(6) NOT NULL) ENGINE=InnoDB COMMENT='the last write probe of each node, in UTC'",
    "probe": "CREATE TABLE IF NOT EXISTS hapair.probe (node VARCHAR(64) NOT NULL PRIMARY KEY, at DATETIME(6) NOT NULL)"
    " ENGINE=InnoDB COMMENT='writes by which each node tests the other, in UTC'",
}
_APPLIANCE = (
    "CREATE USER IF NOT EXISTS %s@localhost IDENTIFIED VIA unix_socket",
    "GRANT ALL PRIVILEGES ON hapair.* TO %s@localhost",
)
_REPLICATION = (
    "CREATE OR REPLACE USER %(user)s@'%%' IDENTIFIED BY PASSWORD %(hash)s REQUIRE SSL",
    "GRANT REPLICATION SLAVE ON *.* TO %(user)s@'%%'",
    "GRANT SELECT, INSERT, UPDATE ON hapair.probe TO %(user)s@'%%'",
)
_APPLIANCE_IS_COMPLETE = (
    "SELECT 1 FROM information_schema.schema_privileges WHERE table_schema = 'hapair' AND privilege_type = 'INSERT'"
    " AND grantee = %s"
)
_REPLICATION_IS_COMPLETE = (
    "SELECT 1 FROM mysql.global_priv JOIN mysql.tables_priv USING (user, host) WHERE host = '%%'"
    " AND JSON_VALUE(priv, '$.authentication_string') = %s AND user = %s"
    " AND db = 'hapair' AND table_name = 'probe'"
)
"""The table's grant is the last statement of its making."""


def ensure_accounts(manager: Manager, replication_password: str | None) -> None:
    """Schema, tables and accounts exist. What is there already is left alone, so that a repeat writes no transaction.

    On a server that replicates from another nothing goes to the binary log: it must make no transactions of its own.
    """
    with manager.session("Making the schema and the accounts of hapair") as session:
        if replica_status(session):
            session.run("SET SESSION sql_log_bin = 0")
        for statement, arguments in _missing(session, replication_password):
            session.run(statement, arguments)


def drop_replication_account(manager: Manager) -> None:
    """The account is gone, and with it the connections that it has. In no binary log: each server does this itself."""
    with manager.session("Dropping the replication account") as session:
        session.run("SET SESSION sql_log_bin = 0")
        session.run("DROP USER IF EXISTS %s@'%%'", (REPLICATION_USER,))
        session.run("KILL HARD USER %s", (REPLICATION_USER,))


def _missing(session: Session, replication_password: str | None) -> list[tuple[str, Arguments]]:
    wanted: list[tuple[str, Arguments]] = []
    if not session.rows("SHOW DATABASES LIKE 'hapair'"):
        wanted.append((_SCHEMA, None))
    tables = session.rows("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'hapair'")
    there = {row["name"] for row in tables}
    wanted.extend((statement, None) for name, statement in _TABLES.items() if name not in there)
    if not session.rows(_APPLIANCE_IS_COMPLETE, (f"'{APPLIANCE_ACCOUNT}'@'localhost'",)):
        wanted.extend((statement, (APPLIANCE_ACCOUNT,)) for statement in _APPLIANCE)
    if replication_password is not None:
        hashed = native_hash(replication_password)
        if not session.rows(_REPLICATION_IS_COMPLETE, (hashed, REPLICATION_USER)):
            wanted.extend((statement, {"user": REPLICATION_USER, "hash": hashed}) for statement in _REPLICATION)
    return wanted


def native_hash(password: str) -> str:
    """What mysql_native_password stores, so that the password itself is in no statement and no binary log."""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()  # noqa: S324 (its format)  # nosec B324
