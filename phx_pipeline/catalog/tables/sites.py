"""How sites are asked: the state of sources and proxies, and fields that pages have."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import StorableText, metadata

# What the columns mean: `model.source_state.SourceState`.
source_state = sa.Table(
    "source_state",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("next_slot", sa.Float, nullable=False),
    sa.Column("period_s", sa.Float, nullable=False),
    sa.Column("not_before", sa.Float, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("successes", sa.Integer, nullable=False),
    sa.Column("opened_at", sa.Float),
    sa.Column("open_until", sa.Float),
    sa.Column("probe", sa.Text, nullable=False),
    sa.Column("probe_until", sa.Float, nullable=False),
    sa.Column("blocked_at", sa.Float),
    sa.Column("block", StorableText, nullable=False),
)

# What the columns mean: `model.proxy_health.ProxyHealth`.
proxy_health = sa.Table(
    "proxy_health",
    metadata,
    sa.Column("proxy_id", sa.String(12), primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("cool_until", sa.Float, nullable=False),
    sa.Column("failed_at", sa.Float),
    sa.Column("fault", StorableText, nullable=False),
)

# What the columns mean: `model.drift.FieldCount`.
field_count = sa.Table(
    "field_count",
    metadata,
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("page_kind", sa.String(60), primary_key=True),
    sa.Column("field", sa.String(40), primary_key=True),
    sa.Column("seen_on", sa.Date, primary_key=True),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("had", sa.Integer, nullable=False),
    sa.Column("lacking", sa.Integer, nullable=False),
    sa.Index("ix_field_count_seen_on", "seen_on"),
)

# Pages that looks and searches asked of a source on a day in Phoenix, or set aside.
asked_pages = sa.Table(
    "asked_pages",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("pages", sa.Integer, nullable=False),
)
