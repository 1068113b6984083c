"""SIGKILL at random moments: nothing lost, nothing fetched twice, the same result."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.due import is_photo_due
from phx_pipeline.workflows.verify import content_digest, verify_property, verify_views
from phx_pipeline_tests.deployment import SMALLEST, Deployment, with_shots
from phx_pipeline_tests.forked import start_phx
from phx_pipeline_tests.postgres import PostgresServer

(_MARIGOLD_HOLLOW,) = (house for house in HOUSES if house.street == "Marigold Hollow")
# Ordinary ones, one turned by its EXIF tag, one damaged, and a copy; one that is gone.
_HOUSES = (
    with_shots(SMALLEST, 0, 2, 3, 4, 5, 6, 9),
    with_shots(_MARIGOLD_HOLLOW, 0, 1, 2, 5, 6),
)
_PAUSE_S = 0.02  # between photos, so that kills fall into every stage
_MOMENTS = (0.0, 0.8)  # of the work of an undisturbed run
_PATIENCE_S = 120

# Makes the URL of a catalogue nobody used before; None stands for the SQLite file.
FreshCatalogue = Callable[[], str | None]

_numbers = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """What a run gives that nobody kills, and how long it works here and now."""

    digest: str
    took_s: float


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """An undisturbed run, on SQLite."""
    root = tmp_path_factory.mktemp("undisturbed")
    with Deployment(root, redfin_sites(_HOUSES, photo_delay_s=_PAUSE_S)) as made:
        made.add_houses(_HOUSES)
        code, took_s = _run(made, kill_after_s=_PATIENCE_S)
        assert code == 0
        return Undisturbed(digest=_digest(made), took_s=took_s)


@pytest.fixture
def on_sqlite() -> FreshCatalogue:
    return lambda: None


@pytest.fixture
def on_postgres(postgres_server: PostgresServer) -> Iterator[FreshCatalogue]:
    """Fresh databases; the killed must have left nothing behind in them."""
    made = []

    def create() -> str:
        made.append(f"killed_{next(_numbers)}")
        return postgres_server.create(made[-1])

    yield create
    for name in made:
        _wait_until_nobody_uses(postgres_server.url(name))
        postgres_server.drop(name)


def _wait_until_nobody_uses(url: str) -> None:
    """Fail if a session or lock of a killed process stays in the database."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    sessions = sa.text(
        "select state, query from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with engine.connect() as connection:
            left = connection.execute(sessions).all()
        if not left:
            return
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _run(made: Deployment, *, kill_after_s: float) -> tuple[int | None, float]:
    """Run the stages; return the exit code, and how long they worked.

    The time, also that until a kill, counts from when all is imported: a kill before
    would show nothing.
    """
    process = start_phx("extract", "--all", "--sync", env=made.env)
    started = time.monotonic()
    process.join(kill_after_s)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode, time.monotonic() - started


def _held(made: Deployment) -> set[str]:
    """Targets of the photos whose outcome is settled in the catalogue."""
    with made.context() as context:
        return {
            photo.ref.url.partition(".com")[2]
            for slug in context.catalog.slugs()
            for photo in context.catalog.photos(slug)
            if not is_photo_due(photo, final_after_days=1)
        }


def _digest(made: Deployment) -> str:
    with made.context() as context:
        return content_digest(context)


def _campaign(
    root: Path, *, kills: int, reference: Undisturbed, fresh: FreshCatalogue
) -> int:
    """Kill *kills* times over as many stores as it takes; return how many were hit.

    The moments are shares of the time an undisturbed run works, so that they fall into
    all of its parts on a slow machine too. Where the machine got faster since, the runs
    that ended before their moment tell the time anew.
    """
    chance = random.Random(20261122)  # noqa: S311 - moments, not secrets
    hit = 0
    took_s = reference.took_s
    for number in count():
        sites = redfin_sites(_HOUSES, photo_delay_s=_PAUSE_S)
        with Deployment(root / str(number), sites, catalog_url=fresh()) as made:
            made.add_houses(_HOUSES)
            code: int | None = None
            is_fresh = True
            while code != 0:
                held, asked = _held(made), len(made.photos_asked())
                # With all content there, half of the runs may end: most kills would
                # else hit the start of a run that has nothing left to do.
                is_whole = _digest(made) == reference.digest
                last = hit >= kills or (is_whole and chance.random() < 0.5)
                moment_s = chance.uniform(*_MOMENTS) * took_s
                code, worked_s = _run(
                    made, kill_after_s=_PATIENCE_S if last else moment_s
                )
                if is_fresh and code == 0:
                    took_s = min(took_s, worked_s)
                is_fresh = False
                hit += code == -signal.SIGKILL
                assert code in {0, -signal.SIGKILL}
                assert not held & set(made.photos_asked()[asked:])
            with made.context() as context:
                assert content_digest(context) == reference.digest
                assert verify_views(context) == []
                for slug in context.catalog.slugs():
                    assert verify_property(context, slug) == []
        if hit >= kills:
            return hit
    return hit


@pytest.mark.parametrize(("store", "kills"), [("on_sqlite", 4), ("on_postgres", 2)])
def test_a_killed_run_is_taken_up_where_it_stopped(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    reference: Undisturbed,
    store: str,
    kills: int,
) -> None:
    fresh: FreshCatalogue = request.getfixturevalue(store)

    assert _campaign(tmp_path, kills=kills, reference=reference, fresh=fresh) >= kills


@pytest.mark.soak
@pytest.mark.parametrize("store", ["on_sqlite", "on_postgres"])
def test_two_hundred_kills_lose_nothing(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    reference: Undisturbed,
    store: str,
) -> None:
    fresh: FreshCatalogue = request.getfixturevalue(store)
    started = time.monotonic()

    hit = _campaign(tmp_path, kills=200, reference=reference, fresh=fresh)

    assert hit >= 200, f"{hit} kills in {time.monotonic() - started:.0f} s"
