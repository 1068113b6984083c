"""More spellings are read as one address, so every match key is made anew."""

import sqlalchemy as sa
from alembic import op

from phx_pipeline.catalog.rows import address_of

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_PARTS = ("street_number", "street", "unit", "city", "state", "zip_code")
_house = sa.table(
    "property",
    *map(sa.column, ("slug", *_PARTS, "added_at", "removed_at", "match_key", "twin")),
)
_COLUMNS = ["match_key", "twin"]


def upgrade() -> None:
    """Give every property its key of this version; twins are numbered as before."""
    op.drop_index("ix_property_match_key", "property")
    connection = op.get_bind()
    seen: dict[str, int] = {}
    for row in sorted(connection.execute(sa.select(_house)), key=_order):
        key = address_of(row).match_key
        seen[key] = seen.get(key, -1) + 1
        if (row.match_key, row.twin) != (key, seen[key]):
            this = sa.update(_house).where(_house.c.slug == row.slug)
            connection.execute(this.values(match_key=key, twin=seen[key]))
    op.create_index("ix_property_match_key", "property", _COLUMNS, unique=True)


def _order(row: sa.Row[tuple[object, ...]]) -> tuple[bool, int, str, str]:
    """Followed ones first, then the first of earlier twins, then those added first."""
    return row.removed_at is not None, row.twin, str(row.added_at), row.slug


def downgrade() -> None:
    """Keep the keys: an older version reads them as well as its own."""
