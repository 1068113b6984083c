"""Houses, the names they had, and what people ruled about them."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import (
    StorableText,
    UtcDateTime,
    metadata,
    slug,
)

house = sa.Table(
    "property",
    metadata,
    sa.Column("slug", sa.String(200), primary_key=True),
    sa.Column("folder", sa.String(8), nullable=False, unique=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("street_number", sa.Text, nullable=False),
    sa.Column("street", sa.Text, nullable=False),
    sa.Column("unit", sa.Text),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("state", sa.String(2), nullable=False),
    sa.Column("zip_code", sa.String(5), nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("published_epoch", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("removed_at", UtcDateTime),
    sa.Column("match_key", sa.Text, nullable=False),
    sa.Column("twin", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_property_match_key", "match_key", "twin", unique=True),
)

# Keys a property had before it was renamed or merged; they still mean it. `folder` is
# set while a merged property's files are still there.
alias = sa.Table(
    "alias",
    metadata,
    sa.Column("alias", sa.String(200), primary_key=True),
    slug(nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("folder", sa.String(8)),
    sa.Index("ix_alias_slug", "slug"),
)

# What people ruled; rows are only added. What the columns mean: `model.ruling.Ruling`.
ruling = sa.Table(
    "ruling",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", StorableText, nullable=False),
    sa.Column("about", sa.String(16), nullable=False),
    slug(nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("key", StorableText, nullable=False),
    sa.Column("value", StorableText, nullable=False),
    sa.Column("why", StorableText, nullable=False),
    sa.Index("ix_ruling_slug", "slug", "about"),
)
