"""A glance at the node store without the store: the forced command that receives files has no time to load SQLAlchemy.

It reads the same row as `app.adapters.store` does; their common test keeps the two together.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import Phase, Standing

BUSY_TIMEOUT_S = 10.0
_QUERY = "SELECT document FROM node_state WHERE id = 1"


def standing_reader(path: Path) -> Callable[[], Standing]:
    """Reads the standing anew at each call. It raises LocalFailure (code `store-unreadable`)."""

    def read() -> Standing:
        try:
            address = f"file:{quote(str(path))}?mode=rw"
            with closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
                document = json.loads(connection.execute(_QUERY).fetchone()[0])
            return Standing(
                paired=document.get("peer") is not None,
                role=Role(document.get("role", Role.STANDALONE)),
                term=int(document.get("term", 0)),
                phase=Phase(document.get("phase", Phase.NONE)),
            )
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise LocalFailure(
                "store-unreadable",
                "The Node Store Can't Be Read",
                detail=f"{path}: {error}",
                hint="See that the disk is whole and that the installation has been finished on this server.",
            ) from error

    return read
