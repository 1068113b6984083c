"""What pictures show: votes, what was fused from them, and what reviews taught."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import (
    StorableText,
    UtcDateTime,
    metadata,
    slug,
)

category = sa.Table(
    "category",
    metadata,
    slug(primary_key=True),
    sa.Column("source", sa.String(32), primary_key=True),
    sa.Column("photo_key", sa.String(200), primary_key=True),
    sa.Column("location", sa.String(4), nullable=False),
    sa.Column("subject", sa.String(16), nullable=False),
    sa.Column("confidence", sa.Integer, nullable=False),
    sa.Column("votes", sa.JSON, nullable=False),
    sa.Column("probability", sa.Float, nullable=False, server_default="0"),
)

# What the columns mean: `model.vote.Vote` and `Abstention`. `evidence` is a digest of
# what was read besides the bytes.
vote = sa.Table(
    "vote",
    metadata,
    sa.Column("sha256", sa.String(64), sa.ForeignKey("blob.sha256"), primary_key=True),
    sa.Column("backend", sa.String(32), primary_key=True),
    sa.Column("evidence", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(100), nullable=False),
    sa.Column("probabilities", sa.JSON, nullable=False),
    sa.Column("places", sa.JSON, nullable=False),
    sa.Column("outside", sa.Float),
    sa.Column("abstention", StorableText),
)

# Vectors of half-precision floats, as the network of that name gives them.
feature = sa.Table(
    "feature",
    metadata,
    sa.Column("sha256", sa.String(64), sa.ForeignKey("blob.sha256"), primary_key=True),
    sa.Column("network", sa.String(100), primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)

# What reviews taught: `body` is a `categorize.trained.TrainedModel`. The newest one
# that is accepted and not retired counts.
trained_model = sa.Table(
    "trained_model",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", StorableText, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("report", sa.JSON, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("retired", UtcDateTime),
)
