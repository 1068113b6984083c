"""Pace, Retry-After and circuit of every source."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table `source_state`; its rows appear on first use."""
    op.create_table(
        "source_state",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("next_slot", sa.Float(), nullable=False),
        sa.Column("period_s", sa.Float(), nullable=False),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=True),
        sa.Column("open_until", sa.Float(), nullable=True),
        sa.Column("probe", sa.Text(), nullable=False),
        sa.Column("probe_until", sa.Float(), nullable=False),
        sa.Column("blocked_at", sa.Float(), nullable=True),
        sa.Column("block", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source_state")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("source_state")
