import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.exports.extraction_state import render_extraction_state
from phx_pipeline.model.run import RunOutcome, RunRecord
from phx_pipeline_tests.runs import DAVIS, ENDED, GARY, RECORD, STARTED
from phx_pipeline_tests.shapes import kinds, read, shape_of

MAPS = {"property_last_checked"}

# The shape of the predecessor's files; in none of them had a property failed.
SHAPE = {
    "completed_properties": "list",
    "completed_properties[]": "str",
    "failed_properties": "list",
    "property_last_checked": "dict",
    "property_last_checked.*": "str",
    "last_updated": "str",
}

COMPLETE = replace(RECORD, outcome=RunOutcome.COMPLETE)


def rendered(*records: RunRecord, **checked: Any) -> dict[str, Any]:
    text = render_extraction_state(records, **checked)
    document: dict[str, Any] = json.loads(text)
    return document


def test_the_shape_is_the_predecessors() -> None:
    document = rendered(COMPLETE, last_checked={DAVIS: STARTED})

    assert kinds(shape_of(document, maps=MAPS)) == SHAPE


def test_the_shape_is_that_of_the_real_files(shared_dir: Path) -> None:
    folder = shared_dir / "samples/predecessor"
    real = [read(path) for path in sorted(folder.glob("extraction_state_*.json"))]

    assert kinds(shape_of(*real, maps=MAPS)) == SHAPE
    assert list(real[0]) == list(rendered(COMPLETE, last_checked={}))


@pytest.mark.parametrize(
    ("outcome", "where"),
    [
        (RunOutcome.COMPLETE, "completed_properties"),
        (RunOutcome.NOTHING, "failed_properties"),
        (RunOutcome.FAILED, "failed_properties"),
        (RunOutcome.PARTIAL, None),
    ],
)
def test_a_property_stands_where_its_last_run_ended(
    outcome: RunOutcome, where: str | None
) -> None:
    document = rendered(replace(RECORD, outcome=outcome), last_checked={})

    lists = ("completed_properties", "failed_properties")
    assert {name: document[name] for name in lists} == {
        name: [DAVIS] if name == where else [] for name in lists
    }


def test_properties_are_sorted_by_address() -> None:
    other = replace(COMPLETE, address=GARY)
    checked = {DAVIS: STARTED, GARY: ENDED}

    document = rendered(COMPLETE, other, last_checked=checked)

    assert document["completed_properties"] == [GARY, DAVIS]
    assert list(document["property_last_checked"]) == [GARY, DAVIS]


def test_the_newest_time_is_the_update_time() -> None:
    later = ENDED + timedelta(hours=1)

    by_check = rendered(COMPLETE, last_checked={DAVIS: later})
    by_run = rendered(COMPLETE, last_checked={DAVIS: STARTED})

    assert by_check["last_updated"] == "2025-12-04T21:39:49.471672-07:00"
    assert by_run["last_updated"] == "2025-12-04T20:39:49.471672-07:00"


def test_before_anything_was_asked_all_is_empty() -> None:
    assert rendered(last_checked={}) == {
        "completed_properties": [],
        "failed_properties": [],
        "property_last_checked": {},
        "last_updated": None,
    }
