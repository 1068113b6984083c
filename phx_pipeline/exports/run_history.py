"""`run_history/run_*.json`: one run in detail, what changed of each property."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, Final

from phx_pipeline.exports.times import (
    phoenix_digits,
    phoenix_time,
    phoenix_time_or_none,
)
from phx_pipeline.model.facts import FactValue, SeenFacts
from phx_pipeline.model.moments import phoenix_day
from phx_pipeline.model.run import (
    Change,
    Run,
    RunOutcome,
    RunRecord,
    RunResult,
    SourceResult,
)

_ID_LENGTH = 8
_PLAIN_ID = re.compile(r"[0-9A-Za-z]{8}(?:[0-9A-Za-z-]*)")

# The predecessor's names of the facts we have.
_FACTS: Final = {
    "beds": "bedrooms_total",
    "baths": "bathrooms_total",
    "sqft": "living_area",
    "lot_sqft": "lot_size_square_feet",
    "year_built": "year_built",
    "garage_spaces": "garage_spaces",
    "pool": "pool_private",
    "list_price": "list_price",
    "sewer_type": "sewer",
    "days_on_market": "days_on_market",
    "hoa_fee": "association_fee",
}

# What was said of properties, by key and day.
FactsOfDays = Mapping[tuple[str, date], Sequence[SeenFacts]]


def run_history_name(run: Run) -> str:
    """Return the file name of a run; it is known, and stays, from its start on."""
    return f"run_{phoenix_digits(run.started_at)}_{_short_id(run.run_id)}.json"


def render_run(run: Run, *, facts: FactsOfDays) -> str:
    """Return the document of a run; without an end it has no counts yet.

    Of *facts* it shows those of its day, of the sources it asked.
    """
    document = {
        "run_id": run.run_id,
        "started_at": phoenix_time(run.started_at),
        "ended_at": phoenix_time_or_none(run.ended_at),
        "mode": run.records[0].mode.value,
        "properties_requested": len(run.records),
        "properties_processed": sum(it.ended_at is not None for it in run.records),
        "aggregate": _aggregate(run),
        "property_changes": {
            it.address: _changes(it, facts=facts) for it in run.records
        },
        "errors": [f"{it.address}: {it.error}" for it in run.records if it.error],
        "duration_seconds": run.duration_s,
        "outcome": _word(run.outcome),
        "job_id": run.records[0].job_id,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _short_id(run_id: str) -> str:
    plain = run_id.removeprefix("cli-")
    if _PLAIN_ID.fullmatch(plain):
        return plain[:_ID_LENGTH]
    return sha256(run_id.encode()).hexdigest()[:_ID_LENGTH]


def _word(outcome: RunOutcome) -> str:
    """As these files have always spelled it."""
    return "canceled" if outcome is RunOutcome.CANCELLED else outcome.value


def _aggregate(run: Run) -> dict[str, int]:
    results = [record.result for record in run.records]

    def total(change: Change) -> int:
        return sum(result.count(change) for result in results)

    return {
        "total_urls_discovered": sum(result.discovered for result in results),
        "total_new_images": total(Change.NEW),
        "total_unchanged": total(Change.UNCHANGED),
        "total_duplicates": total(Change.DUPLICATE),
        "total_content_changed": total(Change.CONTENT_CHANGED),
        "total_removed": sum(result.removed for result in results),
        "total_errors": sum(len(result.error_messages) for result in results),
        "properties_with_changes": sum(map(_has_changes, results)),
        "properties_needing_review": sum(map(_needs_review, results)),
    }


def _has_changes(result: RunResult) -> bool:
    changed = result.count(Change.NEW) + result.count(Change.CONTENT_CHANGED)
    return bool(changed + result.removed)


def _needs_review(result: RunResult) -> bool:
    """As the predecessor's logs have it: new pictures, and something went wrong."""
    return bool(result.count(Change.NEW) and result.error_messages)


def _changes(record: RunRecord, *, facts: FactsOfDays) -> dict[str, Any]:
    result = record.result
    said = facts.get((record.slug, phoenix_day(record.started_at)), ())
    return {
        "address": record.address,
        "property_hash": record.folder,
        "urls_discovered": result.discovered,
        "new_images": result.count(Change.NEW),
        "unchanged": result.count(Change.UNCHANGED),
        "duplicates": result.count(Change.DUPLICATE),
        "content_changed": result.count(Change.CONTENT_CHANGED),
        "removed": result.removed,
        "errors": len(result.error_messages),
        "new_image_ids": list(result.new_image_ids),
        "removed_urls": list(result.removed_urls),
        "error_messages": list(result.error_messages),
        "listing_metadata": _metadata(result, said),
        "outcome": _word(record.outcome),
        "sources": {it.source.value: _source(it) for it in result.sources},
    }


def _metadata(result: RunResult, said: Sequence[SeenFacts]) -> dict[str, Any]:
    """The facts by the predecessor's names; of sources that differ the first counts."""
    by_source = {seen.source: seen.facts for seen in said}
    asked = [by_source[it.source] for it in result.sources if it.source in by_source]
    if not asked:
        return {}
    return {
        key: next(
            (_plain(v) for it in asked if (v := it.value(name)) is not None), None
        )
        for key, name in _FACTS.items()
    }


def _plain(value: FactValue) -> FactValue:
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole else value


def _source(result: SourceResult) -> dict[str, Any]:
    return {
        "outcome": result.outcome.value if result.outcome else None,
        "detail": result.detail,
        "seconds": result.seconds,
        "discovered": result.discovered,
        **{change.value: result.count(change) for change in Change},
        "removed": result.removed,
    }
