"""What sources say of a house: listings, facts, values, and what changed."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import (
    StorableText,
    UtcDateTime,
    metadata,
    slug,
)

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

listing = sa.Table(
    "listing",
    metadata,
    slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("detail", StorableText, nullable=False, default=""),
    sa.Column("listing_id", StorableText),
    sa.Column("mls_id", StorableText),
    sa.Column("url", StorableText),
    sa.Column("listed_on", sa.Date),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("challenged", sa.Boolean, nullable=False),
    sa.Column("checked_at", UtcDateTime, nullable=False),
    sa.Column("gallery_seen_at", UtcDateTime),
    sa.Column("run_id", sa.String(64), nullable=False),
    # Whether the house is offered, as last known: a word of `model.market`.
    sa.Column("market", StorableText),
)

# What the columns mean: `model.facts.ListingFacts`. Whose they are is told by the days
# on which they were said.
listing_fact = sa.Table(
    "listing_fact",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("list_price", sa.Integer),
    sa.Column("bedrooms_total", sa.Float),
    sa.Column("bathrooms_total", sa.Float),
    sa.Column("living_area", sa.Integer),
    sa.Column("lot_size_square_feet", sa.Integer),
    sa.Column("garage_spaces", sa.Float),
    sa.Column("pool_private", sa.Boolean),
    sa.Column("association_fee", sa.Float),
    sa.Column("sewer", StorableText),
    sa.Column("year_built", sa.Integer),
    sa.Column("standard_status", StorableText),
    sa.Column("mls_number", StorableText),
    sa.Column("stories_total", sa.Float),
    sa.Column("roof", StorableText),
    sa.Column("construction_materials", StorableText),
    sa.Column("cooling", StorableText),
    sa.Column("heating", StorableText),
    sa.Column("parcel_number", StorableText),
    sa.Column("property_sub_type", StorableText),
)

# One row a day, of the last answer. On further days the same facts take no more room.
fact_day = sa.Table(
    "fact_day",
    metadata,
    slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("seen_on", sa.Date, primary_key=True),
    sa.Column("days_on_market", sa.Integer),
    sa.Column("fact_id", sa.ForeignKey("listing_fact.id"), nullable=False),
    sqlite_with_rowid=False,
)

# What the columns mean: `model.valuation.Valuation`.
valuation = sa.Table(
    "valuation",
    metadata,
    slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("tax_year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("full_cash_value", sa.Integer),
    sa.Column("limited_property_value", sa.Integer),
)

# The rows that events are told from, but for verdicts; literally, so that the databases
# know their index by it.
CHANGE_TOLD = (
    "what in ('added', 'fact', 'gallery', 'market', 'number', 'picture', 'present',"
    " 'price')"
)

# One row for each thing that changed (`model.change.What`); rows are only added. The
# key of a photo is empty where it is a source or a listing that changed.
change = sa.Table(
    "change",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    slug(nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("photo_key", sa.String(200), nullable=False),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("before", sa.String(32), nullable=False),
    sa.Column("after", sa.String(32), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Index("ix_change_slug", "slug", "source", "photo_key"),
)
