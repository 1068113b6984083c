import json
from pathlib import Path
from typing import Any

from phx_pipeline.exports.pipeline_runs import PipelineRuns
from phx_pipeline.model.run import Run
from phx_pipeline_tests.runs import DAVIS, RECORD, RUN, RUNNING
from phx_pipeline_tests.shapes import kinds, read, shape_of

MAPS = {"runs[].phase_results"}

# The shape of the predecessor's file.
SHAPE = {
    "runs": "list",
    "runs[]": "dict",
    "runs[].run_id": "str",
    "runs[].mode": "str",
    "runs[].started_at": "str",
    "runs[].completed_at": "str",
    "runs[].properties_requested": "int",
    "runs[].properties_completed": "int",
    "runs[].properties_failed": "int",
    "runs[].images_extracted": "int",
    "runs[].sources_used": "list",
    "runs[].sources_used[]": "str",
    "runs[].sources_blocked": "list",
    "runs[].sources_blocked[]": "str",
    "runs[].phase_results": "dict",
    "runs[].phase_results.*": "str",
    "runs[].properties": "list",
    "runs[].properties[]": "dict",
    "runs[].properties[].address": "str",
    "runs[].properties[].hash": "str",
    "runs[].properties[].folder": "str",
    "runs[].properties[].score": "int",
    "runs[].properties[].tier": "str",
    "runs[].properties[].notes": "str",
    "runs[].notes": "str",
    "version": "str",
    "last_run": "str",
    "last_updated": "str",
}

# Where ours differs, and why.
LEFT_OUT = {"runs[].properties[].notes": "what a person wrote about a house"}
EMPTY = {
    "runs[].properties[].score": "houses are judged elsewhere",
    "runs[].properties[].tier": "houses are judged elsewhere",
}


def text_of(*runs: Run) -> str:
    listed = PipelineRuns()
    for run in runs:
        listed.add(run)
    return "".join(listed.parts())


def rendered(*runs: Run) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text_of(*runs))
    return document


def test_the_shape_is_the_predecessors_but_for_what_is_listed_here() -> None:
    shape = kinds(shape_of(rendered(RUN), maps=MAPS))

    wanted = {path: kind for path, kind in SHAPE.items() if path not in LEFT_OUT}
    assert shape == wanted | dict.fromkeys(EMPTY, "NoneType")


def test_the_shape_is_that_of_the_real_file(shared_dir: Path) -> None:
    real = read(shared_dir / "samples/predecessor/pipeline_runs_f25bcaa3.json")

    assert kinds(shape_of(real, maps=MAPS)) == SHAPE
    assert real["version"] == rendered(RUN)["version"]
    assert list(real["runs"][0]) == list(rendered(RUN)["runs"][0])


def test_both_ids_of_a_house_are_those_the_predecessor_had(shared_dir: Path) -> None:
    real = read(shared_dir / "samples/predecessor/pipeline_runs_f25bcaa3.json")
    by_address = {house["address"]: house for house in real["runs"][0]["properties"]}

    ours = rendered(RUN)["runs"][0]["properties"][0]

    assert ours["address"] == DAVIS
    assert ours["hash"] == by_address[DAVIS]["hash"]
    assert ours["folder"] == by_address[DAVIS]["folder"]


def test_a_run_tells_how_many_properties_and_which_sources() -> None:
    (run,) = rendered(RUN)["runs"]

    told = {key: run[key] for key in list(run)[4:11]}
    assert told == {
        "properties_requested": 2,
        "properties_completed": 0,
        "properties_failed": 1,
        "images_extracted": 2,
        "sources_used": ["redfin"],
        "sources_blocked": ["zillow"],
        "phase_results": {"phase2_images": "partial"},
    }
    assert run["notes"] == "the disk is full"


def test_a_run_that_still_works_has_no_end() -> None:
    document = rendered(RUN, Run(run_id=RUNNING.run_id, records=(RUNNING,)))

    assert document["runs"][-1]["completed_at"] is None
    assert document["runs"][-1]["phase_results"] == {"phase2_images": "running"}
    assert document["last_run"] == RUNNING.run_id
    assert document["last_updated"] == "2025-12-04T20:43:29.800718-07:00"


def test_without_runs_there_is_no_last_one() -> None:
    assert rendered() == {
        "runs": [],
        "version": "1.0.0",
        "last_run": None,
        "last_updated": None,
    }


def test_the_text_ends_with_one_newline_and_times_are_those_of_phoenix() -> None:
    text = text_of(Run(run_id="run", records=(RECORD,)))

    assert text.endswith("}\n")
    assert '"started_at": "2025-12-04T20:38:29.800718-07:00"' in text
