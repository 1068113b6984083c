"""A listing's page on the public site: whose house it is, its state, its gallery.

No page of the site was ever captured. What is relied on is what both templates of its
software have in common, and where a page cannot be bound to the listing it is told to
have changed. No fetching.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended, near_miss
from phx_pipeline.sources.head import own_urls, titled
from phx_pipeline.sources.phoenix_mls.addresses import listing_named, listing_url
from phx_pipeline.sources.phoenix_mls.idx_facts import (
    STATUS,
    facts_of,
    is_current,
    is_for_rent,
    last_day,
    listed_on,
    status_in,
)
from phx_pipeline.sources.phoenix_mls.idx_gallery import Gallery, parse_gallery
from phx_pipeline.sources.phoenix_mls.idx_labels import (
    NOT_OF_THE_HOUSE,
    labelled,
)
from phx_pipeline.sources.phoenix_mls.idx_markup import (
    Element,
    lines,
    page_tree,
    texts,
    within,
)
from phx_pipeline.sources.whose import (
    another_titled,
    contradicts,
    link_contradicts,
    readable,
)

_OWN = re.compile(r"(?:^|[_-])(?:sr_detail|listing[_-]details?)$")
_RESULT = re.compile(r"sr_result|listings?[_-](?:list|card)")
_NUMBERED = re.compile(
    r"(?:.{0,200}[ (-])?\(?MLS ?(?:#|number)? ?:? ?(?P<number>[a-z]{0,3}\d{5,12})\)?",
    re.ASCII | re.IGNORECASE,
)
_KEYED = re.compile(r"[a-z]{1,2}-(?P<key>20\d{24})", re.ASCII)
_ADDRESS = re.compile(r"address|property-title")
_HEADINGS = frozenset({"h1", "h2", "h3"})
_TITLED = frozenset({"article", "div", "main", "section"})
_GONE: Final = re.compile(
    r".{0,40}\blisting (?:is )?(?:no longer|not) available\b.{0,40}", re.IGNORECASE
)
_OF_ANY_PAGE = frozenset({"mls_number", "standard_status"})
_MOST_LINES = 5000
_LONGEST_LINE = 80  # characters that are no prose


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a page says of a house, and whether its listing is the current one.

    `last_day` is the last one that it tells of itself: when it was listed, or closed.
    One that is `for_rent` may be current beside one that offers the house for sale.
    """

    listing: Listing
    is_current: bool = False
    for_rent: bool = False
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """A page that is about one listing: its element, MLS number and address."""

    page: Fetched
    root: Element
    element: Element
    number: str
    address: Address

    @property
    def url(self) -> str:
        """Where the site has the page; where it was read if its own links are lost."""
        links = (listing_url(link) for link in _own_links(self.page))
        return next(filter(None, links), self.page.url)

    @property
    def key(self) -> str:
        """The key of the listing in Spark's feeds, empty if the page does not tell."""
        told = (_KEYED.fullmatch(it.attribute("rel")) for it in within(self.element))
        keys = {found["key"] for found in told if found}
        return keys.pop() if len(keys) == 1 else ""


def parse_listing(
    page: Fetched, *, house: Property, stated: int | None = None
) -> Reading:
    """Return what a listing's page says about *house*.

    The outcome is `listed`, `listed_empty`, `off_market`, `wrong_property`, or
    `ambiguous` where the page's address is only much like the house's.

    Args:
        page: as it came, or as a person saved it.
        house: the one asked for.
        stated: how many photos the row said that led here, if it did.

    Raises:
        SourceChangedError: the page is no listing, or cannot be bound to one.
    """
    root = page_tree(page)
    if _is_gone(root):
        told = "the page says that the listing is no longer available"
        return Reading(listing=_ended(ListingOutcome.OFF_MARKET, told, page.url))
    own = _own(page, root)
    match = house.means(own.address)
    if match is Match.NEAR:
        near = near_miss(Source.PHOENIX_MLS, house, [own.address], url=own.url)
        return Reading(listing=near)
    if match is Match.OTHER or own.address.state != house.address.state:
        told = f"the page is about {own.address} (MLS {own.number})"
        return Reading(listing=_ended(ListingOutcome.WRONG_PROPERTY, told, own.url))
    if told := _contradiction(own):
        told = f"the page contradicts itself: {own.address}, but {told}"
        return Reading(listing=_ended(ListingOutcome.WRONG_PROPERTY, told, own.url))
    return _reading(own, stated=stated)


def page_address(page: Fetched) -> Address:
    """Return the address of the house that a listing's page is about.

    Raises:
        SourceChangedError: the page is no listing, or cannot be bound to one.
    """
    return _own(page, page_tree(page)).address


def _reading(own: _Own, *, stated: int | None) -> Reading:
    values = labelled(own.element)
    status = status_in(values)
    is_offered = _is_offered(own, status)
    gallery = _with_count(
        parse_gallery(own.element, number=own.number, page=own.root), stated
    )
    outcome = _outcome(gallery, is_offered=is_offered)
    facts = facts_of(values, status=status, mls_id=own.number)
    if not gallery.photos and not facts.stated.keys() - _OF_ANY_PAGE:
        raise SourceChangedError("the page shows neither photos nor facts")
    listing = Listing(
        source=Source.PHOENIX_MLS,
        outcome=outcome,
        detail=_detail(gallery, status=status or "Active"),
        listing_id=own.key or own.number,
        mls_id=own.number,
        url=own.url,
        listed_on=listed_on(values),
        photos=gallery.photos,
        complete=outcome.saw_gallery and gallery.is_whole,
        facts=facts,
        stated_photos=max(gallery.stated, default=None),
        also_read={"state": bool(status)},
    )
    return Reading(
        listing=listing,
        is_current=is_offered,
        for_rent=is_for_rent(values),
        last_day=last_day(values),
    )


def _is_offered(own: _Own, status: str) -> bool:
    """Whether the house is offered now.

    The site's software leaves the state of an active listing out, and no other. Where
    a label of the state stands without a value, it is not known.
    """
    if status:
        return is_current(status)
    labels = (line.lower().rstrip(" :") for line in _own_lines(own.element))
    if any(label in STATUS for label in labels):
        raise SourceChangedError("the state of the listing cannot be read")
    return True


def _outcome(gallery: Gallery, *, is_offered: bool) -> ListingOutcome:
    if not is_offered:
        return ListingOutcome.OFF_MARKET
    return ListingOutcome.LISTED if gallery.photos else ListingOutcome.LISTED_EMPTY


def _with_count(gallery: Gallery, stated: int | None) -> Gallery:
    if stated is None:
        return gallery
    return replace(gallery, stated=gallery.stated | {stated})


def _detail(gallery: Gallery, *, status: str) -> str:
    return f"{gallery.told}; status {printable(status, most=40)}"


# --- whose page it is -----------------------------------------------------------------


def _own(page: Fetched, root: Element) -> _Own:
    """Return the one listing that a page is about."""
    elements = list(_own_elements(root))
    if len(elements) != 1:
        told = "several elements" if elements else "no element"
        raise SourceChangedError(f"{told} of a listing in the page")
    (element,) = elements
    return _Own(
        page=page,
        root=root,
        element=element,
        number=_number(page, element),
        address=_address(element),
    )


def _own_elements(root: Element) -> Iterator[Element]:
    """Yield the outermost elements that are a listing, told by name or by title."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.is_named(_RESULT):
            continue
        titled_so = element.name in _TITLED and _titled_number(element)
        if element.name in _TITLED and (element.is_named(_OWN) or titled_so):
            yield element
            continue
        waiting += [it for it in element.children if isinstance(it, Element)]


def _titled_number(element: Element) -> str:
    found = _NUMBERED.fullmatch(element.attribute("title")[:300])
    return found["number"] if found else ""


def _number(page: Fetched, element: Element) -> str:
    """Return the listing's number in the MLS; all that tell it must agree."""
    found = [_titled_number(element)]
    lines_told = map(_NUMBERED.fullmatch, _own_lines(element))
    found += [told["number"] for told in lines_told if told]
    named = (listing_named(link) for link in _own_links(page))
    found += [it[1] for it in named if it]
    numbers = {it.lower(): it for it in found if it}
    if len(numbers) != 1:
        told = f"several: {', '.join(list(numbers)[:4])}" if numbers else "none"
        raise SourceChangedError(f"MLS numbers of the listing's page: {told}")
    return next(iter(numbers.values()))


def _address(element: Element) -> Address:
    found = next(_addresses(element), None)
    if found is None:
        raise SourceChangedError("the page's own address is missing or unreadable")
    return found


def _addresses(element: Element) -> Iterator[Address]:
    """Yield what a listing's element says its address is: title, block, headings."""
    title = element.attribute("title").partition(" - MLS")[0]
    if told := readable(title):
        yield told
    for each in within(element, skip=NOT_OF_THE_HOUSE):
        if each is not element and (each.name in _HEADINGS or each.is_named(_ADDRESS)):
            yield from addresses_in(lines(each))


def addresses_in(told: list[str]) -> Iterator[Address]:
    """Yield the addresses that stand in a line, or in two that follow each other."""
    for at, line in enumerate(told[:_MOST_LINES]):
        whole = readable(line) or (at and readable(f"{told[at - 1]}, {line}"))
        if whole:
            yield whole


def _own_links(page: Fetched) -> list[str]:
    return [*own_urls(page.body), page.url]


def _own_lines(element: Element) -> Iterator[str]:
    """Yield the short texts of a listing, each of its parts apart, without prose."""
    for each in within(element, skip=NOT_OF_THE_HOUSE):
        yield from (it for it in texts(each) if len(it) <= _LONGEST_LINE)


def _contradiction(own: _Own) -> str:
    """Return how the page says that it is about another house too; empty if not."""
    for link in _own_links(own.page):
        named = listing_named(link)
        if named and link_contradicts(named[0], own.address):
            return f"its link is {link}"
    if title := another_titled(titled(own.page.body), own.address):
        return f"its title is of {title}"
    for other in _addresses(own.element):
        if contradicts(own.address, other):
            return f"an address in it is {other}"
    return ""


def _is_gone(root: Element) -> bool:
    """Whether the page is the one shown in place of a listing that was withdrawn."""
    if any(_own_elements(root)):
        return False
    return any(_GONE.fullmatch(line) for line in lines(root)[:_MOST_LINES])


def _ended(outcome: ListingOutcome, told: str, url: str) -> Listing:
    return ended(Source.PHOENIX_MLS, outcome, told, url=url)
