"""The appliance database by Flask-SQLAlchemy: the tables are those of app.models.appliance."""

from __future__ import annotations

from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import make_url

from app.models.appliance import ApplianceBase

CONNECT_TIMEOUT_S = 2
ANSWER_TIMEOUT_S = 2
"""A database that hangs must not keep people from logging in by the node's own copy."""
POOL_SIZE = 2
POOL_TIMEOUT_S = 2
RECYCLE_S = 300

db = SQLAlchemy(metadata=ApplianceBase.metadata)


def engine_options(url: str) -> dict[str, Any]:
    """Bounds for connections to MariaDB; SQLite takes none."""
    where = make_url(url)
    if where.get_backend_name() != "mysql":
        return {}
    # Over a Unix socket nobody listens in, and TLS would cost 30 ms of CPU for each connection.
    unencrypted = {"ssl_disabled": True} if "unix_socket" in where.query else {}
    return {
        "pool_size": POOL_SIZE, "pool_timeout": POOL_TIMEOUT_S, "pool_recycle": RECYCLE_S, "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_S, "read_timeout": ANSWER_TIMEOUT_S, "write_timeout": ANSWER_TIMEOUT_S,
            **unencrypted,
        },
    }  # fmt: skip
