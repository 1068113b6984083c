"""Connections to a PostgreSQL server that are kept for later."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import engine as engines
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline_tests.integration.conftest import Databases

_OWN = sa.text("select pg_backend_pid()")


def test_a_kept_connection_that_the_server_closed_is_replaced(
    databases: Databases,
    opened: Callable[[str], sa.Engine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = databases.empty("postgres")
    kept, other = opened(url), opened(url)
    with reading(kept) as connection:
        number = connection.scalar(_OWN)
    with reading(kept) as connection:
        assert connection.scalar(_OWN) == number
        level = connection.scalar(sa.text("show transaction_isolation"))
    assert level == "repeatable read"
    with writing(kept) as connection:
        assert connection.scalar(_OWN) == number
        level = connection.scalar(sa.text("show transaction_isolation"))
    assert level == "read committed"

    with writing(other) as connection:
        end = sa.text("select pg_terminate_backend(:number)")
        connection.execute(end, {"number": number})
    monkeypatch.setattr(engines, "_TRUSTED_S", 0.0)

    with reading(kept) as connection:
        assert connection.scalar(_OWN) != number
