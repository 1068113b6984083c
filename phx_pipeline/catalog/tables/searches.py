"""Saved searches and what they propose; what the columns mean: `model.search`."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import (
    StorableText,
    UtcDateTime,
    metadata,
)

# What the columns of these three mean: `model.search`. The criteria are those of
# `Criteria.plain`.
saved_search = sa.Table(
    "saved_search",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("criteria", sa.JSON, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("accept_per_day", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("is_paused", sa.Boolean, nullable=False),
)

# One row for each door that was ever proposed; none goes, so none comes again. `house`
# is the key at the time of acceptance: no column `slug`, for it outlives the property.
# `decided_on` is the day in Phoenix, `by_itself` that no person decided.
proposal = sa.Table(
    "proposal",
    metadata,
    sa.Column("match_key", StorableText, primary_key=True),
    sa.Column("address", StorableText, nullable=False),
    sa.Column("search", sa.String(64), nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("listing_id", StorableText, nullable=False),
    sa.Column("url", StorableText, nullable=False),
    sa.Column("photo_url", StorableText, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("doubt", StorableText, nullable=False),
    sa.Column("first_seen_on", sa.Date, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("decided_on", sa.Date),
    sa.Column("by_itself", sa.Boolean, nullable=False),
    sa.Column("house", StorableText),
    sa.Index("ix_proposal_state", "state", "search"),
    sa.Index("ix_proposal_first_seen_on", "first_seen_on", "match_key"),
)

search_turn = sa.Table(
    "search_turn",
    metadata,
    sa.Column("search", sa.String(64), primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("on", sa.Date, primary_key=True),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("proposed", sa.Integer, nullable=False),
    sa.Column("left_out", sa.JSON, nullable=False),
    sa.Column("outcome", sa.String(32)),
    sa.Column("detail", StorableText, nullable=False),
    sa.Column("at", UtcDateTime),
    sa.Index("ix_search_turn_on", "on"),
)
