"""What the pages of the sources lack of late, for people and for programs."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.counted import counted
from phx_pipeline.model.drift import WINDOW_DAYS, Drift, drifts
from phx_pipeline.model.fact_words import LABELS
from phx_pipeline.model.source import Source

_MOST_TOLD = 5  # fields of one source
_FIELDS = {
    **LABELS,
    "full_cash_value": "full cash value",
    "limited_property_value": "limited property value",
    "listed_on": "listing date",
    "listing_id": "listing id",
    "mls_id": "MLS id",
    "photo_sizes": "photo sizes",
    "smaller_photos": "smaller photos",
    "stated_photos": "stated photo count",
}


def drifting(
    catalog: Catalog, sources: Collection[Source] | None = None, *, today: date
) -> tuple[Drift, ...]:
    """Return the fields gone from the pages of *sources*, all by default."""
    first = today - timedelta(days=WINDOW_DAYS)
    return drifts(catalog.fields.lacking(first=first, sources=sources))


def drift_lines(found: Sequence[Drift]) -> Iterator[str]:
    """One line for people per source: what is gone, since when, and what to do."""
    for source in dict.fromkeys(drift.source for drift in found):
        gone = [_told(drift) for drift in found if drift.source is source]
        more = len(gone) - _MOST_TOLD
        rest = f"; and {counted(more, 'more field')}" if more > 0 else ""
        yield (
            f"drift: {source.value}: {'; '.join(gone[:_MOST_TOLD])}{rest}: "
            f"`phx sources check {source.value}` tells what its pages hold"
        )


def _told(drift: Drift) -> str:
    """A field that is gone, in words."""
    name = _FIELDS.get(drift.field, drift.field.replace("_", " "))
    kind = f" ({drift.page_kind})" if drift.page_kind else ""
    return (
        f"{name}{kind} is gone since {drift.since}, {drift.had} of "
        f"{counted(drift.before, 'page')} had it, none of the {drift.lacking} since"
    )
