"""The journal of activity is a chain of hashes, and is read by time with every filter."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FILTERS = ("actor", "action", "node", "outcome", "subject")


def upgrade() -> None:
    for name in ("subject", "chain"):
        op.add_column("activity", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for name in ("actor", "action"):
        op.drop_index(f"activity_by_{name}", table_name="activity")
    op.create_index("activity_by_time", "activity", ["at", "id"])
    for name in FILTERS:
        op.create_index(f"activity_by_{name}", "activity", [name, "at", "id"])


def downgrade() -> None:
    for name in ("time", *FILTERS):
        op.drop_index(f"activity_by_{name}", table_name="activity")
    for name in ("actor", "action"):
        op.create_index(f"activity_by_{name}", "activity", [name, "id"])
    for name in ("subject", "chain"):
        op.drop_column("activity", name)
