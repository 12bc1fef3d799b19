"""The appliance database: what both servers of a pair share, in the replicated MariaDB.

A standalone server without MariaDB keeps it in SQLite.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.models.types import UtcDateTime

NAME_LENGTH = 64
HASH_LENGTH = 255
ADDRESS_LENGTH = 64
WORD_LENGTH = 64
SUBJECT_LENGTH = 128
FILE_NAME_LENGTH = 200
SHA256_LENGTH = 64
SEALED_LENGTH = 255

BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts its keys up only in INTEGER columns."""


class ApplianceBase(DeclarativeBase):
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON}  # noqa: RUF012


class User(ApplianceBase):
    """An administrator or an auditor."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(HASH_LENGTH))
    role: Mapped[str] = mapped_column(String(WORD_LENGTH))
    must_change: Mapped[bool]
    """Whether the password was set by somebody else."""
    totp: Mapped[str | None] = mapped_column(String(SEALED_LENGTH))
    """The sealed secret of the second factor."""
    recovery: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Digests of the recovery codes that are left."""
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime]
    sessions_from: Mapped[datetime | None]
    """Sessions that began earlier have ended."""


class Activity(ApplianceBase):
    """What someone did on either node; (node, node_entry) names the entry of that node's own journal it came from.

    `node` is the node's identity, which a server that is installed anew does not keep; `hostname` is for people.
    """

    __tablename__ = "activity"
    __table_args__ = (
        Index("activity_source", "node", "node_entry", unique=True),
        Index("activity_by_time", "at", "id"),
        Index("activity_by_actor", "actor", "at", "id"),
        Index("activity_by_action", "action", "at", "id"),
        Index("activity_by_hostname", "hostname", "at", "id"),
        Index("activity_by_outcome", "outcome", "at", "id"),
        Index("activity_by_subject", "subject", "at", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    node: Mapped[str] = mapped_column(String(255))
    node_entry: Mapped[int] = mapped_column(BigInteger)
    hostname: Mapped[str] = mapped_column(String(255), server_default="")
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(128))
    address: Mapped[str] = mapped_column(String(ADDRESS_LENGTH))
    action: Mapped[str] = mapped_column(String(WORD_LENGTH))
    outcome: Mapped[str] = mapped_column(String(WORD_LENGTH))
    subject: Mapped[str] = mapped_column(String(SUBJECT_LENGTH), server_default="")
    """What the detail says it was about, for finding it."""
    chain: Mapped[str] = mapped_column(String(SHA256_LENGTH), server_default="")
    """Link to the entry before it in the journal of its server (app.core.activity_chain)."""
    detail: Mapped[dict[str, Any]]


class Package(ApplianceBase):
    """An upgrade package's record; its file travels with the mirrored tree and may arrive later than this row."""

    __tablename__ = "packages"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    file_name: Mapped[str] = mapped_column(String(FILE_NAME_LENGTH), unique=True)
    version: Mapped[str] = mapped_column(String(WORD_LENGTH))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(SHA256_LENGTH))
    uploaded_by: Mapped[str] = mapped_column(String(NAME_LENGTH))
    uploaded_at: Mapped[datetime]
