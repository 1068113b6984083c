"""What backends said of pictures, and what networks made of them.

Votes of older versions had another shape; those of a house come again at its next run,
with the same names.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make `vote` and `feature`; a name is as probable as its confidence."""
    op.create_table(
        "vote",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("backend", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("outside", sa.Float()),
        sa.Column("abstention", sa.Text()),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_vote_blob")),
        sa.PrimaryKeyConstraint("sha256", "backend", "evidence", name=op.f("pk_vote")),
    )
    op.create_table(
        "feature",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("network", sa.String(length=100), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["blob.sha256"], name=op.f("fk_feature_blob")
        ),
        sa.PrimaryKeyConstraint("sha256", "network", name=op.f("pk_feature")),
    )
    op.add_column(
        "category",
        sa.Column("probability", sa.Float(), nullable=False, server_default="0"),
    )
    op.execute("update category set probability = confidence / 100.0, votes = '[]'")


def downgrade() -> None:
    """Drop them; an older version votes anew."""
    op.execute("update category set votes = '[]'")
    op.drop_column("category", "probability")
    op.drop_table("feature")
    op.drop_table("vote")
