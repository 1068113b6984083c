"""What people look for, what searches found, and how often sites were asked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make `saved_search`, `proposal` and `search_turn`, empty."""
    op.create_table(
        "saved_search",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("accept_per_day", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_saved_search")),
    )
    _make_proposal()
    op.create_table(
        "search_turn",
        sa.Column("search", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("proposed", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=32)),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("search", "source", "on", name=op.f("pk_search_turn")),
    )
    op.create_index("ix_search_turn_on", "search_turn", ["on"])


def _make_proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("match_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("search", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("photo_url", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=False),
        sa.Column("first_seen_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decided_on", sa.Date()),
        sa.Column("by_itself", sa.Boolean(), nullable=False),
        sa.Column("house", sa.Text()),
        sa.PrimaryKeyConstraint("match_key", name=op.f("pk_proposal")),
    )
    op.create_index("ix_proposal_state", "proposal", ["state", "search"])
    op.create_index(
        "ix_proposal_first_seen_on", "proposal", ["first_seen_on", "match_key"]
    )


def downgrade() -> None:
    """Drop them; an older version searches for nothing."""
    for table in ("search_turn", "proposal", "saved_search"):
        op.drop_table(table)
