"""Commands on PostgreSQL while no service runs: races, outages, the demo."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline_tests.captured import CAPTURED_ADDRESS
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import PHOTO_HOST, SMALLEST, Deployment
from phx_pipeline_tests.expected import expected_verdicts
from phx_pipeline_tests.forked import ended, start_phx
from phx_pipeline_tests.on_postgres import (
    SECRET,
    Server,
    deployed,
    digest_and_problems,
    own_server,
)
from phx_pipeline_tests.served import PATIENCE_S, wait_for

pytestmark = pytest.mark.xdist_group("postgres_alone")  # all share one server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as made:
        yield made


def test_many_first_commands_at_once_make_dagsters_store_once(
    server: Server, tmp_path: Path
) -> None:
    with deployed(tmp_path, server) as made:
        started = [start_phx("init", env=made.env) for _ in range(3)]
        codes = [ended(process, patience_s=PATIENCE_S) for process in started]
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
        assert SECRET not in down.out + down.err
        assert again.code == 0, again.err
        assert 0 < len(held) < len(photos)
        assert {p.ref.photo_key: p.verdict for p in photos} == (
            expected_verdicts(SMALLEST)
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
