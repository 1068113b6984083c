"""Fields that the pages of a source had, and have no more: the site has changed.

Here is the rule alone. Counts come from `fields_read`, a page at a time, and are kept
by `catalog.fields`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from phx_pipeline.model.facts import FACT_NAMES, ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source

WINDOW_DAYS: Final = 60
"""How far back counts are looked at."""
FEWEST_BEFORE: Final = 5
"""Pages that tell what is usual."""
FEWEST_SINCE: Final = 3
"""Pages without a field that may tell that it is gone."""
USUAL_SHARE: Final = 0.6
"""Of pages that had a field, from which on it is usual."""
MOST_CHANCE: Final = 0.01
"""Of houses that happen to lack a field one after the other; above it nothing is said.

Of ten fields that half the houses have, some would else be called gone each week.
"""

_ENOUGH = 50  # pages that tell what is usual; older ones are not looked at
_OFF_MARKET = "off market"
_WITH_GALLERY = frozenset(
    {ListingOutcome.LISTED, ListingOutcome.LISTED_EMPTY, ListingOutcome.OFF_MARKET}
)
_ENDED = frozenset({"Canceled", "Closed", "Expired", "Off Market", "Withdrawn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCount:
    """How many pages of one kind had a field on one day in Phoenix.

    `pages` were read, `had` of them had it; `lacking` is how many lacked it in a row,
    up to the last one of the day.
    """

    source: Source
    page_kind: str
    field: str
    seen_on: date
    pages: int
    had: int
    lacking: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A field that `had` of `before` pages had, and none of the `lacking` since.

    `since` is the day of the first page without it.
    """

    source: Source
    page_kind: str
    field: str
    since: date
    before: int
    had: int
    lacking: int


def fields_read(listing: Listing) -> dict[tuple[str, str], bool]:
    """Return by kind of page and field whether a page had what it could have.

    A page of a house that is not offered now says less than one of an offer, so they
    are counted apart, but for the status, which tells the one from the other. Nothing
    for an answer that is of no house, such as a block: it has no facts. Photos count
    where a gallery was read, and what is told of them where there are some.
    """
    if listing.facts is None:
        return {}
    status = "standard_status"
    ended = listing.facts.standard_status in _ENDED
    if ended or listing.outcome is ListingOutcome.OFF_MARKET:
        kind = ", ".join(filter(None, [listing.page_kind, _OFF_MARKET]))
    else:
        kind = listing.page_kind
    return {
        (listing.page_kind if field == status else kind, field): had
        for field, had in _fields(listing, listing.facts)
    }


def _fields(listing: Listing, facts: ListingFacts) -> Iterator[tuple[str, bool]]:
    yield from listing.also_read.items()  # first: its names must not hide others
    for name in FACT_NAMES:
        yield name, facts.value(name) is not None
    yield "listed_on", listing.listed_on is not None
    yield "listing_id", listing.listing_id is not None
    yield "mls_id", listing.mls_id is not None
    yield "stated_photos", listing.stated_photos is not None
    for name in ("full_cash_value", "limited_property_value"):
        yield name, any(name in year.stated for year in listing.valuations)
    if listing.outcome in _WITH_GALLERY:
        yield "photos", bool(listing.photos)
    if photos := listing.photos:
        yield "captions", any(photo.caption for photo in photos)
        yield "photo_sizes", any(photo.width and photo.height for photo in photos)
        yield "smaller_photos", any(photo.fallback_urls for photo in photos)
        yield "tags", any(photo.tags for photo in photos)


def drifts(counts: Iterable[FieldCount]) -> tuple[Drift, ...]:
    """Return the fields that most pages had and that none has any more.

    A field is gone if at least `FEWEST_SINCE` pages in a row lack it, the last one
    included, if before them at least `USUAL_SHARE` of at least `FEWEST_BEFORE` pages
    had it, and if houses that by chance lack it in such a row are rarer than
    `MOST_CHANCE`. So three pages tell where all had it, and six where three of five
    had.
    """
    of_field: dict[tuple[str, str, str], list[FieldCount]] = defaultdict(list)
    for count in counts:
        of_field[count.source.value, count.page_kind, count.field].append(count)
    found = (
        _drift(sorted(of_field[key], key=lambda it: it.seen_on, reverse=True))
        for key in sorted(of_field)
    )
    return tuple(drift for drift in found if drift and _is_sure(drift))


def _drift(newest_first: Sequence[FieldCount]) -> Drift | None:
    """Return how one field was there and went; None if its last page had it."""
    lacking = _lacking(newest_first)
    if not lacking:
        return None
    before = had = 0
    for pages, having in _before(newest_first, lacking=sum(n for _, n in lacking)):
        before, had = before + pages, had + having
        if before >= _ENOUGH:
            break
    newest = newest_first[0]
    return Drift(
        source=newest.source,
        page_kind=newest.page_kind,
        field=newest.field,
        since=lacking[-1][0],
        before=before,
        had=had,
        lacking=sum(pages for _, pages in lacking),
    )


def _lacking(newest_first: Sequence[FieldCount]) -> list[tuple[date, int]]:
    """Return the days of the last pages in a row without the field, newest first."""
    found = []
    for count in newest_first:
        if count.lacking:
            found.append((count.seen_on, count.lacking))
        if count.lacking < count.pages:
            break
    return found


def _before(
    newest_first: Iterable[FieldCount], *, lacking: int
) -> Iterator[tuple[int, int]]:
    """Yield by day the pages before those that lack the field, and how many had it."""
    for count in newest_first:
        since = min(lacking, count.lacking)
        lacking -= since
        if count.pages > since:
            yield count.pages - since, count.had


def _is_sure(drift: Drift) -> bool:
    if drift.lacking < FEWEST_SINCE or drift.before < FEWEST_BEFORE:
        return False
    # Laplace's rule: five of five pages do not prove that all will have it.
    share = (drift.had + 1) / (drift.before + 2)
    by_chance = (1 - share) ** drift.lacking
    return drift.had >= USUAL_SHARE * drift.before and by_chance <= MOST_CHANCE
