"""What people ruled has a table of its own, for every kind of ruling."""

from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ruling = sa.table(
    "ruling",
    *map(sa.column, ("id", "at", "who", "about", "slug", "source", "key", "value")),
    sa.column("why"),
)
_held = sa.table(
    "quarantine",
    *map(sa.column, ("slug", "source", "photo_key", "reason", "ruling", "ruled_at")),
    sa.column("first_seen_at"),
)


def upgrade() -> None:
    """Make the table `ruling` and move to it what `quarantine` holds of rulings."""
    op.create_table(
        "ruling",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("about", sa.String(length=16), nullable=False),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_ruling_property")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ruling")),
    )
    op.create_index(op.f("ix_ruling_slug"), "ruling", ["slug", "about"])
    connection = op.get_bind()
    ruled = sa.select(_held).where(_held.c.ruling != "open")
    rows = [_moved(row) for row in connection.execute(ruled)]
    if rows:
        connection.execute(sa.insert(_ruling), rows)
    # These rows said nothing but that a person had ruled.
    connection.execute(sa.delete(_held).where(_held.c.reason == "person"))
    op.drop_column("quarantine", "ruling")
    op.drop_column("quarantine", "ruled_at")


def _moved(row: sa.Row[tuple[object, ...]]) -> dict[str, object]:
    at = row.ruled_at or row.first_seen_at
    what = f"{row.slug}/{row.source}/{row.photo_key}/{row.ruling}/{at}"
    return {
        # Copies of one old catalogue give one ruling one id.
        "id": str(uuid5(NAMESPACE_URL, f"phx:ruling:{what}")),
        "at": at,
        "who": "unknown",
        "about": "photo",
        "slug": row.slug,
        "source": row.source,
        "key": row.photo_key,
        "value": row.ruling,
        "why": "",
    }


def downgrade() -> None:
    """Forget the table; what was ruled since is lost."""
    with op.batch_alter_table("quarantine") as table:
        table.add_column(
            sa.Column("ruling", sa.String(16), nullable=False, server_default="open")
        )
        table.add_column(sa.Column("ruled_at", sa.DateTime(timezone=True)))
    op.drop_index(op.f("ix_ruling_slug"), "ruling")
    op.drop_table("ruling")
