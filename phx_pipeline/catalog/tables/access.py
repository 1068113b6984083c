"""Who may do what, and what was done."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import StorableText, UtcDateTime, metadata

# What the columns mean: `model.access`. The text of a key is stored nowhere.
api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.String(8), primary_key=True),
    sa.Column("name", StorableText, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("key_id", sa.String(8), sa.ForeignKey("api_key.id"), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

# Rows are only added, and go by age alone.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
    ),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("user", StorableText, nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("target", StorableText, nullable=False),
    sa.Column("detail", StorableText, nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Index("ix_audit_at", "at"),
)
