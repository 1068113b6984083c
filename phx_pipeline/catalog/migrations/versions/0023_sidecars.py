"""Each house is published once more: its pictures get the files that tell about them.

The same run names the pictures anew by what this version knows, and makes the folders
of links. Numbers stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_house = sa.table("property", *map(sa.column, ("slug", "published_epoch")))
_publication = sa.table("publication", sa.column("slug"), sa.column("active"))


def upgrade() -> None:
    """Mark the houses that show pictures as not published yet."""
    shown = sa.select(_publication.c.slug).where(_publication.c.active)
    these = sa.update(_house).where(_house.c.slug.in_(shown))
    op.get_bind().execute(these.values(published_epoch=0))


def downgrade() -> None:
    """Keep what is there: an older version moves the files aside that it does not know.

    It publishes a house when its rows change.
    """
