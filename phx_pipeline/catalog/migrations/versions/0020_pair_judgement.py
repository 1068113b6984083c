"""What was judged of pairs of pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table `pair_judgement`; the next run of each house fills it."""
    op.create_table(
        "pair_judgement",
        sa.Column("first", sa.String(length=64), nullable=False),
        sa.Column("second", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("share", sa.Float()),
        sa.Column("inliers", sa.Integer()),
        sa.Column("better", sa.String(length=64)),
        sa.Column("why", sa.String(length=16)),
        sa.ForeignKeyConstraint(
            ["first"], ["blob.sha256"], name=op.f("fk_pair_judgement_first")
        ),
        sa.ForeignKeyConstraint(
            ["second"], ["blob.sha256"], name=op.f("fk_pair_judgement_second")
        ),
        sa.PrimaryKeyConstraint("first", "second", name=op.f("pk_pair_judgement")),
    )
    op.create_index("ix_pair_judgement_second", "pair_judgement", ["second"])


def downgrade() -> None:
    """Drop it; an older version judges by itself."""
    op.drop_index("ix_pair_judgement_second", "pair_judgement")
    op.drop_table("pair_judgement")
