"""The border: nothing of a site goes further unbounded, and no surprise does.

Adapters read pages; here what they say is held to lengths, alphabets and ranges, and
whatever a page makes their code raise becomes an outcome.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import FetchError, SourceChangedError
from phx_pipeline.fetch.base import Fetched, Fetcher
from phx_pipeline.model.address import Address
from phx_pipeline.model.counted import counted
from phx_pipeline.model.facts import LARGEST_INTEGER, plausible
from phx_pipeline.model.inline import (
    LARGEST_BYTES,
    MOST_PICTURES,
    inline_url,
)
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import plausible_valuations
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.bounds import Watched, bounded_id, bounded_url, surprise
from phx_pipeline.sources.endings import LONGEST_DETAIL, ended, failed
from phx_pipeline.sources.search_border import SearchBorder
from phx_pipeline.sources.secrecy import without_secrets
from phx_pipeline.sources.stated import FIRST_DAY, LAST_DAY

MOST_PHOTOS: Final = 500
_LONGEST_CAPTION = 500
_LONGEST_TAG = 60
_MOST_TAGS = 20
_MOST_FALLBACKS = 20
_MOST_PIXELS = 100_000
_MOST_WITHDRAWN = 10 * MOST_PHOTOS
_NO_LICENCE = "its licence was withdrawn"
_LONGEST_NAME = 40  # of a kind of page, or of a field
_MOST_NAMES = 60

_PHOTO_KEY = re.compile(r"[\w.~%+,=@!/-]{1,200}", re.ASCII)


class Border(ListingSource):
    """A source seen from inside: the same offer, every answer bounded."""

    def __init__(
        self, inner: ListingSource, *, lacks: str = "", secrets: Iterable[str] = ()
    ) -> None:
        self._inner = inner
        self._secrets = tuple(secrets)
        self.lacks = lacks
        self.source = inner.source
        self.pace_s = inner.pace_s
        self.is_browsed = inner.is_browsed
        self.client = inner.client
        self.page_hosts = inner.page_hosts
        self.photo_hosts = inner.photo_hosts
        self.browser_hosts = inner.browser_hosts
        self.urls = inner.urls
        self.credentials = inner.credentials
        self.needs_browser = inner.needs_browser
        self.uncaptured = inner.uncaptured
        self.look_every_days = inner.look_every_days
        self.asks_without = inner.asks_without
        self.listings = SearchBorder.of(inner)

    def equipped(self, secrets: Mapping[str, str]) -> "Border":
        """Return the source with what it needs of *secrets*, behind its border."""
        return Border(
            self._inner.equipped(secrets), lacks=self.lacks, secrets=secrets.values()
        )

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Ask the source; what its page made the parser raise is an outcome.

        What the fetcher itself raises beyond `FetchError` is not the page's doing and
        goes on, such as a catalogue that cannot be written. One that lacks something
        is not asked, but where it has a way without.
        """
        if self.lacks and not self.asks_without:
            return ended(self.source, ListingOutcome.DISABLED, self.lacks)
        watched = Watched(fetcher)
        try:
            listing = await self._inner.discover(house, fetcher=watched)
            return self._bounded(listing)
        except Exception as error:
            if error is watched.raised and not isinstance(error, FetchError):
                raise
            return self._bounded(surprised(self.source, error))

    def read_saved(self, page: Fetched, *, house: Property) -> Listing:
        """Read a page at hand, bounded like what was asked for; never raises."""
        try:
            return self._bounded(self._inner.read_saved(page, house=house))
        except Exception as error:  # noqa: BLE001  # whatever a page makes it raise
            return self._bounded(surprised(self.source, error))

    def _bounded(self, listing: Listing) -> Listing:
        """Return *listing* in its bounds, its detail without what we are asked with.

        Sources tell nothing of a feed's own words, so here a token should never be;
        this is the second line.
        """
        detail = without_secrets(listing.detail, self._secrets)
        return bounded(replace(listing, detail=detail), of=self)

    def address_of(self, page: Fetched) -> Address:
        """Return the address a page is about; raises whatever it makes a parser."""
        return self._inner.address_of(page)

    def photo_named(self, url: str) -> str | None:
        """Return the key of the photo that a URL names."""
        return self._inner.photo_named(url)

    def holds_data(self, script: str) -> bool:
        """Whether *script* holds data of the site."""
        return self._inner.holds_data(script)

    def scrubbed(self, text: str) -> str:
        """Return an answer without persons."""
        return self._inner.scrubbed(text)

    def filed_under(self, photo: PhotoRef) -> Mark:
        """Return what a photo tells of its listing."""
        return self._inner.filed_under(photo)


def surprised(source: Source, error: Exception) -> Listing:
    """Return the outcome an error of reading a page stands for."""
    match error:
        case SourceChangedError():
            return ended(source, ListingOutcome.PAGE_CHANGED, str(error))
        case FetchError():
            return failed(source, error)
    return ended(source, ListingOutcome.PAGE_CHANGED, surprise(source, error))


def bounded(listing: Listing, *, of: ListingSource) -> Listing:
    """Return *listing* with every field in the bounds the catalogue and people rely on.

    A photo whose key or URL is not one of the source's is left out; ids, sizes, dates
    and facts beyond reason become None; texts become short lines.
    """
    url = bounded_url(listing.url, hosts=of.page_hosts)
    inline = _inline(listing.inline)
    withdrawn = _withdrawn(listing.withdrawn)
    offered = [it for it in listing.photos if it.photo_key not in withdrawn]
    photos = _gallery(offered, hosts=of.photo_hosts, page_url=url, inline=inline)
    kept = {photo.photo_key for photo in photos}
    left_out = len(offered) - len(photos)
    outcome, detail = listing.outcome, listing.detail
    if left_out:
        shown = counted(len(offered), "photo")
        detail = f"{left_out} of {shown} left out; {detail}"
    if offered and not photos:
        outcome = ListingOutcome.PAGE_CHANGED
    return replace(
        listing,
        outcome=outcome,
        detail=printable(detail, most=LONGEST_DETAIL),
        listing_id=bounded_id(listing.listing_id),
        mls_id=bounded_id(listing.mls_id),
        url=url,
        listed_on=_day(listing.listed_on),
        photos=photos,
        complete=listing.complete and outcome.saw_gallery and not left_out,
        facts=listing.facts and plausible(listing.facts),
        inline={key: body for key, body in inline.items() if key in kept},
        withdrawn=withdrawn,
        valuations=plausible_valuations(listing.valuations),
        page_kind=printable(listing.page_kind, most=_LONGEST_NAME),
        stated_photos=_count(listing.stated_photos),
        also_read=_also_read(listing.also_read),
    )


def begun(listing: Listing, *, today: date) -> Listing:
    """Return *listing* without a first day that is still to come.

    Tomorrow is let pass: the site's clock may be of another zone.
    """
    is_to_come = listing.listed_on and listing.listed_on > today + timedelta(days=1)
    return replace(listing, listed_on=None) if is_to_come else listing


def _inline(pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    sound = (it for it in pictures.items() if 0 < len(it[1]) <= LARGEST_BYTES)
    return dict(islice(sound, MOST_PICTURES))


def _withdrawn(told: Mapping[str, str]) -> dict[str, str]:
    sound = (
        (key, printable(why, most=LONGEST_DETAIL) or _NO_LICENCE)
        for key, why in told.items()
        if key == EVERY_PHOTO or _PHOTO_KEY.fullmatch(key)
    )
    return dict(islice(sound, _MOST_WITHDRAWN))


def _gallery(
    photos: Sequence[PhotoRef],
    *,
    hosts: Sequence[str],
    page_url: str | None,
    inline: Mapping[str, bytes],
) -> tuple[PhotoRef, ...]:
    """Return the photos that can be taken, each key once, in the order of the page.

    Those whose bytes came with the page are at the page, and are not asked for.
    """
    found: dict[str, PhotoRef] = {}
    for position, photo in enumerate(photos[:MOST_PHOTOS]):
        if body := inline.get(photo.photo_key):
            bounds = _inlined(photo, body, position=position, page_url=page_url or "")
        else:
            bounds = _photo(photo, position=position, hosts=hosts)
        if bounds:
            found.setdefault(bounds.photo_key, bounds)
    return tuple(found.values())


def _inlined(
    photo: PhotoRef, body: bytes, *, position: int, page_url: str
) -> PhotoRef | None:
    host = urlsplit(page_url).netloc
    there = replace(photo, url=page_url, fallback_urls=())
    bounds = _photo(there, position=position, hosts=(host,))
    digest = sha256(body).hexdigest()
    return bounds and replace(bounds, url=inline_url(page_url, digest))


def _photo(photo: PhotoRef, *, position: int, hosts: Sequence[str]) -> PhotoRef | None:
    url = bounded_url(photo.url, hosts=hosts)
    if url is None or not _PHOTO_KEY.fullmatch(photo.photo_key):
        return None
    others = (bounded_url(other, hosts=hosts) for other in photo.fallback_urls)
    tags = (printable(tag, most=_LONGEST_TAG) for tag in photo.tags[:_MOST_TAGS])
    stated = photo.position
    return replace(
        photo,
        url=url,
        position=stated if 0 <= stated <= LARGEST_INTEGER else position,
        fallback_urls=tuple(other for other in others if other)[:_MOST_FALLBACKS],
        caption=printable(photo.caption, most=_LONGEST_CAPTION),
        tags=tuple(tag for tag in tags if tag),
        width=_pixels(photo.width),
        height=_pixels(photo.height),
    )


def _day(day: date | None) -> date | None:
    return day if day and FIRST_DAY <= day <= LAST_DAY else None


def _count(stated: int | None) -> int | None:
    return stated if stated is not None and 0 <= stated <= LARGEST_INTEGER else None


def _also_read(stated: Mapping[str, bool]) -> dict[str, bool]:
    few = islice(stated.items(), _MOST_NAMES)
    return {printable(name, most=_LONGEST_NAME): bool(had) for name, had in few}


def _pixels(stated: int | None) -> int | None:
    return stated if stated and 0 < stated <= _MOST_PIXELS else None
