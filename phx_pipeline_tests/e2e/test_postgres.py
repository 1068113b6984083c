"""Catalogue and Dagster on PostgreSQL, from the commands a user types."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import dagster as dg
import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.engine import catalogue_url, open_engine, reading
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import CatalogDownError
from phx_pipeline.stages.verify import content_digest, verify_property, verify_views
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline_tests import postgres
from phx_pipeline_tests.captured import CAPTURED_ADDRESS
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import (
    BIN,
    PHOTO_HOST,
    ROOT,
    SMALLEST,
    Deployment,
    slug_of,
    with_shots,
)
from phx_pipeline_tests.served import PATIENCE_S, up, wait_for

pytestmark = pytest.mark.xdist_group("dagster")

# A copy, a turned and a damaged photo; a photo that is gone.
_, _QUAIL, _, _, _MARIGOLD, _ = HOUSES
_HOUSES = (with_shots(_QUAIL, 2, 4, 6, 9), with_shots(_MARIGOLD, 0, 2, 5))
_SECRET = "hush-of-the-tests"  # noqa: S105 - the server asks nobody for it


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
        return f"postgresql://phx:{_SECRET}@/{name}?host={self._folder}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        made = Server()
    except postgres.NoPostgresError as error:
        pytest.skip(str(error))
    yield made
    made.remove()


@contextmanager
def deployed(root: Path, server: Server) -> Iterator[Deployment]:
    """An installation with both databases on *server*, houses added, not started."""
    made = Deployment(
        root,
        redfin_sites(_HOUSES),
        catalog_url=server.database(),
        dagster_pg_url=server.database(),
        webserver_port=free_port(),
    )
    with made:
        made.add_houses(_HOUSES)
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
                    self.seen |= {line} if _SECRET.encode() in line else set()


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with Watch() as watching:
        yield watching


@pytest.fixture(scope="module")
def running(
    server: Server, watch: Watch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """`phx up` on PostgreSQL."""
    assert watch.seen == set()
    with deployed(tmp_path_factory.mktemp("on_postgres"), server) as made, up(made):
        yield made


@pytest.fixture(scope="module")
def extracted(running: Deployment) -> str:
    """What `phx extract --all` said when it had followed the runs to their end."""
    done = running.phx("extract", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def digest_and_problems(made: Deployment) -> tuple[str, list[str]]:
    with made.context() as context:
        problems = verify_views(context)
        for slug in context.catalog.slugs():
            problems += verify_property(context, slug)
        return content_digest(context), [problem.text for problem in problems]


def test_the_result_is_that_of_a_run_on_sqlite(
    running: Deployment, extracted: str, tmp_path: Path, phx_on: Phx
) -> None:
    with Deployment(tmp_path, redfin_sites(_HOUSES)) as on_sqlite:
        on_sqlite.add_houses(_HOUSES)
        assert phx_on(on_sqlite, "extract", "--all", "--sync").code == 0
        expected = digest_and_problems(on_sqlite)

    assert digest_and_problems(running) == expected
    assert expected[1] == []
    for house in _HOUSES:
        assert f"{slug_of(house)}: done" in extracted


def test_runs_and_events_are_kept_in_dagsters_own_database(
    running: Deployment, extracted: str
) -> None:
    assert extracted
    instance = open_instance(running.settings)
    records = instance.get_run_records()
    instance.dispose()
    runs = [record.dagster_run for record in records]

    slugs = {run.tags["dagster/partition"] for run in runs}
    assert slugs == {slug_of(house) for house in _HOUSES}
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
    assert _SECRET not in done.stdout + done.stderr


def test_the_password_is_on_no_command_line_and_in_no_file(
    running: Deployment, extracted: str, watch: Watch
) -> None:
    files = [path for path in running.root.rglob("*") if path.is_file()]

    assert _SECRET not in extracted
    assert any(path.suffix == ".log" for path in files)
    assert [p for p in files if _SECRET.encode() in p.read_bytes()] == []
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


def test_many_first_commands_at_once_make_dagsters_store_once(
    server: Server, tmp_path: Path
) -> None:
    with deployed(tmp_path, server) as made:
        started = [
            subprocess.Popen(  # noqa: S603 - the tests' own command
                made.command("init"),
                env=made.env,
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
            )
            for _ in range(3)
        ]
        codes = [process.wait(timeout=PATIENCE_S) for process in started]
        assert made.settings.dagster_pg_url is not None
        engine = sa.create_engine(made.settings.dagster_pg_url)
        with engine.connect() as connection:
            versions = connection.execute(sa.text("select * from alembic_version"))
            rows = versions.all()
        engine.dispose()

    assert codes == [0, 0, 0]
    assert len(rows) == 1


def test_the_demo_spares_a_catalogue_with_other_houses(
    server: Server, tmp_path: Path, phx_on: Phx
) -> None:
    with deployed(tmp_path, server) as made:
        mine = made.add([CAPTURED_ADDRESS])

        ended = phx_on(made, "demo", "--postgres", "--folder", str(tmp_path / "demo"))

        with made.context() as context:
            assert context.catalog.slugs() == mine
    assert ended.code == 2
    assert "other houses" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_the_demo_on_postgres_wants_both_databases(tmp_path: Path, phx_on: Phx) -> None:
    with Deployment(tmp_path, {}) as made:
        ended = phx_on(made, "demo", "--postgres", "--folder", str(tmp_path / "demo"))

    assert ended.code == 2
    assert "PHX_CATALOG_URL and PHX_DAGSTER_PG_URL" in ended.err
    assert not (tmp_path / "demo").exists()


@pytest.mark.soak
def test_the_demo_runs_on_postgres_and_asks_for_nothing_twice(
    server: Server, tmp_path: Path
) -> None:
    with Deployment(
        tmp_path,
        {},
        catalog_url=server.database(),
        dagster_pg_url=server.database(),
        proxy=None,
        ca_file=None,
    ) as made:
        first, second = (
            made.phx("demo", "--postgres", "--folder", str(tmp_path / "demo"))
            for _ in range(2)
        )

    assert first.returncode == 0, first.stdout + first.stderr
    assert second.returncode == 0, second.stdout + second.stderr
    assert "asked for 0 photos" in second.stdout
    assert list(tmp_path.rglob("*.db")) == []


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
    assert _SECRET not in down.err
    assert again.code == 0, again.out + again.err
    assert f"{slugs[0]}: done" in again.out
    assert digest_and_problems(running)[1] == []


def test_a_server_that_goes_down_while_photos_arrive_loses_nothing(
    server: Server, tmp_path: Path, phx_on: Phx
) -> None:
    made = Deployment(
        tmp_path,
        redfin_sites([SMALLEST], photo_delay_s=0.3),
        catalog_url=server.database(),
        downloads=2,
        lease_ttl_s=2,
    )
    with made:
        (slug,) = made.add_houses([SMALLEST])
        stopper = threading.Thread(target=stop_amid_photos, args=(server, made, slug))
        stopper.start()

        down = phx_on(made, "extract", "--all", "--sync")

        stopper.join()
        server.start()
        with made.context() as context:
            held = {p.ref.url for p in context.catalog.photos(slug) if p.sha256}
        asked = len(made.photos_asked())
        again = phx_on(made, "extract", "--all", "--sync")
        with made.context() as context:
            photos = context.catalog.photos(slug)
        assert down.code == 1
        told = down.err.splitlines()
        failed = [bool(re.search(r"database made_\d+ failed", line)) for line in told]
        assert failed == [True], told
        assert _SECRET not in down.out + down.err
        assert again.code == 0, again.err
        assert 0 < len(held) < len(photos)
        assert {p.ref.photo_key: p.verdict for p in photos} == (
            SMALLEST.expected_verdicts()
        )
        assert held.isdisjoint(
            f"https://{PHOTO_HOST}{target}" for target in made.photos_asked()[asked:]
        )
        assert digest_and_problems(made)[1] == []


def stop_amid_photos(server: Server, deployment: Deployment, slug: str) -> None:
    """Stop the server once some photos are stored, and others are not."""

    def stored() -> bool | None:
        return sum(bool(p.sha256) for p in context.catalog.photos(slug)) > 1 or None

    with deployment.context() as context:
        wait_for(stored)
    server.stop()
