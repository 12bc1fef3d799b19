"""Sessions know their role, copies of users are whole, tokens expire, and a code is taken once."""

import sqlalchemy as sa
from alembic import op

from app.models.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ADMINISTRATOR = "administrator"
NOT_YET = "1970-01-01T00:00:00.000000+00:00"


def upgrade() -> None:
    op.create_table(
        "taken_codes",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    for table in ("sessions", "user_copies"):
        op.add_column(table, sa.Column("role", sa.Text(), nullable=False, server_default=ADMINISTRATOR))
        op.add_column(table, sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sessions", sa.Column("totp", sa.Text(), nullable=True))
    op.add_column("user_copies", sa.Column("totp", sa.Text(), nullable=True))
    op.add_column("user_copies", sa.Column("recovery", sa.JSON(), nullable=False, server_default="[]"))
    for name in ("created_at", "password_changed_at", "sessions_from"):
        op.add_column("user_copies", sa.Column(name, UtcDateTime(), nullable=False, server_default=NOT_YET))
    op.add_column("tokens", sa.Column("expires_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("tokens", "expires_at")
    for name in ("created_at", "password_changed_at", "sessions_from", "recovery", "totp", "must_change", "role"):
        op.drop_column("user_copies", name)
    for name in ("totp", "must_change", "role"):
        op.drop_column("sessions", name)
    op.drop_table("taken_codes")
