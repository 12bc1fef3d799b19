"""What a database server sends as a copy of its data."""

from __future__ import annotations

import tempfile
from typing import Protocol


class Sender(Protocol):
    """As much of a database as that needs."""

    def send_seed(self, target: int) -> None: ...


def copy_of(database: Sender) -> bytes:
    """The whole stream."""
    with tempfile.TemporaryFile() as stream:
        database.send_seed(stream.fileno())
        stream.seek(0)
        return stream.read()
