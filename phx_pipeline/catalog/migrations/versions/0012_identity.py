"""A property is known by a key below the spelling of its address."""

import sqlalchemy as sa
from alembic import op

from phx_pipeline.catalog.rows import address_of

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_PARTS = ("street_number", "street", "unit", "city", "state", "zip_code")
_house = sa.table(
    "property",
    *map(sa.column, ("slug", *_PARTS, "added_at", "removed_at", "match_key", "twin")),
)


def upgrade() -> None:
    """Give every property its match key; twins of one house are numbered."""
    op.add_column("alias", sa.Column("folder", sa.String(length=8)))
    op.add_column(
        "property", sa.Column("match_key", sa.Text(), nullable=False, server_default="")
    )
    op.add_column(
        "property", sa.Column("twin", sa.Integer(), nullable=False, server_default="0")
    )
    connection = op.get_bind()
    seen: dict[str, int] = {}
    for row in sorted(connection.execute(sa.select(_house)), key=_order):
        key = address_of(row).match_key
        seen[key] = seen.get(key, -1) + 1
        this = sa.update(_house).where(_house.c.slug == row.slug)
        connection.execute(this.values(match_key=key, twin=seen[key]))
    columns = ["match_key", "twin"]
    op.create_index("ix_property_match_key", "property", columns, unique=True)


def _order(row: sa.Row[tuple[object, ...]]) -> tuple[bool, str, str]:
    """Followed ones first, then those added first."""
    return row.removed_at is not None, str(row.added_at), row.slug


def downgrade() -> None:
    """Forget the keys; twins stay."""
    op.drop_index("ix_property_match_key", "property")
    op.drop_column("property", "twin")
    op.drop_column("property", "match_key")
    op.drop_column("alias", "folder")
