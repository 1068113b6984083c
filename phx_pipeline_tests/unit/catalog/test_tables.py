from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.catalog.tables import StorableText, UtcDateTime

SQLITE, POSTGRESQL = (
    sa.make_url(url).get_dialect()() for url in ("sqlite://", "postgresql+psycopg2://")
)
PHOENIX = timezone(timedelta(hours=-7))

dialects = pytest.mark.parametrize(
    "dialect", [SQLITE, POSTGRESQL], ids=lambda d: d.name
)


@dialects
def test_a_naive_time_is_refused(dialect: sa.Dialect) -> None:
    naive = datetime(2025, 3, 10, 5, 30)  # noqa: DTZ001  # that is the point

    with pytest.raises(ValueError, match="naive time"):
        UtcDateTime().process_bind_param(naive, dialect)


@dialects
def test_no_time_stays_none(dialect: sa.Dialect) -> None:
    column = UtcDateTime()

    assert column.process_bind_param(None, dialect) is None
    assert column.process_result_value(None, dialect) is None


@dialects
@given(
    at=st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1)),  # noqa: DTZ001
    hours=st.integers(-12, 14),
)
def test_a_time_of_any_zone_comes_back_in_utc(
    dialect: sa.Dialect, at: datetime, hours: int
) -> None:
    given_at = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    column = UtcDateTime()

    read = column.process_result_value(
        column.process_bind_param(given_at, dialect), dialect
    )

    assert read == given_at
    assert read is not None
    assert read.tzinfo is UTC


def test_the_zone_of_a_session_does_not_show() -> None:
    from_session = datetime(2025, 3, 9, 22, 30, tzinfo=PHOENIX)

    read = UtcDateTime().process_result_value(from_session, POSTGRESQL)

    assert str(read) == "2025-03-10 05:30:00+00:00"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_storable_text_is_stored_as_it_is(text: str) -> None:
    assert StorableText().process_bind_param(text, SQLITE) == text


@given(st.text(st.characters()))
def test_any_text_becomes_storable(text: str) -> None:
    stored = StorableText().process_bind_param(text, SQLITE)

    assert stored is not None
    assert b"\0" not in stored.encode()  # and it can be encoded
