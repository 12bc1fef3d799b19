"""How ping, replication, mirror and writes went over time."""

import sqlalchemy as sa
from alembic import op

from app.models.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "history",
        sa.Column("length_s", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("round_trip_ms", sa.Double(), nullable=True),
        sa.Column("failed_pings", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("lag_s", sa.Double(), nullable=True),
        sa.Column("files", sa.Integer(), nullable=True),
        sa.Column("outage_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("length_s", "slot"),
    )


def downgrade() -> None:
    op.drop_table("history")
