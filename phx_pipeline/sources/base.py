"""What every listing source offers: all that is special about a site is told here.

What its pages look like and how they are read is told in its package.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import ClientName, Fetched, Fetcher
from phx_pipeline.fetch.policies import USUAL_PACE_S
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.search import Criteria, OfferPage
from phx_pipeline.model.source import Source
from phx_pipeline.sources.persons import without_persons
from phx_pipeline.sources.spark import mark_at_host


@dataclass(frozen=True, slots=True, kw_only=True)
class PageUrls:
    """Where the pages of a site are that people open, save, and copy the URL of.

    `short_hosts` lead there, and tell nothing by themselves. `address_in` returns the
    address that the path of a page names, if it names one; nothing is asked for it.
    """

    hosts: tuple[str, ...]
    short_hosts: tuple[str, ...]
    address_in: Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a source wants to know of who asks it: a token that a setting holds.

    Attributes:
        setting: the environment variable.
        is_required: whether nothing of what the source is for can be asked without.
        without: what is not asked without it, and where one is had, in a sentence.
    """

    setting: str
    is_required: bool
    without: str


class SearchSource(Protocol):
    """One site's search pages: which houses it lists in a place."""

    async def offers(
        self, criteria: Criteria, *, at: str = "", fetcher: Fetcher
    ) -> OfferPage:
        """Ask for one page of the houses in the one place of *criteria*.

        Never raises for what a site can do to us: that is the outcome of the page. What
        the site cannot filter by is not filtered here.

        Args:
            criteria: with one place, as `Criteria.each_place` gives them.
            at: `next` of the page before; the first page without it.
            fetcher: what asks.
        """
        ...


class SearchWhenAsked:
    """A `SearchSource` that is loaded when it is first asked."""

    def __init__(self, load: Callable[[], SearchSource]) -> None:
        self._load = load

    async def offers(
        self, criteria: Criteria, *, at: str = "", fetcher: Fetcher
    ) -> OfferPage:
        """As `SearchSource` tells."""
        return await self._load().offers(criteria, at=at, fetcher=fetcher)


class ListingSource(Protocol):
    """One site: how a property's listing is found and its gallery read.

    A source inherits this and states what differs.

    Attributes:
        pace_s: base period of requests to its page hosts, in seconds; photo hosts are
            not paced.
        is_browsed: whether a browser is asked for its pages where plain HTTP is
            refused.
        client: what asks for its pages and answers; httpx for an API that wants no
            browser's looks.
        browser_hosts: what its pages are run by in a browser beside the others: their
            scripts, styles and guards. No request of ours goes there.
        urls: None for a site without pages for people: then none can be saved either.
        credentials: tokens it is asked with; `equipped` hands them over.
        needs_browser: whether its pages are refused to all but a browser, so that it
            is not asked by itself on a machine without one.
        uncaptured: that no answer of the way by which it is asked was captured, in a
            sentence: nobody knows whether it can be read in the field. Empty if some
            were. `equipped` may change it with the way.
        asks_without: what is asked for where its token is lacking, in a few words: then
            `discover` is called all the same, and ends `disabled` with what it got.
            Empty if nothing is.
        look_every_days: how many days its answer counts for the daily look.
        listings: its search pages by place and filter; None for a site without.
        lacks: why it cannot be asked here, and the remedy, in a sentence; empty if it
            can. Told of the object by who made it.
    """

    source: Source
    pace_s: float = USUAL_PACE_S
    is_browsed: bool = False
    client: ClientName = ClientName.CURL
    page_hosts: tuple[str, ...]
    photo_hosts: tuple[str, ...]
    browser_hosts: tuple[str, ...] = ()
    urls: PageUrls | None = None
    credentials: tuple[Credential, ...] = ()
    needs_browser: bool = False
    uncaptured: str = ""
    asks_without: str = ""
    look_every_days: int = 1
    listings: SearchSource | None = None
    lacks: str = ""

    def equipped(self, secrets: Mapping[str, str]) -> Self:
        """Return the source with what it needs of *secrets*, by their settings.

        One without credentials needs none.
        """
        del secrets
        return self

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Find the listing of *house* and return its gallery.

        Never raises for what a site can do to us: a block, a changed page, a wrong
        house and a network failure are outcomes of the returned `Listing`.
        """
        ...

    def read_saved(self, page: Fetched, *, house: Property) -> Listing:
        """Return what a page that a person saved tells of *house*.

        Raises:
            SourceChangedError: it is no listing page that can be read.
        """
        raise _reads_none(self.source, page, asked=str(house.address))

    def address_of(self, page: Fetched) -> Address:
        """Return the address of the house that a saved page is about.

        Raises:
            SourceChangedError: it does not say, or is no listing page.
        """
        raise _reads_none(self.source, page, asked="its house")

    def photo_named(self, url: str) -> str | None:
        """Return the key of the photo that a URL names; None if it names none.

        A key is the same for all sizes of a photo. A source that never tells is never
        found out when its photo host leads to another photo.
        """
        del url
        return None

    def holds_data(self, script: str) -> bool:
        """Whether *script* of a page, given with its tags, holds data of the site.

        A page with such a script is no challenge, whatever else stands in it. Without
        one, pages are data as they come, as answers of an API are.
        """
        del script
        return False

    def scrubbed(self, text: str) -> str:
        """Return an answer of the site without persons, for whoever keeps it.

        A source whose answers name persons in members of its own says which.
        """
        return without_persons(text)

    def filed_under(self, photo: PhotoRef) -> Mark:
        """Return what a photo's key and URL tell of the listing it belongs to."""
        return mark_at_host(photo)


def _reads_none(source: Source, page: Fetched, *, asked: str) -> SourceChangedError:
    return SourceChangedError(
        f"saved pages of {source.value} cannot be read: {page.url} is not asked for "
        f"{asked}"
    )
