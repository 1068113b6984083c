"""Which run worked on which property, and what it changed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table `run`; runs before it are known to Dagster alone."""
    op.create_table(
        "run",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_run_slug_property")
        ),
        sa.PrimaryKeyConstraint("run_id", "slug", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_slug"), "run", ["slug", "started_at"])
    op.create_index(op.f("ix_run_started_at"), "run", ["started_at"])
    op.create_index(op.f("ix_run_job_id"), "run", ["job_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("run")
