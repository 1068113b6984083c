"""How much there is to see in a picture, so that sharp copies win."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; `deduped_images` fills it from the originals."""
    op.add_column("appearance", sa.Column("detail", sa.Integer()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("appearance", "detail")
