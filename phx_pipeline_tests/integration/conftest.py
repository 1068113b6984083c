"""Both databases, each test with one of its own; and a property to write about."""

import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import chain, count
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine, reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.rows import property_values
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.address import Address
from phx_pipeline.model.due import is_photo_due
from phx_pipeline.model.fault_days import FINAL_AFTER_DAYS
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import Blob, Photo, PhotoRef, PictureHashes
from phx_pipeline.model.property import Property
from phx_pipeline.model.ruling import About, Ruling
from phx_pipeline.model.source import Source
from phx_pipeline.model.stamp import Stamp
from phx_pipeline_tests.postgres import PostgresServer

ENGINES = ("sqlite", "postgres")
TTL_S = 600.0
STAMP = Stamp(
    at=datetime(2025, 3, 10, 5, 30, tzinfo=UTC),
    today=date(2025, 3, 9),
    run_id="run-1",
)

# Migrated databases no test uses now, by kind.
Spare = dict[str, list[sa.Engine]]

_TEMPLATE = "template_phx"
_numbers = count()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated database nobody has open."""
    _migrate(postgres_server.create(_TEMPLATE))
    return _TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file nobody has open."""
    file = tmp_path_factory.mktemp("template") / "phx.db"
    _migrate(f"sqlite:///{file}")
    return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Gives databases to one test at a time.

    Migrated ones are emptied after a test and given to the next one, with the engine
    that has them open: it has prepared most statements already.
    """

    folder: Path
    request: pytest.FixtureRequest
    spare: Spare
    lent: list[tuple[str, sa.Engine]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def empty(self, kind: str) -> str:
        """The URL of a database without tables."""
        name = f"test_{next(_numbers)}"
        if kind == "sqlite":
            return f"sqlite:///{self.folder / name}.db"
        self.dropped.append(name)
        return self._server.create(name)

    def migrated(self, kind: str) -> str:
        """The URL of a database with the newest schema and no rows.

        Its schema must be left as it is.
        """
        return url_of(self.opened(kind))

    def opened(self, kind: str) -> sa.Engine:
        """The same, open; what listens to it does so to the end of the test only."""
        spare = self.spare[kind]
        engine = spare.pop() if spare else self._new(kind)
        self.lent.append((kind, engine))
        return engine.execution_options()  # shares all but the listeners

    def copy_of(self, template: str) -> str:
        """The URL of a copy of a PostgreSQL database nobody has open."""
        self.dropped.append(f"test_{next(_numbers)}")
        return self._server.create(self.dropped[-1], template=template)

    def take_back(self) -> None:
        """Clean up after the test."""
        for name in self.dropped:
            self._server.drop(name)
        for kind, engine in self.lent:
            _delete_all(engine)
            self.spare[kind].append(engine)

    @property
    def _server(self) -> PostgresServer:
        server: PostgresServer = self.request.getfixturevalue("postgres_server")
        return server

    def _new(self, kind: str) -> sa.Engine:
        name = f"test_{next(_numbers)}"
        template = self.request.getfixturevalue(f"{kind}_template")
        if kind == "postgres":
            return open_engine(self._server.create(name, template=template))
        file = shutil.copy(template, template.with_name(f"{name}.db"))
        return open_engine(f"sqlite:///{file}")


@pytest.fixture(scope="session")
def spare_databases() -> Iterator[Spare]:
    spare: Spare = {kind: [] for kind in ENGINES}
    yield spare
    for engine in chain.from_iterable(spare.values()):
        engine.dispose()


@pytest.fixture
def databases(
    request: pytest.FixtureRequest, tmp_path: Path, spare_databases: Spare
) -> Iterator[Databases]:
    made = Databases(folder=tmp_path, request=request, spare=spare_databases)
    yield made
    made.take_back()


# For tests that send both kinds statements which others here send them, too.
MOSTLY_SQLITE = pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.soak)], indirect=True
)


@pytest.fixture(params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    """Both kinds of database, one after the other."""
    name: str = request.param
    return name


@pytest.fixture
def opened() -> Iterator[Callable[[str], sa.Engine]]:
    """Open engines that are closed after the test."""
    engines: list[sa.Engine] = []

    def open_one(url: str) -> sa.Engine:
        engines.append(open_engine(url))
        return engines[-1]

    yield open_one
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(databases: Databases, kind: str) -> sa.Engine:
    """A migrated database without rows."""
    return databases.opened(kind)


@pytest.fixture
def url(engine: sa.Engine) -> str:
    """Where that database is found."""
    return url_of(engine)


@pytest.fixture
def leases(engine: sa.Engine) -> Leases:
    return Leases(engine, ttl_s=TTL_S)


@pytest.fixture
def catalog(engine: sa.Engine, leases: Leases) -> Catalog:
    return Catalog(engine, leases=leases)


@pytest.fixture
def scene(catalog: Catalog) -> "Scene":
    """One property, its lease held."""
    return Scene.of(catalog)


@pytest.fixture(scope="session")
def clean_processes() -> ForkServerContext:
    """Makes processes that inherit no connection, thread or lock of this one."""
    context = multiprocessing.get_context("forkserver")
    slow_to_import = ["alembic.command", "psycopg2", __name__]
    context.set_forkserver_preload(slow_to_import)
    return context


@pytest.fixture(scope="session")
def processes(clean_processes: ForkServerContext) -> Iterator[ProcessPoolExecutor]:
    """Four processes to work at once."""
    with ProcessPoolExecutor(4, mp_context=clean_processes) as pool:
        yield pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A property whose lease is held, and short ways to write about it."""

    catalog: Catalog
    house: Property
    lease: Lease
    stamp: Stamp = STAMP

    @classmethod
    def of(
        cls, catalog: Catalog, *, number: int = 4732, stamp: Stamp = STAMP
    ) -> "Scene":
        """Add the house with this street number, unless known, and take its lease."""
        house = house_at(number)
        catalog.add_properties([house], at=stamp.at)
        lease = catalog.leases.acquire(property_lease(house.slug), owner="test")
        return cls(catalog=catalog, house=house, lease=lease, stamp=stamp)

    @property
    def slug(self) -> str:
        """The property's key."""
        return self.house.slug

    def say(self, listing: Listing) -> None:
        """Record what a source said."""
        self.catalog.record_listing(self.lease, self.slug, listing, stamp=self.stamp)

    def list_photos(self, *keys: str, source: Source = Source.REDFIN) -> None:
        """Record a complete gallery of these photos."""
        self.say(gallery(*keys, source=source))

    def photo(self, key: str) -> Photo:
        """The photo as the catalogue has it now."""
        (photo,) = (p for p in self.catalog.photos(self.slug) if p.ref.photo_key == key)
        return photo

    def download(self, key: str, content: str) -> Blob:
        """Record that the photo's bytes are *content*."""
        photo, blob = self.photo(key), blob_of(content)
        self.catalog.record_download(
            self.lease, photo, blob, fetched_url=photo.ref.url, stamp=self.stamp
        )
        return blob


def house_at(number: int) -> Property:
    """The house with this street number."""
    return Property.at(Address.parse(f"{number} W Davis Rd, Glendale, AZ 85306"))


def add_twin(catalog: Catalog, house: Property, *, twin: int = 1) -> None:
    """Add a house a second time, as an older version did under another spelling."""
    values = {**property_values(house), "added_at": STAMP.at, "twin": twin}
    with writing(catalog._engine) as connection:
        connection.execute(sa.insert(tables.house).values(values))


def ref(key: str, **changes: Any) -> PhotoRef:
    """A photo of a gallery."""
    given: dict[str, Any] = {
        "source": Source.REDFIN,
        "photo_key": key,
        "url": f"https://photos.example/{key}.jpg",
        "position": 0,
    }
    return PhotoRef(**(given | changes))


def gallery(*keys: str, source: Source = Source.REDFIN, **changes: Any) -> Listing:
    """A complete gallery of these photos, in this order."""
    photos = tuple(
        ref(key, source=source, position=position) for position, key in enumerate(keys)
    )
    given: dict[str, Any] = {
        "outcome": ListingOutcome.LISTED,
        "photos": photos,
        "complete": True,
    }
    return Listing(source=source, **(given | changes))


def blob_of(content: str) -> Blob:
    """Facts of bytes that are known by *content*."""
    return Blob(
        sha256=sha256(content.encode()).hexdigest(),
        size_bytes=len(content),
        media_type="image/jpeg",
        width=1024,
        height=683,
        hashes=PictureHashes(phash=1, dhash=2, trimmed_phash=3, trimmed_dhash=4),
    )


def is_due(photo: Photo) -> bool:
    """Whether a later run asks for the photo, by the default settings."""
    return is_photo_due(photo, final_after_days=FINAL_AFTER_DAYS)


def ruling_on(scene: "Scene", key: str, value: str, **changes: Any) -> Ruling:
    """A ruling on a photo of the scene's house."""
    given: dict[str, Any] = {
        "id": str(uuid4()),
        "at": STAMP.at,
        "who": "test",
        "about": About.PHOTO,
        "slug": scene.slug,
        "source": Source.REDFIN,
        "key": key,
        "value": value,
    }
    return Ruling(**(given | changes))


def all_rows(engine: sa.Engine) -> dict[str, Sequence[sa.Row[Any]]]:
    """Everything the database holds, but for leases."""
    with reading(engine) as connection:
        return {
            table.name: connection.execute(
                sa.select(table).order_by(*table.primary_key)
            ).all()
            for table in tables.metadata.sorted_tables
            if table is not tables.lease
        }


def expire(engine: sa.Engine, lease: Lease) -> None:
    """Let a lease's time be over."""
    with engine.begin() as connection:
        this = tables.lease.c.name == lease.name
        connection.execute(sa.update(tables.lease).where(this).values(expires_at=1.0))


def url_of(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def _migrate(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


def _delete_all(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(sa.delete(table))
