import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.exports.run_history import render_run, run_history_name
from phx_pipeline.model.facts import ListingFacts, SeenFacts
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.run import Run, RunOutcome
from phx_pipeline.model.source import Source
from phx_pipeline_tests.runs import DAVIS, GARY, RECORD, RUN, RUNNING
from phx_pipeline_tests.shapes import kinds, read, shape_of

# Addresses are keys of `property_changes`; the facts of a listing are not ours to name.
MAPS = {"property_changes", "property_changes.*.listing_metadata!"}

# The shape of the predecessor's logs.
SHAPE = {
    "run_id": "str",
    "started_at": "str",
    "ended_at": "str",
    "mode": "str",
    "properties_requested": "int",
    "properties_processed": "int",
    "aggregate": "dict",
    "aggregate.total_urls_discovered": "int",
    "aggregate.total_new_images": "int",
    "aggregate.total_unchanged": "int",
    "aggregate.total_duplicates": "int",
    "aggregate.total_content_changed": "int",
    "aggregate.total_removed": "int",
    "aggregate.total_errors": "int",
    "aggregate.properties_with_changes": "int",
    "aggregate.properties_needing_review": "int",
    "property_changes": "dict",
    "property_changes.*": "dict",
    "property_changes.*.address": "str",
    "property_changes.*.property_hash": "str",
    "property_changes.*.urls_discovered": "int",
    "property_changes.*.new_images": "int",
    "property_changes.*.unchanged": "int",
    "property_changes.*.duplicates": "int",
    "property_changes.*.content_changed": "int",
    "property_changes.*.removed": "int",
    "property_changes.*.errors": "int",
    "property_changes.*.new_image_ids": "list",
    "property_changes.*.new_image_ids[]": "str",
    "property_changes.*.removed_urls": "list",
    "property_changes.*.removed_urls[]": "str",
    "property_changes.*.error_messages": "list",
    "property_changes.*.error_messages[]": "str",
    "property_changes.*.listing_metadata": "dict",
    "errors": "list",
    "duration_seconds": "float",
}

# What we have beyond it, and why.
ADDED = {
    "outcome": "a killed run must be seen as one",
    "job_id": "which job asked for the run",
    "property_changes.*.outcome": "one property may fail while another is complete",
    "property_changes.*.sources": "else nobody can tell which source blocked",
    "errors[]": "the predecessor never had one in a log that was kept",
}


# 20:38 in Phoenix is the next day in UTC.
FACTS = {
    (RECORD.slug, date(2025, 12, 4)): [
        SeenFacts(
            source=Source.REDFIN,
            seen_on=date(2025, 12, 4),
            facts=ListingFacts(
                bedrooms_total=4.0,
                bathrooms_total=2.5,
                living_area=2349,
                garage_spaces=0.0,  # a known nothing, as the fee
                pool_private=True,
                association_fee=0.0,
                sewer="city",
            ),
        ),
        SeenFacts(
            source=Source.ZILLOW,
            seen_on=date(2025, 12, 4),
            facts=ListingFacts(living_area=2350),
        ),
        SeenFacts(
            source=Source.MARICOPA,
            seen_on=date(2025, 12, 4),
            facts=ListingFacts(year_built=2002),
        ),
    ]
}


def rendered(run: Run) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render_run(run, facts=FACTS))
    return document


def test_the_shape_is_the_predecessors_and_what_is_listed_here() -> None:
    maps = {*MAPS, "property_changes.*.sources!"}

    shape = kinds(shape_of(rendered(RUN), maps=maps))

    assert {path: kind for path, kind in shape.items() if path not in ADDED} == SHAPE
    assert shape.keys() >= ADDED.keys()


def test_the_shape_is_that_of_the_real_files(shared_dir: Path) -> None:
    folder = shared_dir / "samples/predecessor/run_history"
    real = [read(path) for path in sorted(folder.glob("run_*.json"))]

    assert kinds(shape_of(*real, maps=MAPS)) == SHAPE
    assert list(real[0]) == list(rendered(RUN))[: len(real[0])]


def test_names_and_times_are_spelled_as_in_a_real_file(shared_dir: Path) -> None:
    folder = shared_dir / "samples/predecessor/run_history"
    path = folder / "run_20251204_203949_5c7118dd.json"
    real = read(path)

    ours = rendered(RUN)

    assert len(run_history_name(RUN)) == len(path.name)
    assert run_history_name(RUN).endswith(f"_{real['run_id']}.json")
    assert len(ours["started_at"]) == len(real["started_at"])
    assert ours["duration_seconds"] == real["duration_seconds"]


def test_the_counts_of_a_property_are_those_of_its_sources() -> None:
    changes = rendered(RUN)["property_changes"][DAVIS]

    assert {key: changes[key] for key in list(changes)[2:9]} == {
        "urls_discovered": 12,
        "new_images": 2,
        "unchanged": 5,
        "duplicates": 1,
        "content_changed": 1,
        "removed": 1,
        "errors": 2,
    }
    assert changes["sources"]["zillow"]["outcome"] == ListingOutcome.BLOCKED.value
    assert changes["sources"]["redfin"] == {
        "outcome": "listed",
        "detail": "12 photos",
        "seconds": 2.25,
        "discovered": 12,
        "new": 2,
        "unchanged": 5,
        "duplicate": 1,
        "content_changed": 1,
        "rejected": 1,
        "failed": 1,
        "pending": 1,
        "removed": 1,
    }


def test_facts_are_those_of_the_day_from_the_sources_the_run_asked() -> None:
    changes = rendered(RUN)["property_changes"]

    told = {
        k: v for k, v in changes[DAVIS]["listing_metadata"].items() if v is not None
    }
    assert told == {
        "beds": 4,
        "baths": 2.5,
        "sqft": 2350,
        "garage_spaces": 0,
        "pool": True,
        "sewer_type": "city",
        "hoa_fee": 0,
    }
    assert changes[GARY]["listing_metadata"] == {}


def test_facts_are_named_as_in_a_real_file(shared_dir: Path) -> None:
    folder = shared_dir / "samples/predecessor/run_history"
    real = read(folder / "run_20251204_203949_5c7118dd.json")
    (changes,) = real["property_changes"].values()

    ours = rendered(RUN)["property_changes"][DAVIS]["listing_metadata"]

    assert set(ours) < set(changes["listing_metadata"])
    assert json.dumps(ours["beds"]) == json.dumps(changes["listing_metadata"]["beds"])


def test_the_aggregate_adds_up_the_properties() -> None:
    twice = Run(run_id="run", records=(RECORD, replace(RECORD, address=GARY)))

    assert rendered(twice)["aggregate"] == {
        "total_urls_discovered": 24,
        "total_new_images": 4,
        "total_unchanged": 10,
        "total_duplicates": 2,
        "total_content_changed": 2,
        "total_removed": 2,
        "total_errors": 4,
        "properties_with_changes": 2,
        "properties_needing_review": 2,
    }


def test_a_property_that_failed_says_why() -> None:
    document = rendered(RUN)

    assert document["errors"] == [f"{GARY}: the disk is full"]
    assert document["property_changes"][GARY]["outcome"] == "failed"
    assert document["outcome"] == "partial"


def test_a_run_that_was_called_off_keeps_its_old_spelling() -> None:
    record = replace(RECORD, outcome=RunOutcome.CANCELLED)

    document = rendered(Run(run_id="run", records=(record,)))

    (changes,) = document["property_changes"].values()
    assert (document["outcome"], changes["outcome"]) == ("canceled", "canceled")


def test_a_run_without_an_end_has_no_counts() -> None:
    document = rendered(Run(run_id=RUNNING.run_id, records=(RUNNING,)))

    assert (document["ended_at"], document["duration_seconds"]) == (None, None)
    assert document["properties_processed"] == 0
    assert document["outcome"] == RunOutcome.RUNNING.value
    assert set(document["aggregate"].values()) == {0}


def test_the_name_of_a_run_does_not_change_when_it_ends() -> None:
    running = replace(RECORD, ended_at=None, outcome=RunOutcome.RUNNING)

    names = {
        run_history_name(Run(run_id=RECORD.run_id, records=(record,)))
        for record in (running, RECORD)
    }

    assert names == {"run_20251204_203829_5c7118dd.json"}


@pytest.mark.parametrize(
    ("run_id", "short"),
    [
        ("5c7118dd-75f8-4d5a-a3c2-24bd97b6d1f1", "5c7118dd"),
        ("cli-0123456789ab", "01234567"),
        ("test", "9f86d081"),
        ("../../escaped", "ea03bc47"),
    ],
)
def test_any_run_id_makes_a_short_safe_name(run_id: str, short: str) -> None:
    name = run_history_name(Run(run_id=run_id, records=(RECORD,)))

    assert name == f"run_20251204_203829_{short}.json"
