"""The node store's table of test runs: what an administrator has asked the monitor to try out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from app.models.node import NodeBase


class AlertTestRow(NodeBase):
    """One trial of a mail, a webhook or the custom script, and what came of it."""

    __tablename__ = "alert_tests"

    id: Mapped[str] = mapped_column(primary_key=True)
    """Sorts by time of creation."""
    channel: Mapped[str]
    state: Mapped[str]
    actor: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
