"""Facts that a source repeats stand once, and each day on which it did beside them."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNTS_UP = "days_on_market"  # another one every day: it stays with the day
_FACTS: Mapping[str, type[sa.types.TypeEngine[Any]]] = {
    "list_price": sa.Integer,
    "bedrooms_total": sa.Float,
    "bathrooms_total": sa.Float,
    "living_area": sa.Integer,
    "lot_size_square_feet": sa.Integer,
    "garage_spaces": sa.Float,
    "pool_private": sa.Boolean,
    "association_fee": sa.Float,
    "sewer": sa.Text,
    "year_built": sa.Integer,
    "standard_status": sa.Text,
    "mls_number": sa.Text,
    "stories_total": sa.Float,
    "roof": sa.Text,
    "construction_materials": sa.Text,
    "cooling": sa.Text,
    "heating": sa.Text,
    "parcel_number": sa.Text,
    "property_sub_type": sa.Text,
}
_KEY = ("slug", "source", "seen_on")

_said = sa.table("said", *map(sa.column, (*_KEY, _COUNTS_UP, *_FACTS)))
_fact = sa.table("listing_fact", *map(sa.column, ("id", *_FACTS)))
_day = sa.table("fact_day", *map(sa.column, (*_KEY, _COUNTS_UP, "fact_id")))


def upgrade() -> None:
    """Part the table in two; a day that repeats the one before gets its facts."""
    _rename("listing_fact", "said")
    _make_facts()
    _make_days()
    numbered = _numbered().cte("numbered")
    new = sa.select(numbered.c.fact_id, *(numbered.c[it] for it in _FACTS))
    op.execute(
        sa.insert(_fact).from_select(["id", *_FACTS], new.where(numbered.c.is_new == 1))
    )
    names = [column.name for column in _day.c]
    days = sa.select(*(numbered.c[name] for name in names))
    op.execute(sa.insert(_day).from_select(names, days))
    op.drop_table("said")
    _count_on()


def downgrade() -> None:
    """Join them: all facts of each day stand with it."""
    op.rename_table("listing_fact", "lasting")
    op.create_table(
        "said",
        *_key_columns(),
        sa.Column(_COUNTS_UP, sa.Integer()),
        *(sa.Column(name, kind()) for name, kind in _FACTS.items()),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_listing_fact_slug_property")
        ),
        sa.PrimaryKeyConstraint(*_KEY, name=op.f("pk_said")),
    )
    lasting = sa.table("lasting", *map(sa.column, ("id", *_FACTS)))
    joined = _day.join(lasting, lasting.c.id == _day.c.fact_id)
    names = [column.name for column in _said.c]
    columns = [_day.c[it] if it in _day.c else lasting.c[it] for it in names]
    days = sa.select(*columns).select_from(joined)
    op.execute(sa.insert(_said).from_select(names, days))
    op.drop_table("fact_day")
    op.drop_table("lasting")
    _rename("said", "listing_fact")


def _rename(old: str, new: str) -> None:
    """With its key, whose name PostgreSQL wants to be nobody else's."""
    op.rename_table(old, new)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"alter table {new} rename constraint pk_{old} to pk_{new}")


def _make_facts() -> None:
    op.create_table(
        "listing_fact",
        sa.Column("id", _ID, nullable=False),
        *(sa.Column(name, kind()) for name, kind in _FACTS.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_fact")),
    )


def _make_days() -> None:
    op.create_table(
        "fact_day",
        *_key_columns(),
        sa.Column(_COUNTS_UP, sa.Integer()),
        sa.Column("fact_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["slug"], ["property.slug"], name=op.f("fk_fact_day_slug_property")
        ),
        sa.ForeignKeyConstraint(
            ["fact_id"], ["listing_fact.id"], name=op.f("fk_fact_day_listing_fact")
        ),
        sa.PrimaryKeyConstraint(*_KEY, name=op.f("pk_fact_day")),
        sqlite_with_rowid=False,
    )


def _key_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
    ]


def _numbered() -> sa.Select[Any]:
    """Each old row, whether it says what the one before does not, and its facts' id."""
    columns = [_said.c[name] for name in _FACTS]
    first = _by_day(sa.func.row_number()) == 1
    differs = (it.is_distinct_from(_by_day(sa.func.lag(it))) for it in columns)
    is_new = sa.case((sa.or_(first, *differs), 1), else_=0).label("is_new")
    told = sa.select(_said, is_new).cte("told")
    so_far = sa.func.sum(told.c.is_new).over(
        order_by=[told.c[name] for name in _KEY], rows=(None, 0)
    )
    return sa.select(told, so_far.label("fact_id"))


def _by_day(function: sa.FunctionElement[Any]) -> sa.Over[Any]:
    whose = [_said.c.slug, _said.c.source]
    return function.over(partition_by=whose, order_by=_said.c.seen_on)


def _count_on() -> None:
    """Let new rows of PostgreSQL come after those that were given their ids."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "select setval(pg_get_serial_sequence('listing_fact', 'id'),"
            " (select coalesce(max(id), 0) + 1 from listing_fact), false)"
        )
