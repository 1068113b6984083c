"""A picture nobody could name claims no place, unless its listing says "Interior".

The number of a published one goes with it; its file keeps the old name until the house
is published again, which the next run does. The old number stays taken.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KEY = ("slug", "source", "photo_key")
_NUMBER = ("slug", "location", "subject", "sequence")
_INSIDE = {"location": "int", "subject": "unknown"}
_VOTES = [{"backend": "listing_text", **_INSIDE, "confidence": 0.95}]

_photo = sa.table(
    "photo", *map(sa.column, (*_KEY, "cluster_id")), sa.column("tags", sa.JSON)
)
_category = sa.table(
    "category",
    *map(sa.column, (*_KEY, "location", "subject")),
    sa.column("votes", sa.JSON),
)
_publication = sa.table(
    "publication",
    *map(sa.column, (*_NUMBER, "source", "photo_key", "file_name")),
    *map(sa.column, ("sha256", "recipe", "processed_at", "run_id")),
    sa.column("active", sa.Boolean),
)
_house = sa.table("property", *map(sa.column, ("slug", "published_epoch")))

Row = Mapping[str, Any]


def upgrade() -> None:
    """Move the categories and numbers of pictures whose place nobody tells."""
    connection = op.get_bind()
    for slug in connection.execute(sa.select(_house.c.slug)).scalars().all():
        _upgrade_house(connection, slug)


def _upgrade_house(connection: sa.Connection, slug: str) -> None:
    named = _unknown(connection, _category, slug)
    shown = _unknown(connection, _publication, slug)
    if not named and not shown:
        return
    inside = _told_inside(connection, slug)
    sure = [row for row in named if _picture(row) in inside]
    unsure = [row for row in named if _picture(row) not in inside]
    _set(connection, _category, _KEY, rows=sure, values={"votes": _VOTES})
    _set(connection, _category, _KEY, rows=unsure, values={"location": "feat"})
    _move_numbers(connection, [row for row in shown if _picture(row) not in inside])


def _unknown(connection: sa.Connection, table: sa.TableClause, slug: str) -> list[Row]:
    """The rows of pictures nobody named, which all were called inside."""
    photo = sa.and_(*(table.c[name] == _photo.c[name] for name in _KEY))
    query = (
        sa.select(table, _photo.c.cluster_id)
        .select_from(sa.outerjoin(table, _photo, photo))
        .where(*(table.c[name] == value for name, value in _INSIDE.items()))
        .where(table.c.slug == slug)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _told_inside(connection: sa.Connection, slug: str) -> set[str]:
    """The pictures of which a listing says that they are inside."""
    query = sa.select(_photo).where(_photo.c.slug == slug)
    return {
        _picture(dict(row))
        for row in connection.execute(query).mappings()
        if any(re.sub(r"[\W_]+", "", tag).lower() == "interior" for tag in row["tags"])
    }


def _picture(row: Row) -> str:
    """The cluster, or the photo itself where it is in none."""
    return str(row["cluster_id"] or row["photo_key"])


def _move_numbers(connection: sa.Connection, rows: Sequence[Row]) -> None:
    if not rows:
        return
    names = [column.name for column in _publication.c]
    there = [{name: row[name] for name in names} | {"location": "feat"} for row in rows]
    connection.execute(sa.insert(_publication), there)
    _set(connection, _publication, _NUMBER, rows=rows, values={"active": False})
    again = [row for row in rows if row["active"]][:1]
    _set(connection, _house, ("slug",), rows=again, values={"published_epoch": 0})


def _set(
    connection: sa.Connection,
    table: sa.TableClause,
    key: Sequence[str],
    *,
    rows: Collection[Row],
    values: Mapping[str, object],
) -> None:
    if rows:
        which = (table.c[name] == sa.bindparam(f"of_{name}") for name in key)
        this = sa.update(table).where(*which).values(values)
        keys = [{f"of_{name}": row[name] for name in key} for row in rows]
        connection.execute(this, keys)


def downgrade() -> None:
    """Keep what is there: an older version reads `feat` as well as `int`."""
