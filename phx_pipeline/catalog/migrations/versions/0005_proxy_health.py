"""Which proxies rest for which sources."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table `proxy_health`; its rows appear when a proxy first fails."""
    op.create_table(
        "proxy_health",
        sa.Column("proxy_id", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("cool_until", sa.Float(), nullable=False),
        sa.Column("failed_at", sa.Float(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("proxy_id", "source", name=op.f("pk_proxy_health")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("proxy_health")
