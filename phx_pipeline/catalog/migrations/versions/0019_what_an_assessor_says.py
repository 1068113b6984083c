"""What an assessor says of a house, its values by year, and which fields pages had."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_FACTS: Mapping[str, sa.types.TypeEngine[Any]] = {
    "stories_total": sa.Float(),
    "roof": sa.Text(),
    "construction_materials": sa.Text(),
    "cooling": sa.Text(),
    "heating": sa.Text(),
    "parcel_number": sa.Text(),
    "property_sub_type": sa.Text(),
}


def upgrade() -> None:
    """Add the columns and tables; rows appear as sources are asked."""
    for name, kind in _FACTS.items():
        op.add_column("listing_fact", sa.Column(name, kind))
    op.create_table(
        "valuation",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("tax_year", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("full_cash_value", sa.Integer(), nullable=True),
        sa.Column("limited_property_value", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_valuation_slug_property")
        ),
        sa.PrimaryKeyConstraint(
            "slug", "source", "tax_year", name=op.f("pk_valuation")
        ),
    )
    op.create_table(
        "field_count",
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("page_kind", sa.String(length=60), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("had", sa.Integer(), nullable=False),
        sa.Column("lacking", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("source", "page_kind", "field", "seen_on"), name=op.f("pk_field_count")
        ),
    )
    op.create_index("ix_field_count_seen_on", "field_count", ["seen_on"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("field_count")
    op.drop_table("valuation")
    for name in _FACTS:
        op.drop_column("listing_fact", name)
