"""Installations on a PostgreSQL server of their own, which may be stopped and started.

Tests that need just a database take one of the server all share: `postgres`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from phx_pipeline.demo import houses
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.workflows.verify import content_digest, verify_property, verify_views
from phx_pipeline_tests import postgres
from phx_pipeline_tests.deployment import Deployment, with_shots

# A copy, a turned and a damaged photo; a photo that is gone.
_, _QUAIL, _, _, _MARIGOLD, _ = houses.HOUSES
HOUSES = (with_shots(_QUAIL, 2, 4, 6, 9), with_shots(_MARIGOLD, 0, 2, 5))
SECRET = "hush-of-the-tests"  # noqa: S105 - the server asks nobody for it


class Server:
    """A PostgreSQL server that can be stopped and started again with its data."""

    def __init__(self) -> None:
        self._programs = postgres.find_programs()
        self._files = TemporaryDirectory(prefix="phx-pg-", ignore_cleanup_errors=True)
        self._folder = Path(self._files.name)
        self._numbers = count()
        self._running = ExitStack()
        postgres._give_away(self._folder)
        postgres._initialise(self._programs, self._folder)
        self.start()

    def start(self) -> None:
        running = postgres._running(self._programs, self._folder)
        self._server = self._running.enter_context(running)

    def stop(self) -> None:
        """End at once, as in a power cut: nobody is told."""
        self._running.close()

    def remove(self) -> None:
        self.stop()
        self._files.cleanup()

    def database(self) -> str:
        """A bare URL, with a password, of a new database."""
        name = f"made_{next(self._numbers)}"
        self._server.create(name)
        return f"postgresql://phx:{SECRET}@/{name}?host={self._folder}"


@contextmanager
def own_server() -> Iterator[Server]:
    """A server for the body; the test is skipped where none can be started."""
    try:
        made = Server()
    except postgres.NoPostgresError as error:
        pytest.skip(str(error))
    try:
        yield made
    finally:
        made.remove()


@contextmanager
def deployed(root: Path, server: Server) -> Iterator[Deployment]:
    """An installation with both databases on *server*, houses added, not started."""
    made = Deployment(
        root,
        redfin_sites(HOUSES),
        catalog_url=server.database(),
        dagster_pg_url=server.database(),
        webserver_port=free_port(),
    )
    with made:
        made.add_houses(HOUSES)
        yield made


def digest_and_problems(made: Deployment) -> tuple[str, list[str]]:
    """What the stores hold, and what is wrong with them."""
    with made.context() as context:
        problems = verify_views(context)
        for slug in context.catalog.slugs():
            problems += verify_property(context, slug)
        return content_digest(context), [problem.text for problem in problems]
