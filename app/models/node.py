"""The node store: one SQLite file with what this node knows about itself. It is never replicated.

Rows that exist once (who the node is, its configuration) have the key 1.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.models.types import UtcDateTime

ONLY_ROW = 1


class NodeBase(DeclarativeBase):
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[str]: JSON, str: Text}  # noqa: RUF012


class StateRow(NodeBase):
    """The NodeState; the term stands beside it too, so that it can be read with any SQLite shell."""

    __tablename__ = "node_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"), CheckConstraint("term >= 0", name="term_not_negative"))

    id: Mapped[int] = mapped_column(primary_key=True)
    term: Mapped[int]
    document: Mapped[dict[str, Any]]


class ConfigurationRow(NodeBase):
    __tablename__ = "configuration"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    applied: Mapped[dict[str, Any]]
    draft: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    version: Mapped[int]
    saved_by: Mapped[str | None]
    saved_at: Mapped[datetime | None]
    failed: Mapped[str | None]


class PairingKeyRow(NodeBase):
    """A pairing key: generated here, or (on a secondary, without private key) a fingerprint that has been used up."""

    __tablename__ = "pairing_keys"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    private_key: Mapped[str | None]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class JobRow(NodeBase):
    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(primary_key=True)
    """Sorts by time of creation."""
    kind: Mapped[str]
    state: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    message: Mapped[str]
    actor: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    memory: Mapped[dict[str, Any]]


class StepRow(NodeBase):
    __tablename__ = "job_steps"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    title: Mapped[str]
    state: Mapped[str]
    done: Mapped[int]
    total: Mapped[int | None]
    detail: Mapped[str]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class EventRow(NodeBase):
    __tablename__ = "events"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    node: Mapped[str]
    parameters: Mapped[list[str]]
    detail: Mapped[str]


class DeliveryRow(NodeBase):
    """One event on its way through one channel."""

    __tablename__ = "event_deliveries"
    __table_args__ = (Index("deliveries_by_state", "channel", "state", "event_id"),)

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[str]


class AlarmRow(NodeBase):
    __tablename__ = "alarms"

    code: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    raised_at: Mapped[datetime]


class ActivityRow(NodeBase):
    __tablename__ = "activity"
    __table_args__ = (
        Index("activity_by_time", "at", "id"),
        Index("activity_by_actor", "actor", "at", "id"),
        Index("activity_by_action", "action", "at", "id"),
        Index("activity_by_node", "node", "at", "id"),
        Index("activity_by_outcome", "outcome", "at", "id"),
        Index("activity_by_subject", "subject", "at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    node: Mapped[str]
    actor: Mapped[str]
    address: Mapped[str]
    action: Mapped[str]
    outcome: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default="")
    """What the detail says it was about, for finding it."""
    chain: Mapped[str] = mapped_column(server_default="")
    """Link to the entry before it (app.core.activity_chain)."""
    detail: Mapped[dict[str, Any]]


class NoteRow(NodeBase):
    __tablename__ = "notes"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]


class HistoryRow(NodeBase):
    """A point of the history; a later one of the same slot takes its place (app.core.history)."""

    __tablename__ = "history"

    length_s: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    round_trip_ms: Mapped[float | None]
    failed_pings: Mapped[int]
    missed: Mapped[int]
    lag_s: Mapped[float | None]
    files: Mapped[int | None]
    outage_s: Mapped[float]


class UserCopyRow(NodeBase):
    """A user as the appliance database last had it, so that people get in while that database is down."""

    __tablename__ = "user_copies"

    name: Mapped[str] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    must_change: Mapped[bool]
    totp: Mapped[str | None]
    """The sealed secret of the second factor."""
    recovery: Mapped[list[str]]
    """Digests of the recovery codes that are left."""
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime]
    sessions_from: Mapped[datetime]
    """Sessions that began earlier have ended."""
    copied_at: Mapped[datetime]


class TokenRow(NodeBase):
    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    scope: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the token: it is random and long, so it needs no slow hash."""
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class SessionRow(NodeBase):
    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_by_user", "username"),)

    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the cookie's value."""
    username: Mapped[str]
    csrf_token: Mapped[str]
    address: Mapped[str]
    role: Mapped[str]
    must_change: Mapped[bool]
    totp: Mapped[str | None]
    """The sealed secret of a second factor that is being set up and not confirmed yet."""
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class LoginFailureRow(NodeBase):
    """Failed logins in a row of one account or one address."""

    __tablename__ = "login_failures"

    subject: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]


class TakenCodeRow(NodeBase):
    """A code of a second factor that has let somebody in and never will again."""

    __tablename__ = "taken_codes"

    digest: Mapped[str] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime | None]
    """When the code would not be accepted anyway; None for a recovery code."""
