"""Catalogue and Dagster on PostgreSQL, from the commands a user types.

What needs no service stands in `test_postgres_alone`: services look for work meanwhile,
and each look is a connection.
"""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import dagster as dg
import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.engine import catalogue_url, open_engine, reading
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import CatalogDownError
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import BIN, ROOT, Deployment, slug_of
from phx_pipeline_tests.on_postgres import (
    HOUSES,
    SECRET,
    Server,
    deployed,
    digest_and_problems,
    own_server,
)
from phx_pipeline_tests.served import up_in_terminal, wait_for

pytestmark = [pytest.mark.xdist_group("dagster"), pytest.mark.soak]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as made:
        yield made


class Watch:
    """Looks for the password on every command line of this machine."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.looks = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            self.looks += 1
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    line = file.read_bytes()
                    self.seen |= {line} if SECRET.encode() in line else set()


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with Watch() as watching:
        yield watching


@pytest.fixture(scope="module")
def running(
    server: Server, watch: Watch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """`phx up` on PostgreSQL, until its terminal closes."""
    assert watch.seen == set()
    folder = tmp_path_factory.mktemp("on_postgres")
    with deployed(folder, server) as made, up_in_terminal(made):
        yield made


@pytest.fixture(scope="module")
def extracted(running: Deployment) -> str:
    """What `phx extract --all` said when it had followed the runs to their end."""
    done = running.phx("extract", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_result_is_that_of_a_run_on_sqlite(
    running: Deployment, extracted: str, tmp_path: Path, phx_on: Phx
) -> None:
    with Deployment(tmp_path, redfin_sites(HOUSES)) as on_sqlite:
        on_sqlite.add_houses(HOUSES)
        assert phx_on(on_sqlite, "extract", "--all", "--sync").code == 0
        expected = digest_and_problems(on_sqlite)

    assert digest_and_problems(running) == expected
    assert expected[1] == []
    for house in HOUSES:
        assert f"{slug_of(house)}: completed" in extracted


def test_runs_and_events_are_kept_in_dagsters_own_database(
    running: Deployment, extracted: str
) -> None:
    assert extracted
    instance = open_instance(running.settings)

    def ended() -> list[dg.RunRecord] | None:  # soon after what they collected is told
        found = list(instance.get_run_records())
        return found if all(it.dagster_run.is_finished for it in found) else None

    records = wait_for(ended)
    instance.dispose()
    runs = [record.dagster_run for record in records]

    slugs = {run.tags["dagster/partition"] for run in runs}
    assert slugs == {slug_of(house) for house in HOUSES}
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    # The server lives in another time zone than Dagster thinks.
    for record in records:
        assert record.start_time is not None
        assert record.create_timestamp.timestamp() <= record.start_time + 1
        assert record.start_time < record.create_timestamp.timestamp() + 3600
    assert list(running.root.rglob("*.db")) == []


def test_the_stock_command_line_finds_the_same_instance(
    running: Deployment, extracted: str
) -> None:
    assert extracted
    script = f'eval "$({BIN / "phx"} env)"; {BIN / "dagster"} instance info'

    done = subprocess.run(  # noqa: S603 - the tests' own command
        ["/bin/bash", "-c", script],
        env=running.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "run_storage: PostgresRunStorage" in done.stdout
    assert f"$DAGSTER_HOME: {ROOT / 'deploy' / 'postgres'}" in done.stdout
    assert SECRET not in done.stdout + done.stderr


def test_the_password_is_on_no_command_line_and_in_no_file(
    running: Deployment, extracted: str, watch: Watch
) -> None:
    files = [path for path in running.root.rglob("*") if path.is_file()]

    assert SECRET not in extracted
    assert any(path.suffix == ".log" for path in files)
    assert [p for p in files if SECRET.encode() in p.read_bytes()] == []
    assert watch.looks > 1
    assert watch.seen == set()


def test_old_runs_can_be_pruned(
    running: Deployment, extracted: str, phx_on: Phx
) -> None:
    assert extracted

    ended = phx_on(running, "prune", "--dry-run")

    assert ended.code == 0, ended.err


def test_a_frozen_transaction_is_ended_by_the_server(running: Deployment) -> None:
    assert running.settings.catalog_url is not None
    url = catalogue_url(running.settings.catalog_url, default_file=running.root)
    engine = open_engine(url)

    with reading(engine) as connection:
        show = sa.text("show idle_in_transaction_session_timeout")
        limit = connection.execute(show).scalar_one()
    engine.dispose()

    assert limit == "1min"


def test_a_restart_of_the_server_is_survived(
    running: Deployment, extracted: str, server: Server, phx_on: Phx
) -> None:
    assert extracted
    with running.context() as context:  # holds pooled connections all the time
        slugs = context.catalog.slugs()
        server.stop()
        try:
            down = phx_on(running, "status")
            with pytest.raises(CatalogDownError, match=r"database made_\d+ failed"):
                context.catalog.slugs()
        finally:
            server.start()
        assert context.catalog.slugs() == slugs

    again = phx_on(running, "extract", "--address", slugs[0], "--fresh")

    assert down.code == 1
    assert len(down.err.splitlines()) == 1
    assert SECRET not in down.err
    assert again.code == 0, again.out + again.err
    assert f"{slugs[0]}: completed" in again.out
    assert digest_and_problems(running)[1] == []
