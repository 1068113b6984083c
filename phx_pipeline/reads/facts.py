"""What is known of a house: what its sources say, and where they disagree."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.conflicts import Conflict, conflicts
from phx_pipeline.model.fact_words import LABELS, shown_value
from phx_pipeline.model.facts import (
    LastSaid,
    PriceSeen,
    last_said,
    price_changes,
)
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source, in_order
from phx_pipeline.model.tally import SourceTally
from phx_pipeline.model.valuation import Valuation
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.tallies import tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseSheet:
    """All a person may want to know of one house.

    All is told of the sources that are asked, and of those that ever said anything, in
    the order of display; also of one that gave facts and no listing. `subjects` counts
    the kept pictures by what they show.
    """

    house: Property
    sources: tuple[SourceTally, ...]
    urls: Mapping[Source, str]
    facts: Mapping[Source, LastSaid]
    valuations: Mapping[Source, Sequence[Valuation]]
    conflicts: tuple[Conflict, ...]
    prices: tuple[PriceSeen, ...]
    subjects: Mapping[str, int]


def house_sheet(reads: Reads, house: Property) -> HouseSheet:
    """Collect what the catalogue knows of *house*."""
    book = reads.catalog.facts
    history = book.history(house.slug)
    said = last_said(history)
    values = book.valuations(house.slug)
    shown = reads.catalog.categories(house.slug).values()
    subjects = Counter(category.subject.value for category in shown)
    known = in_order([*reads.enabled, *said, *values])
    (tally,) = tallies(reads, known, slugs=[house.slug])
    return HouseSheet(
        house=house,
        sources=tally.sources,
        urls=book.listing_urls(house.slug),
        facts={source: said[source] for source in in_order(said)},
        valuations={source: values[source] for source in in_order(values)},
        conflicts=conflicts(it.seen for it in said.values()),
        prices=price_changes(history),
        subjects=dict(sorted(subjects.items())),
    )


def conflicts_by_property(
    catalog: Catalog, slugs: Collection[str] | None = None
) -> dict[str, tuple[Conflict, ...]]:
    """The properties whose sources disagree, by slug, and in what."""
    answers = catalog.facts.differing(slugs)
    found = ((slug, conflicts(answers[slug])) for slug in sorted(answers))
    return {slug: differing for slug, differing in found if differing}


def conflict_lines(found: Mapping[str, Sequence[Conflict]]) -> Iterator[str]:
    """One line for people per property of `conflicts_by_property`."""
    for slug, differing in found.items():
        told = "; ".join(map(_told, differing))
        yield f"conflict: {slug}: {told}"


def _told(conflict: Conflict) -> str:
    who: dict[str, list[str]] = {}
    for source, value in conflict.values:
        who.setdefault(shown_value(conflict.name, value), []).append(source.value)
    values = (f"{value} ({', '.join(sources)})" for value, sources in who.items())
    return f"{LABELS[conflict.name]} {' / '.join(values)}"
