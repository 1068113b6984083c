"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("phash", sa.BigInteger(), nullable=False),
        sa.Column("dhash", sa.BigInteger(), nullable=False),
        sa.Column("trimmed_phash", sa.BigInteger(), nullable=False),
        sa.Column("trimmed_dhash", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
        ),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "property",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("folder", sa.String(length=8), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("street_number", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("zip_code", sa.String(length=5), nullable=False),
        sa.Column(
            "added_at",
            sa.DateTime(timezone=True),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_property")),
        sa.UniqueConstraint("folder", name=op.f("uq_property_folder")),
    )
    op.create_table(
        "attempt",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("photo_key", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_attempt_property")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attempt_slug", ["slug", "source", "photo_key"], unique=False
        )

    op.create_table(
        "category",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("photo_key", sa.String(length=200), nullable=False),
        sa.Column("location", sa.String(length=4), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("votes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_category_property")
        ),
        sa.PrimaryKeyConstraint(
            "slug", "source", "photo_key", name=op.f("pk_category")
        ),
    )
    op.create_table(
        "job_item",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "dispatched_at",
            sa.DateTime(timezone=True),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_item_job")),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_job_item_property")
        ),
        sa.PrimaryKeyConstraint("job_id", "slug", name=op.f("pk_job_item")),
    )
    with op.batch_alter_table("job_item", schema=None) as batch_op:
        batch_op.create_index(
            "ix_job_item_dispatched_at", ["dispatched_at"], unique=False
        )

    op.create_table(
        "listing",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=True),
        sa.Column("mls_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("challenged", sa.Boolean(), nullable=False),
        sa.Column(
            "checked_at",
            sa.DateTime(timezone=True),
            nullable=False,
        ),
        sa.Column(
            "gallery_seen_at",
            sa.DateTime(timezone=True),
            nullable=True,
        ),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_listing_property")
        ),
        sa.PrimaryKeyConstraint("slug", "source", name=op.f("pk_listing")),
    )
    op.create_table(
        "photo",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("photo_key", sa.String(length=200), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("fallback_urls", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("first_seen_on", sa.Date(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("asked_url", sa.Text(), nullable=True),
        sa.Column("fetched_url", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("cluster_id", sa.String(length=36), nullable=True),
        sa.Column(
            "downloaded_at",
            sa.DateTime(timezone=True),
            nullable=True,
        ),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["blob.sha256"], name=op.f("fk_photo_blob")
        ),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_photo_property")
        ),
        sa.PrimaryKeyConstraint("slug", "source", "photo_key", name=op.f("pk_photo")),
    )
    with op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.create_index(
            "ix_photo_photo_key", ["source", "photo_key"], unique=False
        )
        batch_op.create_index("ix_photo_sha256", ["sha256"], unique=False)

    op.create_table(
        "picture",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recipe", sa.String(length=32), nullable=False),
        sa.Column("png_sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["blob.sha256"], name=op.f("fk_picture_blob")
        ),
        sa.PrimaryKeyConstraint("sha256", "recipe", name=op.f("pk_picture")),
    )
    op.create_table(
        "publication",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("location", sa.String(length=4), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("photo_key", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recipe", sa.String(length=32), nullable=False),
        sa.Column(
            "processed_at",
            sa.DateTime(timezone=True),
            nullable=False,
        ),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_publication_property")
        ),
        sa.PrimaryKeyConstraint(
            "slug", "location", "subject", "sequence", name=op.f("pk_publication")
        ),
    )


def downgrade() -> None:
    """Drop all tables."""
    op.drop_table("publication")
    op.drop_table("picture")
    with op.batch_alter_table("photo", schema=None) as batch_op:
        batch_op.drop_index("ix_photo_sha256")
        batch_op.drop_index("ix_photo_photo_key")

    op.drop_table("photo")
    op.drop_table("listing")
    with op.batch_alter_table("job_item", schema=None) as batch_op:
        batch_op.drop_index("ix_job_item_dispatched_at")

    op.drop_table("job_item")
    op.drop_table("category")
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_attempt_slug")

    op.drop_table("attempt")
    op.drop_table("property")
    op.drop_table("lease")
    op.drop_table("job")
    op.drop_table("blob")
