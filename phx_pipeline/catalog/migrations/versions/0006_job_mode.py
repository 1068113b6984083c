"""Jobs remember whether they ask again what is complete."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `job.mode`; jobs written before asked every source."""
    with op.batch_alter_table("job") as table:
        column = sa.Column(
            "mode", sa.String(16), nullable=False, server_default="fresh"
        )
        table.add_column(column)


def downgrade() -> None:
    """Forget the mode of jobs."""
    with op.batch_alter_table("job") as table:
        table.drop_column("mode")
