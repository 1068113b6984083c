"""Changes of photos and sources are noted, and photos counted as they change."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_WANTED = (
    "(asked_url is distinct from url"
    " or verdict in ('failed:blocked', 'failed:network', 'failed:rate_limited',"
    " 'failed:timeout') or (verdict = 'pending' and sha256 is null)"
    " or (fault_days = 0 and sha256 is null and verdict in ('failed:gone',"
    " 'rejected:damaged', 'rejected:not_an_image', 'rejected:placeholder',"
    " 'rejected:too_large', 'rejected:too_small')))"
)
_FAULTED = "(fault_days > 0 and verdict <> 'rejected:foreign')"
_KINDS = (
    ("verdict", "true"),
    ("'wanted'", _WANTED),
    ("'fault:' || fault_days", f"{_FAULTED} and not {_WANTED}"),
)


def upgrade() -> None:
    """Make both tables and count; what was counted by two indexes needs none."""
    op.create_table(
        "change",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("photo_key", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("before", sa.String(length=32), nullable=False),
        sa.Column("after", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_change_property")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index(op.f("ix_change_slug"), "change", ["slug", "source", "photo_key"])
    op.create_table(
        "photo_count",
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_photo_count_property")
        ),
        sa.PrimaryKeyConstraint("slug", "source", "kind", name=op.f("pk_photo_count")),
    )
    for kind, rows in _KINDS:
        op.execute(
            "insert into photo_count (slug, source, kind, photos)"  # noqa: S608 - constants of this module
            f" select slug, source, {kind}, count(*) from photo where {rows}"
            " group by 1, 2, 3"
        )
    op.drop_index("ix_photo_wanted", "photo")
    op.drop_index("ix_photo_verdict", "photo")


def downgrade() -> None:
    """Forget what changed, and count by indexes again."""
    op.create_index("ix_photo_verdict", "photo", ["slug", "source", "verdict"])
    wanted = sa.text(_WANTED)
    op.create_index(
        *("ix_photo_wanted", "photo", ["slug", "source"]),
        sqlite_where=wanted,
        postgresql_where=wanted,
    )
    op.drop_table("photo_count")
    op.drop_index(op.f("ix_change_slug"), "change")
    op.drop_table("change")
