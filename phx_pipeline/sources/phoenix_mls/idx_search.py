"""The address search of the public site: its URL, and the listings a page of it shows.

One address has several MLS numbers: each sale was one. Which of them is current is
told by its state, never by its place in the list.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.property import Property
from phx_pipeline.sources.phoenix_mls.addresses import (
    SITE,
    address_of_slug,
    listing_named,
    listing_url,
)
from phx_pipeline.sources.phoenix_mls.idx_facts import STATUS, is_current
from phx_pipeline.sources.phoenix_mls.idx_labels import labelled
from phx_pipeline.sources.phoenix_mls.idx_listing import addresses_in
from phx_pipeline.sources.phoenix_mls.idx_markup import (
    Element,
    lines,
    links,
    page_tree,
    within,
    words,
)
from phx_pipeline.sources.whose import link_contradicts, readable

ROWS_OF_A_PAGE: Final = 25  # the most that the site offers

_RESULT = re.compile(
    r"(?:^|[_-])(?:sr_result|flexmls-listing|listing[_-](?:card|row))$"
)
_MATCHES = re.compile(
    r"(?P<all>\d[\d,]{0,9}) (?:matches|listings|results|properties)\b",
    re.ASCII | re.IGNORECASE,
)
_COUNT = re.compile(r"(?:view )?photos ?\((?P<count>\d{1,4})\)", re.IGNORECASE)
_STATUS = re.compile(r"(?:^|[_-])status$")
_MOST_LINES = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A listing on a page of results.

    `addresses` are all it is told to be of, and `slug` the words of its link. Of an
    active one the site shows no state. `stated` is the size of its gallery.
    """

    number: str
    url: str
    slug: str
    addresses: tuple[Address, ...]
    statuses: tuple[str, ...]
    stated: int | None

    @property
    def has_ended(self) -> bool:
        """Whether a state it shows says that it is offered no longer.

        Raises:
            SourceChangedError: it is in words that are not known.
        """
        return any(not is_current(status) for status in self.statuses)

    def match(self, house: Property) -> Match:
        """Tell whether it is of *house*: nothing it says may be of another door."""
        found = {house.means(own) for own in self.addresses}
        own = self.addresses[0] if self.addresses else None
        if own is None or link_contradicts(self.slug, own):
            return Match.OTHER
        if found == {Match.SAME}:
            return Match.SAME
        return Match.OTHER if Match.OTHER in found else Match.NEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A page of results, and how many there are on all pages."""

    rows: tuple[Row, ...]
    matches: int


def search_url(address: Address, *, page: int = 1) -> str:
    """Return the URL that asks for all listings of a street line, whatever their state.

    The unit is left out: MLS members write it in many ways.
    """
    query = {
        "StreetAddress": f"{address.street_number} {address.street}",
        "OrderBy": "-ModificationTimestamp",
        "Limit": str(ROWS_OF_A_PAGE),
        "pg": str(page),
    }
    return f"{SITE}/mls/search/?{urlencode(query)}"


def parse_results(page: Fetched) -> Results:
    """Return what a page of results shows.

    Raises:
        SourceChangedError: it says neither how many there are nor shows any, or fewer
            than it says on its only page.
    """
    root = page_tree(page)
    rows = {row.number.lower(): row for row in _rows(root)}
    told = lines(root)[:_MOST_LINES]
    counts = [_whole(it["all"]) for it in map(_MATCHES.match, told) if it]
    if not counts and not rows:
        raise SourceChangedError("the search page shows neither listings nor a count")
    matches = max([*counts, len(rows)])
    if matches and not rows:
        raise SourceChangedError(f"none of {matches} matches of the search can be read")
    return Results(rows=tuple(rows.values()), matches=matches)


def _rows(root: Element) -> Iterator[Row]:
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.is_named(_RESULT):
            yield _row(element)
            continue
        inner = [it for it in element.children if isinstance(it, Element)]
        waiting += reversed(inner)


def _row(element: Element) -> Row:
    named = [(link, it) for link in links(element) if (it := listing_named(link))]
    if len({number.lower() for _, (_, number) in named}) != 1:
        told = "several listings" if named else "no listing"
        raise SourceChangedError(f"a row of the search leads to {told}")
    link, (slug, number) = named[0]
    return Row(
        number=number,
        url=listing_url(link) or "",
        slug=slug,
        addresses=tuple(_addresses(element, slug=slug)),
        statuses=tuple(_statuses(element)),
        stated=next(_counts(element), None),
    )


def _addresses(element: Element, *, slug: str) -> Iterator[Address]:
    """Yield what a row says its address is; its link only where nothing else does."""
    title = readable(element.attribute("title").partition(" - MLS")[0])
    shown = [*filter(None, [title]), *addresses_in(lines(element))]
    named = None if shown else readable(address_of_slug(slug))
    yield from [*shown, *filter(None, [named])]


def _statuses(element: Element) -> Iterator[str]:
    """Yield the states a row shows, beside a label or in an element named so."""
    values = labelled(element)
    yield from (value for name in STATUS for value in values.get(name, ()))
    named = (words(it) for it in within(element) if it.is_named(_STATUS))
    yield from (told for told in named if told)


def _counts(element: Element) -> Iterator[int]:
    for line in lines(element):
        if found := _COUNT.fullmatch(line):
            yield int(found["count"])


def _whole(told: str) -> int:
    return int(told.replace(",", ""))


def numbers_of(rows: Iterable[Row]) -> str:
    """Return the MLS numbers of rows, as they are told to people."""
    return ", ".join(row.number for row in rows)
