"""Whether a house is offered, when a photo was last seen, and an index of changes."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_TOLD = (
    "what in ('added', 'fact', 'gallery', 'market', 'number', 'picture', 'present',"
    " 'price')"
)
_listing = sa.table("listing", sa.column("outcome"), sa.column("market"))
_WORDS = {
    "listed": "Listed",
    "listed_empty": "Listed",
    "off_market": "Off Market",
    "not_found": "Not Found",
}


def upgrade() -> None:
    """Fill what the last answers tell; photos that left before have no day."""
    op.add_column("listing", sa.Column("market", sa.Text()))
    op.add_column("photo", sa.Column("last_seen_on", sa.Date()))
    word = sa.case(_WORDS, value=_listing.c.outcome)
    op.get_bind().execute(sa.update(_listing).values(market=word))
    told = sa.text(_TOLD)
    op.create_index(
        "ix_change_told",
        "change",
        ["at"],
        sqlite_where=told,
        postgresql_where=told,
    )


def downgrade() -> None:
    """Drop them; an older version reads the rows of `change` that it knows."""
    op.drop_index("ix_change_told", "change")
    op.drop_column("photo", "last_seen_on")
    op.drop_column("listing", "market")
