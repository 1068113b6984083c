"""What keeps publishing one property cheap in a large catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


# Two 64-bit hashes that differ in four bits agree in at least one of five bands.
_BANDS = 5
_BAND_BITS = 13

_WANTED = (
    "(asked_url is distinct from url"
    " or verdict in ('failed:blocked', 'failed:network', 'failed:rate_limited',"
    " 'failed:timeout') or (verdict = 'pending' and sha256 is null))"
)


def upgrade() -> None:
    """Make the table `view`, index each band of the pHash and what counts read."""
    op.create_table(
        "view",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("rendered", sa.BigInteger(), nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.Column("rendered_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_view")),
    )
    op.create_index("ix_photo_verdict", "photo", ["slug", "source", "verdict"])
    shown = ["recipe", "slug", "active"]
    op.create_index("ix_publication_recipe", "publication", shown)
    wanted = sa.text(_WANTED)
    op.create_index(
        *("ix_photo_wanted", "photo", ["slug", "source"]),
        sqlite_where=wanted,
        postgresql_where=wanted,
    )
    for band in range(_BANDS):
        value = sa.text(f"((phash >> {band * _BAND_BITS}) & {2**_BAND_BITS - 1})")
        op.create_index(f"ix_blob_phash_band_{band}", "blob", [value, "dhash"])


def downgrade() -> None:
    """Drop them."""
    for band in range(_BANDS):
        op.drop_index(f"ix_blob_phash_band_{band}", "blob")
    op.drop_index("ix_photo_wanted", "photo")
    op.drop_index("ix_publication_recipe", "publication")
    op.drop_index("ix_photo_verdict", "photo")
    op.drop_table("view")
