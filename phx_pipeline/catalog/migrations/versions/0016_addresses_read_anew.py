"""The key of every property is computed anew: some addresses are read otherwise."""

import sqlalchemy as sa
from alembic import op

from phx_pipeline.catalog.rows import address_of

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INDEX = "ix_property_match_key"
_PARTS = ("street_number", "street", "unit", "city", "state", "zip_code")
_house = sa.table(
    "property",
    *map(sa.column, ("slug", *_PARTS, "added_at", "removed_at", "match_key", "twin")),
)


def upgrade() -> None:
    """Give every property its match key; twins of one house are numbered."""
    op.drop_index(_INDEX, "property")
    connection = op.get_bind()
    seen: dict[str, int] = {}
    for row in sorted(connection.execute(sa.select(_house)), key=_order):
        key = address_of(row).match_key
        seen[key] = twin = seen.get(key, -1) + 1
        if (key, twin) != (row.match_key, row.twin):
            this = sa.update(_house).where(_house.c.slug == row.slug)
            connection.execute(this.values(match_key=key, twin=twin))
    op.create_index(_INDEX, "property", ["match_key", "twin"], unique=True)


def _order(row: sa.Row[tuple[object, ...]]) -> tuple[bool, str, str]:
    """Followed ones first, then those added first."""
    return row.removed_at is not None, str(row.added_at), row.slug


def downgrade() -> None:
    """Leave the keys: they are of no use to a version that reads otherwise."""
