"""When houses are looked at, and how many pages a source is asked for on a day."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_SLUG = sa.String(length=200)


def upgrade() -> None:
    """Make `look`, `look_day` and `asked_pages`, empty: nobody has looked so far."""
    op.create_table(
        "look",
        sa.Column("slug", _SLUG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found", sa.String(length=16), nullable=False),
        sa.Column("called_on", sa.Date()),
        sa.Column("fresh", sa.Boolean()),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_look_property")
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_look")),
    )
    counts = ("looked", "changed", "open", "failed", "waiting")
    op.create_table(
        "look_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_look_day")),
    )
    op.create_table(
        "asked_pages",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "source", name=op.f("pk_asked_pages")),
    )


def downgrade() -> None:
    """Drop them; an older version looks at houses when it is told to."""
    for table in ("asked_pages", "look_day", "look"):
        op.drop_table(table)
