"""How the county is asked: the search and one parcel, or its public map."""

from dataclasses import dataclass, field, replace
from http import HTTPStatus

from phx_pipeline.errors import (
    BlockedError,
    CircuitOpenError,
    FetchError,
    GoneError,
    SourceChangedError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended, failed, outcome_of, told
from phx_pipeline.sources.maricopa.answers import page_url
from phx_pipeline.sources.maricopa.county import ONLY, TOKEN, WITHOUT
from phx_pipeline.sources.maricopa.parcel import parcel_url, read_parcel
from phx_pipeline.sources.maricopa.parcel_map import map_url, parcel_on_map
from phx_pipeline.sources.maricopa.search import (
    MOST_PAGES,
    Answer,
    Row,
    is_last,
    not_one,
    of_house,
    read_rows,
    search_url,
)

_ANSWER_BYTES = 1_000_000
_PARCEL_BYTES = 25_000_000  # with all its sketches
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_PLAIN = {"user-agent": ""}  # the API's document asks for none
_BY_MAP = f"asked without a token: {ONLY}; {WITHOUT}"


async def discover(house: Property, *, fetcher: Fetcher, token: str) -> Listing:
    """Find the parcel of *house*, and return its sketches and facts.

    Without a token the public map is asked, which has a few facts.
    """
    if not token:
        return await _by_map(house, fetcher=fetcher)
    try:
        return await _Api(token=token).parcel_of(house, fetcher=fetcher)
    except SourceChangedError as error:
        return ended(Source.MARICOPA, ListingOutcome.PAGE_CHANGED, str(error))
    except FetchError as error:
        return _failed(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Api:
    """The API that wants a token; no answer to it is kept."""

    token: str = field(repr=False)

    async def parcel_of(self, house: Property, *, fetcher: Fetcher) -> Listing:
        rows, doubt, is_cut = await self._rows(house, fetcher=fetcher)
        same = of_house(rows, house=house)
        if not same and doubt:
            raise SourceChangedError(doubt)
        if len(same) != 1:
            return not_one(rows, house=house, is_cut=is_cut)
        return await self._parcel(same[0], house=house, fetcher=fetcher)

    async def _rows(
        self, house: Property, *, fetcher: Fetcher
    ) -> tuple[list[Row], str, bool]:
        """Return what the search finds, what cannot be read, and if there is more."""
        rows: list[Row] = []
        doubt = ""
        for number in range(1, MOST_PAGES + 1):
            url = search_url(house.address, page=number)
            page = await self._searched(url, fetcher=fetcher)
            found = read_rows(page, house=house) if _holds(page) else Answer()
            ends = is_last(found, known=rows)
            rows += found.rows
            doubt = doubt or found.doubt
            if ends:
                return rows, doubt, False
        return rows, doubt, True

    async def _searched(self, url: str, *, fetcher: Fetcher) -> Fetched:
        try:
            return await fetcher.get(self._request(url, most=_ANSWER_BYTES))
        except GoneError as error:
            # An unknown street is an answer without rows, or an empty one.
            raise SourceChangedError("the property search is gone") from error

    async def _parcel(self, row: Row, *, house: Property, fetcher: Fetcher) -> Listing:
        request = self._request(parcel_url(row.parcel), most=_PARCEL_BYTES)
        page = await fetcher.get(request)
        if _holds(page):
            return read_parcel(page, house=house, row=row)
        detail = "nothing is told of the parcel that the search found"
        return ended(Source.MARICOPA, ListingOutcome.NOT_FOUND, detail)

    def _request(self, url: str, *, most: int) -> Request:
        return Request(
            url=url,
            source=Source.MARICOPA,
            kind=RequestKind.API,
            max_bytes=most,
            headers=_PLAIN,
            secret_headers={"authorization": self.token},
        )


async def _by_map(house: Property, *, fetcher: Fetcher) -> Listing:
    """Return why the rest is not asked for, with what the public map tells."""
    request = Request(
        url=map_url(house.address),
        source=Source.MARICOPA,
        kind=RequestKind.API,
        max_bytes=_ANSWER_BYTES,
        headers=_PLAIN,
    )
    end = ended(Source.MARICOPA, ListingOutcome.DISABLED, _BY_MAP)
    try:
        page = await fetcher.get(request)
        found = parcel_on_map(page, house=house)
    except SourceChangedError as error:
        # No fact at all, so that it is counted what the map tells no more.
        none = replace(end, facts=ListingFacts(), page_kind="map")
        return replace(none, detail=f"{_BY_MAP}; {error}")
    except FetchError as error:
        detail = f"the public map: {told(error)}; {WITHOUT}"
        return ended(Source.MARICOPA, _outcome_of_map(error), detail)
    if found is None:
        return replace(end, detail=f"{_BY_MAP}; the map has not just one parcel")
    return replace(
        end,
        listing_id=found.facts.parcel_number,
        url=page_url(found.parcel),
        facts=found.facts,
        page_kind="map",
    )


def _outcome_of_map(error: FetchError) -> ListingOutcome:
    """Return `disabled` where the map has refused us; what did not answer is open."""
    was_refused = isinstance(error, BlockedError | GoneError)
    if was_refused or (isinstance(error, CircuitOpenError) and error.refused):
        return ListingOutcome.DISABLED
    return outcome_of(error)


def _holds(page: Fetched) -> bool:
    """Whether an answer holds something: 204 says that there is nothing."""
    return page.status != HTTPStatus.NO_CONTENT


def _failed(error: FetchError) -> Listing:
    """Return how a refused request ends: a bare status is about the token."""
    is_bare = isinstance(error, BlockedError) and not error.challenge
    rests = isinstance(error, CircuitOpenError) and error.refused
    if not rests and not (is_bare and error.status in _REFUSALS):
        return failed(Source.MARICOPA, error, has_page=False)
    remedy = f"check {TOKEN}, then `phx sources reset {Source.MARICOPA}`"
    return ended(Source.MARICOPA, outcome_of(error), f"{told(error)}; {remedy}")
