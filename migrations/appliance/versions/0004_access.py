"""Users have a role, may have to change their password, and may have a second factor."""

import sqlalchemy as sa
from alembic import op

from app.models.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("role", sa.String(length=64), nullable=False, server_default="administrator"))
    op.add_column("users", sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("totp", sa.String(length=255), nullable=True))
    op.add_column("users", sa.Column("recovery", sa.JSON(), nullable=True))
    op.add_column("users", sa.Column("sessions_from", UtcDateTime(), nullable=True))


def downgrade() -> None:
    for name in ("sessions_from", "recovery", "totp", "must_change", "role"):
        op.drop_column("users", name)
