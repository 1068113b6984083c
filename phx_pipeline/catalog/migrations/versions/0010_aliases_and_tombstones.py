"""Properties can be renamed and removed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table `alias`, add `property.removed_at`."""
    op.create_table(
        "alias",
        sa.Column("alias", sa.String(length=200), nullable=False),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_alias_slug_property")
        ),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_alias")),
    )
    op.create_index(op.f("ix_alias_slug"), "alias", ["slug"])
    with op.batch_alter_table("property") as table:
        table.add_column(sa.Column("removed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Forget both."""
    with op.batch_alter_table("property") as table:
        table.drop_column("removed_at")
    op.drop_table("alias")
