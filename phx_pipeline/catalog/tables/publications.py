"""What is published: the files of a house, and the JSON views."""

import sqlalchemy as sa

from phx_pipeline.catalog.tables.columns import UtcDateTime, metadata, slug

publication = sa.Table(
    "publication",
    metadata,
    slug(primary_key=True),
    sa.Column("location", sa.String(4), primary_key=True),
    sa.Column("subject", sa.String(16), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("photo_key", sa.String(200), nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("recipe", sa.String(32), nullable=False),
    sa.Column("processed_at", UtcDateTime, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Index("ix_publication_recipe", "recipe", "slug", "active"),
)

# How far the JSON views follow the rows: `wanted` counts publications, `rendered` is
# the count the files show. Times in seconds, `rendered_at` since 1970.
view = sa.Table(
    "view",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("wanted", sa.BigInteger, nullable=False),
    sa.Column("rendered", sa.BigInteger, nullable=False),
    sa.Column("took_s", sa.Float, nullable=False),
    sa.Column("rendered_at", sa.Float, nullable=False),
)
