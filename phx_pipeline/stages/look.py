"""One look at one house: its sources are asked for their pages, and no photo is.

Whether a run of its own is to follow is decided in
`model.look`, who is looked at and when in `workflows.look`.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from phx_pipeline.model.facts import FactValue
from phx_pipeline.model.look import HouseLook
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover

Facts: TypeAlias = Mapping[Source, Mapping[str, FactValue]]

_COUNTS_UP = "days_on_market"  # on its own: it tells of no change
_OF_THE_DAY = ("list_price", "standard_status")  # not said any more: over


async def look_at(
    context: StageContext, slug: str, sources: Sequence[Source]
) -> HouseLook:
    """Ask *sources* of a house, and tell what changed and what is open.

    If nothing changed, what is published counts as up to date, as it did before.
    """
    looks = context.catalog.looks
    epoch = looks.shown_epoch(slug)
    said, facts = looks.said(slug), _facts(context, slug)
    if sources:
        await discover(context, slug, sources=sources, at_once=True)
    changed = looks.said(slug).differs_from(said) or differ(
        facts, _facts(context, slug)
    )
    if epoch is not None and not changed:
        looks.still_shown(slug, epoch=epoch)
    return _seen(context, slug, changed=changed)


def differ(before: Facts, after: Facts) -> bool:
    """Whether sources say anything else of a house than on the last day before.

    A page may leave out what one before said, as a search row does; that is no change,
    but for price and status, which are of the day.
    """
    for source, facts in after.items():
        known = before.get(source, {})
        if any(known.get(name) != said for name, said in facts.items()):
            return True
        if any(name in known and name not in facts for name in _OF_THE_DAY):
            return True
    return False


def _seen(context: StageContext, slug: str, *, changed: bool) -> HouseLook:
    off = context.catalog.policies.switched_off()
    tally = context.tally(slug)
    asked = [
        it
        for it in tally.sources
        if it.source in context.sources and it.source not in off
    ]
    return HouseLook(
        changed=changed,
        outcomes={it.source: it.outcome for it in asked if it.outcome is not None},
        wanting=sum(it.wanting for it in tally.sources if it.source not in off),
        is_shown=tally.is_published,
    )


def _facts(context: StageContext, slug: str) -> Facts:
    found = context.catalog.facts.of_last_day(slug)
    return {
        source: {
            name: said for name, said in seen.facts.stated.items() if name != _COUNTS_UP
        }
        for source, seen in found.items()
    }
