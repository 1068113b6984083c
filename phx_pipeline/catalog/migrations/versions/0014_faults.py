"""A photo that gave no picture is asked for again on other days."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NO_PICTURE = (
    "('failed:gone', 'rejected:damaged', 'rejected:not_an_image',"
    " 'rejected:placeholder', 'rejected:too_large', 'rejected:too_small')"
)
_WANTED_BEFORE = (
    "(asked_url is distinct from url"
    " or verdict in ('failed:blocked', 'failed:network', 'failed:rate_limited',"
    " 'failed:timeout') or (verdict = 'pending' and sha256 is null))"
)
_WANTED = (
    "(asked_url is distinct from url"
    " or verdict in ('failed:blocked', 'failed:network', 'failed:rate_limited',"
    " 'failed:timeout') or (verdict = 'pending' and sha256 is null)"
    f" or (fault_days = 0 and verdict in {_NO_PICTURE}))"
)
_FAULTED = "(fault_days > 0 and verdict <> 'rejected:foreign')"
# The last request for these was answered and brought no picture, or no better one.
_FAILED_BEFORE = (
    f"verdict in {_NO_PICTURE} or (verdict in ('kept', 'duplicate') and detail <> '')"
)


def upgrade() -> None:
    """Count the days; whatever failed before has failed on one."""
    op.add_column(
        "photo",
        sa.Column("fault_days", sa.Integer(), nullable=False, server_default="0"),
    )
    op.add_column("photo", sa.Column("faulted_on", sa.Date()))
    op.execute(f"update photo set fault_days = 1 where {_FAILED_BEFORE}")  # noqa: S608 - constants of this module
    op.drop_index("ix_photo_wanted", "photo")
    _index("ix_photo_wanted", _WANTED)
    _index("ix_photo_faulted", _FAULTED)


def downgrade() -> None:
    """Forget the days."""
    op.drop_index("ix_photo_faulted", "photo")
    op.drop_index("ix_photo_wanted", "photo")
    op.drop_column("photo", "faulted_on")
    op.drop_column("photo", "fault_days")
    _index("ix_photo_wanted", _WANTED_BEFORE)


def _index(name: str, rows: str) -> None:
    where = sa.text(rows)
    columns = ["slug", "source"]
    op.create_index(name, "photo", columns, sqlite_where=where, postgresql_where=where)
