"""One vocabulary of states for jobs, their properties and their runs."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_run = sa.table("run", sa.column("outcome"))


def upgrade() -> None:
    """Spell cancelled runs as jobs are spelled."""
    _respell("canceled", "cancelled")


def downgrade() -> None:
    """Spell them as they were."""
    _respell("cancelled", "canceled")


def _respell(old: str, new: str) -> None:
    these = sa.update(_run).where(_run.c.outcome == old)
    op.get_bind().execute(these.values(outcome=new))
