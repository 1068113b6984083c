"""Each document is what its schema says, and none has a key its schema does not know.

What the commands print with `--json` is checked here; so is what they do not load.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from phx_pipeline.model.conflicts import Conflict
from phx_pipeline.model.drift import Drift
from phx_pipeline.model.facts import LastSaid, ListingFacts, PriceSeen, SeenFacts
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import (
    Job,
    JobCounts,
    JobProperty,
    JobState,
    Mode,
    Priority,
)
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import Valuation
from phx_pipeline.reads.changes import read_changes
from phx_pipeline.reads.documents import (
    change_document,
    house_document,
    job_document,
    status_documents,
)
from phx_pipeline.reads.facts import house_sheet
from phx_pipeline.reads.schemas import NAMES, schema_of
from phx_pipeline.reads.status import read_status
from phx_pipeline.settings import Settings, exported
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring.runs import reads_of
from phx_pipeline_tests.commands import Phx, UseSettings

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = date(2026, 3, 1)
PRINTED = {
    "status": ("status", "--json"),
    "house": ("properties", "show", "SLUG", "--json"),
    "property": ("properties", "list", "--json"),
    "picture": ("images", "--json"),
    "not_kept": ("images", "SLUG", "--not-kept", "--json"),
    "source": ("sources", "--json"),
    "digest": ("digest", "--json"),
}


def plain(document: object) -> Any:
    """What a program reads of a document that was printed."""
    return json.loads(json.dumps(document))


def complaints(name: str, document: object) -> list[str]:
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator(schema_of(name), format_checker=checker)
    found = validator.iter_errors(plain(document))
    return [f"{it.json_path}: {it.message}" for it in found]


def objects(schema: object) -> Iterator[dict[str, Any]]:
    """Every part of a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)


def a_job() -> Job:
    """A job with a property in each state."""
    items = [
        JobProperty(
            slug=f"{number}-w-elm-st-glendale-az-85306",
            address=f"{number} W Elm St, Glendale, AZ 85306",
            folder="00000000",
            state=state,
            error="no source gave anything" if state is JobState.FAILED else "",
            run_id="run" if state.is_final else None,
            counts=JobCounts(total=9, new=4, duplicate=5),
            started_at=AT if state.is_final else None,
            ended_at=AT + timedelta(seconds=40) if state.is_final else None,
            took_s=40 if state.is_final else None,
        )
        for number, state in enumerate(JobState, start=1)
    ]
    return Job(
        job_id="4f0c",
        user="ann",
        priority=Priority.HIGH,
        mode=Mode.FRESH,
        sources=(Source.REDFIN,),
        isolation=IsolationMode.VIRTUAL,
        created_at=AT,
        items=tuple(items),
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_knows_all_keys_of_its_objects(name: str) -> None:
    schema = schema_of(name)

    Draft202012Validator.check_schema(schema)
    found = list(objects(schema))
    assert found
    for each in found:
        # Where keys are names of sources or facts, it is told what they look like.
        is_closed = each["additionalProperties"] is False and each["properties"]
        assert is_closed or each["propertyNames"], each


@pytest.mark.parametrize("name", PRINTED)
def test_commands_print_what_the_schema_says(
    name: str,
    collected: StageContext,
    healthy: Settings,
    phx: Phx,
    use_settings: UseSettings,
) -> None:
    use_settings(replace(healthy, data_dir=collected.layout.catalogue.parent))
    (slug,) = collected.catalog.slugs()
    told = phx(*(slug if it == "SLUG" else it for it in PRINTED[name])).json
    documents = told if isinstance(told, list) else [told]

    assert documents
    for document in documents:
        assert complaints(name, document) == []
        assert complaints(name, document | {"new": 1}) == [
            "$: Additional properties are not allowed ('new' was unexpected)"
        ]


def test_what_a_sound_house_lacks_is_described_too(collected: StageContext) -> None:
    reads = reads_of(collected)
    found = read_status(reads)
    (tally,) = found.tallies
    drift = Drift(
        source=tally.sources[0].source,
        page_kind="active",
        field="year_built",
        since=DAY,
        before=9,
        had=8,
        lacking=4,
    )
    values = ((Source.REDFIN, 3.0), (Source.ZILLOW, 4.0))
    conflicts = (Conflict(name="bedrooms_total", values=values),)
    said = ListingFacts(list_price=434_900, pool_private=True, sewer="septic")
    seen = SeenFacts(source=Source.REDFIN, seen_on=DAY, facts=said)
    sheet = replace(
        house_sheet(reads, collected.house(tally.slug)),
        facts={Source.REDFIN: LastSaid(seen=seen, days={"sewer": DAY})},
        valuations={
            Source.MARICOPA: [Valuation(tax_year=2026, full_cash_value=400_000)]
        },
        conflicts=conflicts,
        prices=(PriceSeen(source=Source.REDFIN, seen_on=DAY, list_price=434_900),),
    )
    told = replace(found, drift=(drift,), conflicts={tally.slug: conflicts})

    (status,) = plain(list(status_documents(told)))
    assert complaints("status", status) == []
    assert complaints("house", house_document(sheet)) == []
    assert [it["field"] for it in status["sources"][drift.source.value]["drift"]] == [
        "year_built"
    ]
    assert status["conflicts"] == [
        {"fact": "bedrooms_total", "values": {"redfin": 3.0, "zillow": 4.0}}
    ]


def test_changes_are_told_of_photos_and_of_sources(collected: StageContext) -> None:
    found = [change_document(it) for it in read_changes(reads_of(collected)).rows]

    assert [complaints("change", document) for document in found] == [[]] * len(found)
    told = {(it["what"], it["after"], it["photo_key"] is None) for it in found}
    assert ("outcome", "listed", True) in told
    assert ("verdict", Verdict.KEPT.value, False) in told


def test_a_job_is_told_with_what_its_properties_came_to() -> None:
    job = a_job()
    whole = plain(job_document(job, slots=2))
    in_list = plain(job_document(job, slots=2, items=False))

    assert complaints("job", whole) == complaints("job", in_list) == []
    assert whole == in_list | {"items": whole["items"]}
    (failed,) = whole["failed_properties_list"]
    assert whole["error_message"] == f"{failed}: no source gave anything"
    assert whole["created_at"] == "2026-03-01T12:00:00+00:00"
    assert whole["remaining_s"] == 80.0  # four are left, two at once, 40 s each
    counts = [whole[f"{state.value}_properties"] for state in JobState]
    assert counts == [1] * len(JobState)


def test_a_job_that_waits_has_no_times_yet() -> None:
    waiting = tuple(it for it in a_job().items if it.state is JobState.PENDING)
    job = replace(a_job(), items=waiting, sources=(), isolation=None)
    told = plain(job_document(job, slots=2))

    assert complaints("job", told) == []
    assert (told["status"], told["progress_percent"]) == ("pending", 0)
    assert told["started_at"] is told["completed_at"] is told["remaining_s"] is None


def test_a_key_more_is_refused_at_any_depth() -> None:
    document = plain(job_document(a_job(), slots=1))
    spoilt = deepcopy(document)
    spoilt["items"][0]["secret"] = 1

    (told,) = complaints("job", spoilt)
    assert told.startswith("$.items[0]: ")
    assert "secret" in told


def test_commands_that_only_show_load_no_machinery(
    collected: StageContext, healthy: Settings
) -> None:
    """What makes a run is heavy, and Dagster takes seconds."""
    heavy = (
        *("dagster", "cv2", "onnxruntime", "nodriver", "starlette", "pandas"),
        *("phx_pipeline.dedup", "phx_pipeline.exports", "phx_pipeline.stages.collect"),
    )
    script = (
        "import sys\nfrom click.testing import CliRunner\n"
        "from phx_pipeline.cli.main import phx\n"
        "for words in sys.argv[1:]:\n"
        "    done = CliRunner().invoke(phx, words.split())\n"
        "    assert done.exit_code == 0, done.output\n"
        f"print([it for it in {heavy} if it in sys.modules])\n"
    )
    settings = replace(healthy, data_dir=collected.layout.catalogue.parent)
    (slug,) = collected.catalog.slugs()
    shows = ("status", "images", "sources", "stats", "properties list")
    words = [*shows, "status --json", f"properties show {slug}"]

    done = subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, "-c", script, *words],
        env=exported(settings),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "[]\n", done.stderr
