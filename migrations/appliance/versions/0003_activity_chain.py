"""Entries of the common activity log carry the link of their journal's chain, and are found by outcome and subject."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FILTERS = ("outcome", "subject")


def upgrade() -> None:
    op.add_column("activity", sa.Column("subject", sa.String(length=128), nullable=False, server_default=""))
    op.add_column("activity", sa.Column("chain", sa.String(length=64), nullable=False, server_default=""))
    for name in FILTERS:
        op.create_index(f"activity_by_{name}", "activity", [name, "at", "id"])


def downgrade() -> None:
    for name in FILTERS:
        op.drop_index(f"activity_by_{name}", table_name="activity")
    for name in ("subject", "chain"):
        op.drop_column("activity", name)
