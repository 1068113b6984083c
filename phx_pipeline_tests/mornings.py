"""Many houses, sites that only count, and a clock that their questions let go on.

Nothing sleeps and nothing is on a network: a day of looks passes in the time that the
pipeline itself takes. The catalogue is a real one.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import FetchError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.market import market_after
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.endings import failed
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.wiring.stores import initialise

SIX = datetime(2025, 3, 10, 13, tzinfo=UTC)  # 6:00 in Phoenix
DAY = timedelta(days=1)
PAGES = {Source.ZILLOW: 2, Source.REDFIN: 2, Source.PHOENIX_MLS: 2, Source.MARICOPA: 4}
"""How many pages a house takes of each source."""
_PACE_S = {Source.MARICOPA: 1.0, Source.PHOENIX_MLS: 1.0}
_PHOTOS = 5


@dataclass(slots=True, kw_only=True)
class World:
    """The clock, and what the sites were asked; `answer` may change what they say.

    `log` gets a line for each question, also of a process that is killed; after
    `killed_at` questions of a process, it kills itself.
    """

    now: datetime = SIX
    log: Path | None = None
    killed_at: int | None = None
    answer: Callable[[Property, Source], Listing] = field(
        default_factory=lambda: quiet_answer
    )
    asked: list[tuple[str, Source]] = field(default_factory=list)
    pages: Counter[Source] = field(default_factory=Counter)
    dice: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def ticks(self) -> float:
        """The same in seconds, of which a look is given some."""
        return self.now.timestamp()

    def ask(self, house: Property, source: Source) -> None:
        """Note a question before it is answered."""
        self.asked.append((house.slug, source))
        if self.log:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(f"{house.slug} {source}\n")
        if self.killed_at is not None and len(self.asked) >= self.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def page(self, source: Source, *, after: datetime) -> datetime:
        """Let a page be asked for at the default pace: a turn, and a human pause.

        Return when it came; pages of several sources come beside each other.
        """
        self.pages[source] += 1
        pause_s = _PACE_S.get(source, 0.5) + self.dice.uniform(0.5, 3.0)
        came = after + timedelta(seconds=pause_s)
        self.now = max(self.now, came)
        return came


class CountingFetcher:
    """Answers everything with an empty page, later."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._at = world.now

    async def get(self, request: Request) -> Fetched:
        """Let the clock go on."""
        await asyncio.sleep(0)  # others that are asked at once begin now, too
        self._at = self._world.page(request.source, after=self._at)
        return Fetched(url=request.url, status=200, headers={}, body=b"")

    async def aclose(self) -> None:
        """There is nothing to close."""


class CountingSource(ListingSource):
    """A site that gives the world's answers, at its price in pages."""

    page_hosts = ("pages.example",)
    photo_hosts = ("photos.example",)

    def __init__(self, world: World, source: Source, *, every_days: int) -> None:
        self.source = source
        self.look_every_days = every_days
        self._world = world

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Ask for the pages, then answer."""
        self._world.ask(house, self.source)
        try:
            for number in range(PAGES[self.source]):
                url = f"https://pages.example/{house.slug}/{number}"
                await fetcher.get(
                    Request(url=url, source=self.source, kind=RequestKind.PAGE)
                )
        except FetchError as error:
            return failed(self.source, error)
        return self._world.answer(house, self.source)


def quiet_answer(house: Property, source: Source) -> Listing:
    """The same every day, but for the days on the market."""
    if source is Source.MARICOPA:
        return Listing(
            source=source, outcome=ListingOutcome.LISTED_EMPTY, complete=True
        )
    photos = tuple(
        PhotoRef(
            source=source,
            photo_key=f"{house.slug}-{source}-{number}",
            url=f"https://photos.example/{house.slug}/{number}.jpg",
            position=number,
        )
        for number in range(_PHOTOS)
    )
    return Listing(
        source=source,
        outcome=ListingOutcome.LISTED,
        listing_id=house.slug[:8],
        url=f"https://pages.example/{house.slug}",
        photos=photos,
        complete=True,
        facts=FACTS,
    )


FACTS = ListingFacts(
    list_price=450_000,
    bedrooms_total=3,
    bathrooms_total=2,
    living_area=1_800,
    lot_size_square_feet=7_200,
    garage_spaces=2,
    pool_private=True,
    association_fee=48.5,
    sewer="Public Sewer",
    year_built=1987,
    days_on_market=12,
    standard_status="Active",
    mls_number="6801234",
    stories_total=1,
    roof="Composition",
    construction_materials="Painted, Stucco, Frame - Wood",
    cooling="Central Air, Ceiling Fan(s), Programmable Thmstat",
    heating="Electric",
    parcel_number="231-11-222",
    property_sub_type="Single Family Residence",
)


def houses(count: int) -> list[Property]:
    """So many houses, all different."""
    return [
        Property.at(Address.parse(f"{1000 + number} W Davis Rd, Glendale, AZ 85306"))
        for number in range(count)
    ]


@contextmanager
def simulated(
    folder: Path, world: World, *, count: int, run_id: str = "look"
) -> Iterator[StageContext]:
    """A context on so many houses, each complete since yesterday, and their sites."""
    settings = replace(
        load_settings({}),
        data_dir=folder,
        dagster_dir=folder / "dagster",
        categorizers=("listing_text",),
        browser="off",
    )
    if not (folder / "phx.db").exists():
        initialise(settings)
        _fill(settings, world, houses(count))
    context = context_of(settings, world, run_id=run_id)
    try:
        yield context
    finally:
        context.catalog.close()


def context_of(settings: Settings, world: World, *, run_id: str) -> StageContext:
    """A context that asks the world's sites and lives by its clock."""
    opened = build_context(settings, run_id=run_id, clock=world)
    days = {Source.MARICOPA: 30}
    sources = {
        source: CountingSource(world, source, every_days=days.get(source, 1))
        for source in PAGES
    }
    return replace(
        opened,
        sources=sources,
        registered=sources,
        open_fetcher=lambda _: CountingFetcher(world),
    )


def _fill(settings: Settings, world: World, some: Sequence[Property]) -> None:
    """Write what looks and runs of the day before would have left."""
    context = build_context(settings, run_id="filling", clock=world)
    at = world() - DAY
    try:
        context.catalog.add_properties(some, at=at)
        with writing(context.catalog._engine) as connection:
            for table, rows in _rows(some, at=at):
                connection.execute(sa.insert(table), rows)
            connection.execute(sa.update(tables.house).values(published_epoch=1))
    finally:
        context.catalog.close()


def _rows(
    some: Sequence[Property], *, at: datetime
) -> Iterator[tuple[sa.Table, list[dict[str, object]]]]:
    answers = [
        (house.slug, quiet_answer(house, source)) for house in some for source in PAGES
    ]
    yield tables.lease, [_lease(house.slug) for house in some]
    yield tables.listing, [_listing(slug, it, at=at) for slug, it in answers]
    said = [(slug, it.source) for slug, it in answers if it.facts]
    yield tables.listing_fact, [_fact(number) for number in range(len(said))]
    yield (
        tables.fact_day,
        [_fact_day(*whose, number, on=at.date()) for number, whose in enumerate(said)],
    )
    photos = [
        _photo(slug, it, ref, on=at.date()) for slug, it in answers for ref in it.photos
    ]
    yield tables.blob, [BLOB]
    yield tables.photo, photos
    yield (
        tables.photo_count,
        [
            {
                "slug": slug,
                "source": it.source,
                "kind": "kept",
                "photos": len(it.photos),
            }
            for slug, it in answers
            if it.photos
        ],
    )


BLOB: dict[str, object] = {
    "sha256": "0" * 64,
    "size_bytes": 1,
    "media_type": "image/jpeg",
    "width": 1024,
    "height": 768,
    **dict.fromkeys(("phash", "dhash", "trimmed_phash", "trimmed_dhash"), 0),
}


def _lease(slug: str) -> dict[str, object]:
    times = {"heartbeat_at": 0.0, "expires_at": 0.0}
    return {"name": property_lease(slug), "owner": "", "epoch": 1, **times}


def _listing(slug: str, it: Listing, *, at: datetime) -> dict[str, object]:
    return {
        "slug": slug,
        "source": it.source,
        "outcome": it.outcome.value,
        "detail": "",
        "listing_id": it.listing_id,
        "url": it.url,
        "complete": it.complete,
        "challenged": False,
        "checked_at": at,
        "gallery_seen_at": at,
        "run_id": "filling",
        "market": market_after(
            None, it.outcome, FACTS.standard_status if it.facts else None
        ),
    }


def _fact(number: int) -> dict[str, object]:
    stated = {
        name: it for name, it in FACTS.stated.items() if name in tables.listing_fact.c
    }
    return {"id": number, **stated}


def _fact_day(slug: str, source: Source, number: int, *, on: date) -> dict[str, object]:
    whose = {"slug": slug, "source": source, "seen_on": on}
    return {**whose, "fact_id": number, "days_on_market": FACTS.days_on_market}


def _photo(slug: str, it: Listing, ref: PhotoRef, *, on: date) -> dict[str, object]:
    return {
        "slug": slug,
        "source": it.source,
        "photo_key": ref.photo_key,
        "url": ref.url,
        "fallback_urls": [],
        "position": ref.position,
        "caption": ref.caption,
        "tags": [],
        "first_seen_on": on,
        "present": True,
        "verdict": "kept",
        "asked_url": ref.url,
        "sha256": BLOB["sha256"],
        "cluster_id": ref.photo_key,
        "run_id": "filling",
        "fault_days": 0,
    }


def marked_gone(catalog: Catalog) -> int:
    """How many photos are not present any more."""
    query = sa.select(sa.func.count()).where(sa.not_(tables.photo.c.present))
    with catalog._engine.connect() as connection:
        return int(connection.execute(query).scalar_one())
