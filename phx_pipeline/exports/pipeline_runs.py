"""`pipeline_runs.json` 1.0.0: the newest runs in one list, the oldest first."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5
from typing import Any

from phx_pipeline.exports.times import phoenix_time, phoenix_time_or_none
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.run import Change, Run, RunOutcome, RunRecord

VERSION = "1.0.0"

_FAILED = frozenset({RunOutcome.NOTHING, RunOutcome.FAILED, RunOutcome.CANCELLED})
_REFUSED = frozenset(
    {
        ListingOutcome.BLOCKED,
        ListingOutcome.RATE_LIMITED,
        ListingOutcome.CIRCUIT_OPEN,
    }
)
_PHASES = {
    RunOutcome.COMPLETE: "all_complete",
    RunOutcome.PARTIAL: "partial",
    RunOutcome.RUNNING: "running",
    RunOutcome.INTERRUPTED: "interrupted",
}


@dataclass(slots=True)
class PipelineRuns:
    """The list as it grows, run by run, which are not held.

    A run is told by less than a hundredth of what is known of it.
    """

    texts: list[str] = field(default_factory=list)
    last_run: str | None = None
    newest: datetime | None = None

    def add(self, run: Run) -> None:
        """Put *run*, which began last, at the end."""
        text = json.dumps(_run(run), indent=2, ensure_ascii=False)
        self.texts.append(text.replace("\n", "\n    "))
        self.last_run = run.run_id
        at = run.ended_at or run.started_at
        self.newest = max(self.newest or at, at)

    def parts(self) -> Iterator[str]:
        """Yield the text of the file."""
        yield '{\n  "runs": ['
        for number, text in enumerate(self.texts):
            yield f"{',' if number else ''}\n    {text}"
        yield "\n  ]," if self.texts else "],"
        last = json.dumps(self.last_run, ensure_ascii=False)
        updated = json.dumps(phoenix_time_or_none(self.newest))
        yield f'\n  "version": "{VERSION}",\n  "last_run": {last},\n'
        yield f'  "last_updated": {updated}\n}}\n'


def _run(run: Run) -> dict[str, Any]:
    done = [it for it in run.records if it.outcome is RunOutcome.COMPLETE]
    failed = [it for it in run.records if it.outcome in _FAILED]
    answers = [source for it in run.records for source in it.result.sources]
    blocked = {it.source.value for it in answers if it.outcome in _REFUSED}
    used = {it.source.value for it in answers if it.outcome is not None}
    return {
        "run_id": run.run_id,
        "mode": run.records[0].mode.value,
        "started_at": phoenix_time(run.started_at),
        "completed_at": phoenix_time_or_none(run.ended_at),
        "properties_requested": len(run.records),
        "properties_completed": len(done),
        "properties_failed": len(failed),
        "images_extracted": sum(it.result.count(Change.NEW) for it in run.records),
        "sources_used": sorted(used - blocked),
        "sources_blocked": sorted(blocked),
        "phase_results": {"phase2_images": _PHASES.get(run.outcome, "failed")},
        "properties": [_property(record) for record in run.records],
        "notes": "; ".join(it.error for it in run.records if it.error),
    }


def _property(record: RunRecord) -> dict[str, Any]:
    # The predecessor's second id of the same house; nothing is protected by it.
    digest = md5(record.address.lower().encode(), usedforsecurity=False)
    return {
        "address": record.address,
        "hash": digest.hexdigest()[:8],
        "folder": record.folder,
        "score": None,
        "tier": None,
    }
