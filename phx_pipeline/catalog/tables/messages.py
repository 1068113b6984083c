"""What people are told."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import StorableText, UtcDateTime, metadata

# What is to be told on a channel, and what became of it: `model.message.Delivery`.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("key", sa.String(400), primary_key=True),
    sa.Column("message", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("booked_at", UtcDateTime, nullable=False),
    sa.Column("from_at", UtcDateTime),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("sent_at", UtcDateTime),
    sa.Column("detail", StorableText, nullable=False),
    sa.Column("told", sa.JSON),
    sa.Column("recipients", sa.JSON(none_as_null=True)),
    sa.Index("ix_delivery_state", "state", "due_at"),
)
