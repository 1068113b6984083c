"""What confirms copies, and an index to look pictures up by their pHash."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table `appearance`; bytes stored before have no row in it."""
    op.create_table(
        "appearance",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=False),
        sa.Column("left", sa.Float(), nullable=False),
        sa.Column("top", sa.Float(), nullable=False),
        sa.Column("right", sa.Float(), nullable=False),
        sa.Column("bottom", sa.Float(), nullable=False),
        sa.Column("low_information", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["blob.sha256"], name=op.f("fk_appearance_blob")
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_appearance")),
    )
    op.create_index("ix_blob_phash", "blob", ["phash"])


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_blob_phash", "blob")
    op.drop_table("appearance")
