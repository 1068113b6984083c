"""What sources say of a house, by day."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table `listing_fact`; rows appear as sources are asked."""
    op.create_table(
        "listing_fact",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("list_price", sa.Integer(), nullable=True),
        sa.Column("bedrooms_total", sa.Float(), nullable=True),
        sa.Column("bathrooms_total", sa.Float(), nullable=True),
        sa.Column("living_area", sa.Integer(), nullable=True),
        sa.Column("lot_size_square_feet", sa.Integer(), nullable=True),
        sa.Column("garage_spaces", sa.Float(), nullable=True),
        sa.Column("pool_private", sa.Boolean(), nullable=True),
        sa.Column("association_fee", sa.Float(), nullable=True),
        sa.Column("sewer", sa.Text(), nullable=True),
        sa.Column("year_built", sa.Integer(), nullable=True),
        sa.Column("days_on_market", sa.Integer(), nullable=True),
        sa.Column("standard_status", sa.Text(), nullable=True),
        sa.Column("mls_number", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_listing_fact_slug_property")
        ),
        sa.PrimaryKeyConstraint(
            "slug", "source", "seen_on", name=op.f("pk_listing_fact")
        ),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("listing_fact")
