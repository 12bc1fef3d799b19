"""The common activity log has the hostname of each entry, and is read by time with every filter."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activity", sa.Column("hostname", sa.String(length=255), nullable=False, server_default=""))
    op.drop_index("activity_by_actor", table_name="activity")
    op.create_index("activity_by_time", "activity", ["at", "id"])
    for column in ("actor", "action", "hostname"):
        op.create_index(f"activity_by_{column}", "activity", [column, "at", "id"])


def downgrade() -> None:
    for name in ("time", "actor", "action", "hostname"):
        op.drop_index(f"activity_by_{name}", table_name="activity")
    op.create_index("activity_by_actor", "activity", ["actor", "id"])
    op.drop_column("activity", "hostname")
