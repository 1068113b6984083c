"""A PostgreSQL server for whole installations."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from phx_pipeline_tests.postgres import (
    NoPostgresError,
    PostgresServer,
    throwaway_postgres,
)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server per test process; skips where none can be started."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(throwaway_postgres())
        except NoPostgresError as error:
            pytest.skip(str(error))
        yield server
