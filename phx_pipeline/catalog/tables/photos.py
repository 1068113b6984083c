"""Photos of listings: their state, what was asked for, and what is set aside."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import (
    StorableText,
    UtcDateTime,
    metadata,
    slug,
)

# The two parts of the rule `model.due.is_photo_due`: due anyway, and due while the days
# of faults are fewer than a setting says. Counted as they change: `catalog.door`.
PHOTO_WANTED = (
    "(verdict <> 'rejected:withdrawn' and (asked_url is distinct from url"
    " or verdict in ('failed:blocked', 'failed:network', 'failed:rate_limited',"
    " 'failed:timeout') or (verdict = 'pending' and sha256 is null)"
    " or (fault_days = 0 and sha256 is null and verdict in ('failed:gone',"
    " 'rejected:damaged', 'rejected:not_an_image', 'rejected:placeholder',"
    " 'rejected:too_large', 'rejected:too_small'))))"
)

PHOTO_FAULTED = "(fault_days > 0 and verdict <> 'rejected:foreign')"

photo = sa.Table(
    "photo",
    metadata,
    slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("photo_key", sa.String(200), primary_key=True),
    sa.Column("url", StorableText, nullable=False),
    sa.Column("fallback_urls", sa.JSON, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("caption", StorableText, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("listed_on", sa.Date),
    sa.Column("first_seen_on", sa.Date, nullable=False),
    sa.Column("present", sa.Boolean, nullable=False),
    sa.Column("verdict", sa.String(32), nullable=False),
    sa.Column("detail", StorableText, nullable=False, default=""),
    sa.Column("asked_url", StorableText),
    sa.Column("fetched_url", StorableText),
    sa.Column("sha256", sa.String(64), sa.ForeignKey("blob.sha256")),
    sa.Column("cluster_id", sa.String(36)),
    sa.Column("downloaded_at", UtcDateTime),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("fault_days", sa.Integer, nullable=False, server_default="0"),
    sa.Column("faulted_on", sa.Date),
    sa.Column("last_seen_on", sa.Date),  # empty while it is present
    sa.Index("ix_photo_photo_key", "source", "photo_key"),
    sa.Index("ix_photo_sha256", "sha256"),
)

# How many photos of a source a property has, by verdict and by what they wait for.
photo_count = sa.Table(
    "photo_count",
    metadata,
    slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("photos", sa.Integer, nullable=False),
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
    ),
    slug(nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("photo_key", sa.String(200), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("url", StorableText, nullable=False),
    sa.Column("result", sa.String(32), nullable=False),
    sa.Column("detail", StorableText, nullable=False, default=""),
    sa.Index("ix_attempt_slug", "slug", "source", "photo_key"),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("photo_key", sa.String(200), primary_key=True),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("detail", StorableText, nullable=False),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
)

# Two photos of two properties; the slugs are in rising order.
lookalike = sa.Table(
    "lookalike",
    metadata,
    slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("photo_key", sa.String(200), primary_key=True),
    sa.Column("other_slug", sa.String(200), primary_key=True),
    sa.Column("other_source", sa.String(32), primary_key=True),
    sa.Column("other_key", sa.String(200), primary_key=True),
    sa.Column("likeness", sa.String(32), nullable=False),
    sa.Column("phash_distance", sa.Integer),
    sa.Column("dhash_distance", sa.Integer),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Index("ix_lookalike_other_slug", "other_slug"),
)
