"""Asset checks, one record per house: what is proved and what a person should see.

What `phx verify` proves, whether a source answered at all, and what is unusual.
"""

import warnings
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import dagster as dg

from phx_pipeline.defs.check_results import CheckResult
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.results import outcome_table
from phx_pipeline.model.look import Terms, is_fresh
from phx_pipeline.model.printable import printable
from phx_pipeline.model.run import Change, RunResult
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.reads.drift import drift_lines, drifting
from phx_pipeline.reads.quarantine import CaseKind, cases
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.report import inert, outcome_sentence
from phx_pipeline.workflows.look import every_days
from phx_pipeline.workflows.quarantine import case_table
from phx_pipeline.workflows.verify import (
    RULES_OF_HOUSES,
    Problem,
    Rule,
    verify_property,
)

MANY_NEW: Final = 100
"""New pictures of one run that are still usual; the largest galleries have fewer."""
MOST_DUPLICATES: Final = Fraction(2, 3)
"""What three sources with the same gallery come to; more is within one source."""
FEWEST_TO_JUDGE: Final = 12
"""New photos below which their share of duplicates tells nothing."""

_MOST_SHOWN = 10  # problems of one check
_LONGEST_TOLD = 2000
_REACHED = "reached"
_FIELDS = "fields"
FRESH: Final = "fresh"
_COMPLETE = "complete"
_RIGHT_HOUSE = "right_house"
_LARGE_BATCH = "large_batch"
_MANY_DUPLICATES = "many_duplicates"


def _per_house(name: str, *, asset: str, description: str) -> dg.AssetCheckSpec:
    """Return a check with a record for each partition.

    Without partitions one house that passes would turn the check of all others green.
    Dagster 1.13 calls this a preview and warns each time; it does what we need, and the
    tests of two houses would tell if it ceased to.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name, asset=asset, description=description, partitions_def=PROPERTIES
        )


DISCOVERED_CHECKS = [
    _per_house(
        _REACHED,
        asset="discovered_urls",
        description="At least one source gave a final answer about the house.",
    ),
    _per_house(
        _FIELDS,
        asset="discovered_urls",
        description=(
            "No field that most pages of the house's sources had is gone from them."
        ),
    ),
    _per_house(
        FRESH,
        asset="discovered_urls",
        description="Each source gave a settled answer, and none is overdue.",
    ),
]

MANIFEST_CHECKS = [
    *(
        _per_house(rule.value, asset="manifest", description=rule.meaning)
        for rule in RULES_OF_HOUSES
    ),
    _per_house(
        _COMPLETE,
        asset="manifest",
        description="Every enabled source ended final and no photo is left to fetch.",
    ),
    _per_house(
        _RIGHT_HOUSE,
        asset="manifest",
        description="No photo is held as foreign, or is on another property too.",
    ),
    _per_house(
        _LARGE_BATCH,
        asset="manifest",
        description=f"The run found at most {MANY_NEW} new pictures.",
    ),
    _per_house(
        _MANY_DUPLICATES,
        asset="manifest",
        description=(
            f"Of {FEWEST_TO_JUDGE} or more new photos of the run at most "
            f"{MOST_DUPLICATES} show a picture that another one shows."
        ),
    ),
]


def discovered(pipeline: StageContext, slug: str) -> list[dg.AssetCheckResult]:
    """Run all checks of a property whose sources were asked."""
    tally = pipeline.tally(slug)
    return [reached(tally), fields(pipeline, tally), fresh(pipeline, tally)]


def reached(tally: PropertyTally) -> dg.AssetCheckResult:
    """Tell whether any source answered for a house, and what each of them said."""
    return CheckResult(
        check_name=_REACHED,
        passed=tally.is_answered,
        description=outcome_sentence(tally),
        metadata={"outcomes": outcome_table(tally)},
    )


def fields(pipeline: StageContext, tally: PropertyTally) -> dg.AssetCheckResult:
    """Warn of fields that the sources of a house have no more, whatever house it is."""
    told = {it.source for it in tally.sources if it.outcome is not None}
    gone = drifting(pipeline.catalog, told, today=pipeline.stamp().today)
    lines = list(drift_lines(gone))
    return CheckResult(
        check_name=_FIELDS,
        passed=not lines,
        severity=dg.AssetCheckSeverity.WARN,
        description=printable(" ".join(lines), most=_LONGEST_TOLD) or None,
        metadata={"sources": len(lines)},
    )


def fresh(pipeline: StageContext, tally: PropertyTally) -> dg.AssetCheckResult:
    """Warn of a house whose sources gave no settled answer since the last look."""
    seen = pipeline.catalog.looks.seen([tally.slug])
    terms = Terms(day=pipeline.stamp().today, every_days=every_days(pipeline))
    passed = all(is_fresh(house.answers, terms) for house in seen)
    pipeline.catalog.looks.note_fresh([tally.slug], fresh=passed)
    return CheckResult(
        check_name=FRESH,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=outcome_sentence(tally),
    )


def results(pipeline: StageContext, slug: str) -> list[dg.AssetCheckResult]:
    """Run all checks of a published property."""
    problems = verify_property(pipeline, slug)
    record = pipeline.catalog.runs.record(pipeline.run_id, slug)
    changed = record.result if record else RunResult()
    return [
        *(_judge(rule, problems, slug=slug) for rule in RULES_OF_HOUSES),
        _completeness(pipeline.tally(slug)),
        _right_house(pipeline, slug),
        large_batch(changed),
        many_duplicates(changed),
    ]


def large_batch(changed: RunResult) -> dg.AssetCheckResult:
    """Warn of a run that found unusually many pictures, whoever began it."""
    new = changed.count(Change.NEW)
    return CheckResult(
        check_name=_LARGE_BATCH,
        passed=new <= MANY_NEW,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"new_pictures": new, "usual_up_to": MANY_NEW},
    )


def many_duplicates(changed: RunResult) -> dg.AssetCheckResult:
    """Warn of a run whose new photos are nearly all copies of one another."""
    duplicates = changed.count(Change.DUPLICATE)
    judged = duplicates + changed.count(Change.NEW)
    share = Fraction(duplicates, judged or 1)
    return CheckResult(
        check_name=_MANY_DUPLICATES,
        passed=judged < FEWEST_TO_JUDGE or share <= MOST_DUPLICATES,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "duplicates": duplicates,
            "new_photos": judged,
            "share": round(float(share), 2),
        },
    )


def _judge(rule: Rule, problems: list[Problem], *, slug: str) -> dg.AssetCheckResult:
    broken = [printable(it.text) for it in problems if it.rule is rule]
    metadata: dict[str, dg.MetadataValue[Any] | int] = {"problems": len(broken)}
    if broken:
        shown = [dg.TableRecord({"problem": inert(it)}) for it in broken[:_MOST_SHOWN]]
        metadata["first"] = dg.MetadataValue.table(shown)
    return CheckResult(
        check_name=rule.value,
        passed=not broken,
        description=_remedy(slug, broken) if broken else None,
        metadata=metadata,
    )


def _remedy(slug: str, broken: Sequence[str]) -> str:
    rest = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    return f"{broken[0]}{rest}: `phx repair {slug}` makes it right"


def _completeness(tally: PropertyTally) -> dg.AssetCheckResult:
    return CheckResult(
        check_name=_COMPLETE,
        passed=tally.is_complete,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"outcomes": outcome_table(tally)},
    )


def _right_house(pipeline: StageContext, slug: str) -> dg.AssetCheckResult:
    found = cases(pipeline.catalog, slug)
    held = sum(case.kind is CaseKind.HELD for case in found)
    metadata: dict[str, dg.MetadataValue[Any] | int] = {
        "held": held,
        "alike": len(found) - held,
    }
    if found:
        metadata["photos"] = dg.MetadataValue.md(case_table(pipeline, found))
    return CheckResult(
        check_name=_RIGHT_HOUSE,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
