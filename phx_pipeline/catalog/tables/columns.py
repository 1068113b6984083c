"""What all tables share: one schema, the types of columns, and keys that many have."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC time on both engines; SQLite stores it without a zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: sa.Dialect
    ) -> datetime | None:
        """Refuse naive times: their meaning would depend on the machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r} must not enter the catalogue")
        value = _in_utc(value)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(
        self, value: datetime | None, dialect: sa.Dialect
    ) -> datetime | None:
        """Return UTC: SQLite gives no zone, PostgreSQL that of its session."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


def _in_utc(at: datetime) -> datetime:
    """The same moment; of one that is in no year of UTC, its own day and hour."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


class StorableText(sa.types.TypeDecorator[str]):
    """Text from web pages, without what PostgreSQL or UTF-8 cannot hold.

    JSON in pages may spell NUL characters and halves of surrogate pairs.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Drop NUL characters, put `?` for half pairs."""
        del dialect
        if value is None:
            return None
        return value.replace("\0", "").encode(errors="replace").decode()


def slug(**options: Any) -> sa.Column[str]:
    """The key of a property."""
    return sa.Column("slug", sa.String(200), sa.ForeignKey("property.slug"), **options)
