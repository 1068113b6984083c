"""Held photos with what a person ruled, and photos alike on two properties."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables `quarantine` and `lookalike`."""
    op.create_table(
        "quarantine",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("photo_key", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("ruling", sa.String(length=16), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_quarantine_property")
        ),
        sa.PrimaryKeyConstraint(
            "slug", "source", "photo_key", name=op.f("pk_quarantine")
        ),
    )
    op.create_table(
        "lookalike",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("photo_key", sa.String(length=200), nullable=False),
        sa.Column("other_slug", sa.String(length=200), nullable=False),
        sa.Column("other_source", sa.String(length=32), nullable=False),
        sa.Column("other_key", sa.String(length=200), nullable=False),
        sa.Column("likeness", sa.String(length=32), nullable=False),
        sa.Column("phash_distance", sa.Integer(), nullable=True),
        sa.Column("dhash_distance", sa.Integer(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_lookalike_property")
        ),
        sa.PrimaryKeyConstraint(
            "slug",
            "source",
            "photo_key",
            "other_slug",
            "other_source",
            "other_key",
            name=op.f("pk_lookalike"),
        ),
    )
    op.create_index("ix_lookalike_other_slug", "lookalike", ["other_slug"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("lookalike")
    op.drop_table("quarantine")
