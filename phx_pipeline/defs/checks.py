"""Asset checks of `manifest`: what `phx verify` proves, shown per run."""

from typing import Any

import dagster as dg

from phx_pipeline.model.printable import printable
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.quarantine import CaseKind, case_table, cases
from phx_pipeline.stages.report import outcome_table
from phx_pipeline.stages.verify import (
    RULES_OF_HOUSES,
    Problem,
    Rule,
    verify_property,
)

_ASSET = "manifest"
_COMPLETE = "complete"
_RIGHT_HOUSE = "right_house"

CHECKS = [
    *(
        dg.AssetCheckSpec(rule.value, asset=_ASSET, description=rule.meaning)
        for rule in RULES_OF_HOUSES
    ),
    dg.AssetCheckSpec(
        _COMPLETE,
        asset=_ASSET,
        description="Every enabled source ended final and no photo is left to fetch.",
    ),
    dg.AssetCheckSpec(
        _RIGHT_HOUSE,
        asset=_ASSET,
        description="No photo is held as foreign, or is on another property too.",
    ),
]


def results(pipeline: StageContext, slug: str) -> list[dg.AssetCheckResult]:
    """Run all checks of one property."""
    problems = verify_property(pipeline, slug)
    return [
        *(_judge(rule, problems) for rule in RULES_OF_HOUSES),
        _completeness(pipeline, slug),
        _right_house(pipeline, slug),
    ]


def _judge(rule: Rule, problems: list[Problem]) -> dg.AssetCheckResult:
    broken = [printable(it.text) for it in problems if it.rule is rule]
    return dg.AssetCheckResult(
        check_name=rule.value,
        passed=not broken,
        metadata={"problems": len(broken), "first": "\n".join(broken[:10]) or "none"},
    )


def _completeness(pipeline: StageContext, slug: str) -> dg.AssetCheckResult:
    tally = pipeline.tally(slug)
    return dg.AssetCheckResult(
        check_name=_COMPLETE,
        passed=tally.is_complete,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"outcomes": dg.MetadataValue.md(outcome_table(tally))},
    )


def _right_house(pipeline: StageContext, slug: str) -> dg.AssetCheckResult:
    found = cases(pipeline, slug)
    held = sum(case.kind is CaseKind.HELD for case in found)
    metadata: dict[str, dg.MetadataValue[Any] | int] = {
        "held": held,
        "alike": len(found) - held,
    }
    if found:
        metadata["photos"] = dg.MetadataValue.md(case_table(pipeline, found))
    return dg.AssetCheckResult(
        check_name=_RIGHT_HOUSE,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
