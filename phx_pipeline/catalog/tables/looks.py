"""The daily look at each house."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import UtcDateTime, metadata, slug

# The last day on which a house was looked at, and how. What the columns mean:
# `model.look.Tries`.
look = sa.Table(
    "look",
    metadata,
    slug(primary_key=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("found", sa.String(16), nullable=False),
    sa.Column("called_on", sa.Date),
    sa.Column("fresh", sa.Boolean),
)

# What the columns mean: `model.look.LookDay`.
look_day = sa.Table(
    "look_day",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("next_at", UtcDateTime),
    sa.Column("looked", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("open", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("waiting", sa.Integer, nullable=False),
)
