"""Naming a house's pictures anew, without a request and without encoding any.

A house whose names stay is not even held, so this may be done for all at any time.
"""

from dataclasses import dataclass

from phx_pipeline.stages.categorize import (
    CategorizeReport,
    categorize,
    standing_report,
)
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.folder_views import shown_files
from phx_pipeline.stages.publish import publish


@dataclass(frozen=True, slots=True, kw_only=True)
class Recategorized:
    """How the pictures of one house are named now, and how many files were renamed."""

    report: CategorizeReport
    renamed: int


def recategorize(context: StageContext, slug: str) -> Recategorized:
    """Ask the backends for what they have not said, name *slug* anew and publish it.

    The JSON views are left to the caller: they are of all houses.
    """
    standing = standing_report(context, slug)
    if standing and context.tally(slug).is_published:
        return Recategorized(report=standing, renamed=0)
    before = shown_files(context, slug)
    report = categorize(context, slug)
    publish(context, slug)
    return Recategorized(
        report=report, renamed=len(before - shown_files(context, slug))
    )
