"""Properties remember which lease epoch was the last to publish them whole."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `property.published_epoch`; 0 means that it is not known to be published."""
    with op.batch_alter_table("property") as table:
        column = sa.Column(
            "published_epoch", sa.BigInteger(), nullable=False, server_default="0"
        )
        table.add_column(column)


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("property") as table:
        table.drop_column("published_epoch")
