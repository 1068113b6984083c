"""What is to be told by mail and webhook, and what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table `delivery`, empty: nothing of the past is told."""
    op.create_table(
        "delivery",
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True)),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("told", sa.JSON()),
        sa.PrimaryKeyConstraint("channel", "key", name=op.f("pk_delivery")),
    )
    op.create_index("ix_delivery_state", "delivery", ["state", "due_at"])


def downgrade() -> None:
    """Drop it; an older version sends nothing."""
    op.drop_table("delivery")
