"""The border of search pages: no row goes further unbounded, and no surprise does.

What listings are held to is told in `border`.
"""

from collections.abc import Sequence
from dataclasses import replace

from phx_pipeline.errors import FetchError
from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.model.facts import plausible
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.model.search import MOST_OFFERS, Criteria, Offer, OfferPage
from phx_pipeline.sources.base import ListingSource, SearchSource
from phx_pipeline.sources.bounds import Watched, bounded_id, bounded_url, surprise
from phx_pipeline.sources.endings import LONGEST_DETAIL, outcome_of, told

_LONGEST_ADDRESS = 160


class SearchBorder:
    """A source's search pages seen from inside: every row bounded."""

    def __init__(self, inner: SearchSource, *, source: ListingSource) -> None:
        self._inner = inner
        self._source = source

    @classmethod
    def of(cls, source: ListingSource) -> "SearchBorder | None":
        """Return the border of a source's search pages; None for one without."""
        inner = source.listings
        return cls(inner, source=source) if inner is not None else None

    async def offers(
        self, criteria: Criteria, *, at: str = "", fetcher: Fetcher
    ) -> OfferPage:
        """Ask for a page; what it made the parser raise is an outcome.

        What the fetcher itself raises beyond `FetchError` goes on, such as a catalogue
        that cannot be written.
        """
        watched = Watched(fetcher)
        try:
            page = await self._inner.offers(criteria, at=at, fetcher=watched)
            return bounded_page(page, of=self._source)
        except FetchError as error:
            return OfferPage(outcome=outcome_of(error), detail=told(error))
        except Exception as error:
            if error is watched.raised:
                raise
            detail = surprise(self._source.source, error)
            return OfferPage(outcome=ListingOutcome.PAGE_CHANGED, detail=detail)


def bounded_page(page: OfferPage, *, of: ListingSource) -> OfferPage:
    """Return a page with every row in the bounds the catalogue and people rely on.

    A row without an id or a URL of the source's own is left out.
    """
    rows = page.offers[:MOST_OFFERS]
    offers = [it for row in rows if (it := _bounded(row, of=of))]
    outcome, detail = page.outcome, page.detail
    if left_out := len(page.offers) - len(offers):
        detail = f"{left_out} of {len(page.offers)} rows left out; {detail}"
    if page.offers and not offers:
        outcome = ListingOutcome.PAGE_CHANGED
    return replace(
        page,
        outcome=outcome,
        offers=tuple(offers),
        next=bounded_url(page.next or None, hosts=of.page_hosts) or "",
        detail=printable(detail, most=LONGEST_DETAIL),
    )


def _bounded(offer: Offer, *, of: ListingSource) -> Offer | None:
    url = bounded_url(offer.url, hosts=of.page_hosts)
    listing_id = bounded_id(offer.listing_id)
    if url is None or listing_id is None:
        return None
    address = offer.address
    is_short = address is not None and len(str(address)) <= _LONGEST_ADDRESS
    return replace(
        offer,
        source=of.source,
        url=url,
        listing_id=listing_id,
        address=address if is_short else None,
        told=printable(offer.told, most=_LONGEST_ADDRESS),
        facts=plausible(offer.facts),
        photo_url=_photo(offer.photo_url, hosts=of.photo_hosts),
    )


def _photo(url: str, *, hosts: Sequence[str]) -> str:
    return bounded_url(url or None, hosts=hosts) or ""
