"""Asking the sources: each house gets an outcome, and nothing raw gets further."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.cli.console import console, print_tallies
from phx_pipeline.errors import CatalogDownError
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.find import search_url
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover
from phx_pipeline.stages.report import outcome_rows
from phx_pipeline_tests.canned import CannedFetcher
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.hostile import (
    HUGE_TEXT,
    TEXTS,
    VALUES,
    RedfinPage,
    ZillowPage,
    changed,
)

HOUSE = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
TURN = 40  # texts apart, so that each page has others in its fields


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StageContext]:
    with Deployment(tmp_path_factory.mktemp("store") / "store", {}) as made:
        made.add([str(HOUSE)])
        with made.context() as opened:
            known = available_sources()
            pages = {name: known[name] for name in (Source.REDFIN, Source.ZILLOW)}
            yield replace(opened, sources=pages)


def hostile(page: RedfinPage | ZillowPage, said: Iterator[object]) -> bytes:
    """The page with other contents, except for whose it is and where photos lie."""
    kept = page.whose | page.where
    return page.body(
        changed(page.tree, lambda name, it: it if name in kept else next(said))
    )


def answering(context: StageContext, redfin: bytes, zillow: bytes) -> StageContext:
    """The same context, whose sources answer with these pages."""
    bodies = {
        search_url(HOUSE): RedfinPage.search,
        RedfinPage.url: redfin,
        ZillowPage.url: zillow,
    }
    answers = {
        url: Fetched(url=url, status=200, headers={}, body=body)
        for url, body in bodies.items()
    }
    return replace(context, open_fetcher=lambda _: CannedFetcher(answers))


def stored_texts(context: StageContext) -> Iterator[str]:
    """Every text of every row a discovery writes."""
    engine = context.catalog._engine  # all columns, whatever they are
    with engine.connect() as connection:
        for table in (tables.listing, tables.photo, tables.listing_fact):
            for row in connection.execute(sa.select(table)):
                for value in row:
                    parts = value if isinstance(value, list) else [value]
                    yield from (part for part in parts if isinstance(part, str))


@pytest.mark.parametrize("turn", range(5))
def test_pages_full_of_hostile_texts_leave_nothing_raw_anywhere(
    context: StageContext, capsys: pytest.CaptureFixture[str], turn: int
) -> None:
    said = itertools.cycle((*TEXTS[turn * TURN :], *TEXTS[: turn * TURN]))
    redfin, zillow = hostile(RedfinPage(), said), hostile(ZillowPage(), said)

    report = asyncio.run(discover(answering(context, redfin, zillow), HOUSE.slug))

    assert (report.asked, report.listed) == (2, 10)
    texts = list(stored_texts(context))
    assert len(texts) > 100
    assert [text for text in texts if text != printable(text, most=2000)] == []
    tally = context.tally(HOUSE.slug)
    for source in tally.sources:
        console.print(source.detail)
    print_tallies([tally])
    told = capsys.readouterr().out + str(outcome_rows(tally))
    assert [c for c in told if (c < " " and c != "\n") or "\x7f" <= c < "\xa0"] == []


@pytest.mark.parametrize("value", [*VALUES, HUGE_TEXT], ids=range(len(VALUES) + 1))
def test_a_value_beyond_reason_in_every_field_is_an_outcome_of_each_source(
    context: StageContext, value: object
) -> None:
    said = itertools.chain([value], itertools.repeat(str(value)[:20]))
    if value is not HUGE_TEXT:
        said = itertools.chain(itertools.repeat(value))
    redfin, zillow = hostile(RedfinPage(), said), hostile(ZillowPage(), said)

    asyncio.run(discover(answering(context, redfin, zillow), HOUSE.slug))

    outcomes = [source.outcome for source in context.tally(HOUSE.slug).sources]
    assert set(outcomes) <= {
        ListingOutcome.LISTED,
        ListingOutcome.OFF_MARKET,
        ListingOutcome.PAGE_CHANGED,
    }


def test_a_page_of_no_known_shape_is_an_outcome_and_the_next_source_is_asked(
    context: StageContext,
) -> None:
    deep = b"<script id='__NEXT_DATA__'>" + b'{"props":' * 100_000

    asyncio.run(discover(answering(context, deep, deep), HOUSE.slug))

    outcomes = {it.source: it.outcome for it in context.tally(HOUSE.slug).sources}
    assert outcomes == {
        Source.REDFIN: ListingOutcome.PAGE_CHANGED,
        Source.ZILLOW: ListingOutcome.PAGE_CHANGED,
    }


def test_a_catalogue_that_is_down_is_no_outcome_of_a_source(
    context: StageContext,
) -> None:
    down = CannedFetcher({search_url(HOUSE): CatalogDownError("the database is down")})

    with pytest.raises(CatalogDownError):
        asyncio.run(discover(replace(context, open_fetcher=lambda _: down), HOUSE.slug))


def test_what_a_source_holds_is_given_back_before_the_next_is_asked(
    context: StageContext,
) -> None:
    told: list[str] = []

    class Told(CannedFetcher):
        async def get(self, request: Request) -> Fetched:
            told.append(request.source.value)
            return await super().get(request)

        async def aclose(self) -> None:
            told.append("closed")

    redfin, zillow = RedfinPage(), ZillowPage()
    pages = redfin.body(redfin.tree), zillow.body(zillow.tree)
    canned = answering(context, *pages).open_fetcher(HOUSE.slug)
    assert isinstance(canned, CannedFetcher)
    opening = replace(context, open_fetcher=lambda _: Told(canned.pages))

    asyncio.run(discover(opening, HOUSE.slug))

    order = [name for name, _ in itertools.groupby(told)]
    assert order == ["redfin", "closed", "zillow", "closed"]
