"""Run rows on both databases: begun, ended, interrupted, read in bounds."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import job_views, tables
from phx_pipeline.catalog import runs as run_rows
from phx_pipeline.catalog.views import ViewState
from phx_pipeline.model.facts import ListingFacts, SeenFacts
from phx_pipeline.model.job import JobState, Mode
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.run import (
    Change,
    PhotoState,
    RunOutcome,
    RunRecord,
    RunResult,
    SourceResult,
)
from phx_pipeline.model.source import Source
from phx_pipeline.model.stamp import Stamp
from phx_pipeline_tests.integration.conftest import STAMP, Scene, gallery
from phx_pipeline_tests.jobs import ask_job

RESULT = RunResult(
    sources=(
        SourceResult(
            source=Source.REDFIN,
            outcome=ListingOutcome.LISTED,
            detail="two photos",
            seconds=1.25,
            counts={Change.NEW: 2, Change.FAILED: 1},
            removed=3,
        ),
        SourceResult(source=Source.ZILLOW, counts={Change.CONTENT_CHANGED: 1}),
    ),
    new_image_ids=("1", "2"),
    removed_urls=("https://x/gone.jpg",),
    error_messages=("redfin: failed:gone",),
)


def stamp(run_id: str, *, after_s: float = 0.0) -> Stamp:
    return replace(STAMP, run_id=run_id, at=STAMP.at + timedelta(seconds=after_s))


def start(
    scene: Scene,
    run_id: str = "run",
    *,
    after_s: float = 0.0,
    job_id: str | None = None,
    photos: list[PhotoState] | None = None,
    interrupted: dict[str, RunResult] | None = None,
) -> None:
    scene.catalog.runs.record_started(
        scene.lease,
        scene.slug,
        mode=Mode.RESUME,
        job_id=job_id,
        photos=photos or [],
        interrupted=interrupted or {},
        stamp=stamp(run_id, after_s=after_s),
    )


def end(
    scene: Scene,
    run_id: str = "run",
    *,
    after_s: float = 60.0,
    outcome: RunOutcome = RunOutcome.COMPLETE,
    result: RunResult | None = RESULT,
    error: str = "",
) -> None:
    scene.catalog.runs.record_ended(
        scene.lease,
        scene.slug,
        outcome=outcome,
        result=result,
        error=error,
        stamp=stamp(run_id, after_s=after_s),
    )


def record(scene: Scene, run_id: str = "run") -> RunRecord:
    found = scene.catalog.runs.record(run_id, scene.slug)
    assert found is not None
    return found


def test_a_run_without_an_end_is_running(scene: Scene) -> None:
    start(scene, job_id="job")

    found = record(scene)

    assert found == RunRecord(
        run_id="run",
        slug=scene.slug,
        address=str(scene.house.address),
        folder=scene.house.folder,
        job_id="job",
        mode=Mode.RESUME,
        started_at=STAMP.at,
        ended_at=None,
        outcome=RunOutcome.RUNNING,
    )


def test_an_ended_run_reads_back_what_it_did(scene: Scene) -> None:
    start(scene)

    end(scene, outcome=RunOutcome.PARTIAL, error="why")

    found = record(scene)
    assert found.result == RESULT
    assert (found.outcome, found.error) == (RunOutcome.PARTIAL, "why")
    assert found.ended_at == STAMP.at + timedelta(seconds=60)


def test_an_unknown_run_has_no_record(scene: Scene) -> None:
    assert scene.catalog.runs.record("nothing", scene.slug) is None
    assert scene.catalog.runs.started_with("nothing", scene.slug) is None
    assert scene.catalog.runs.of_run("nothing") == []
    assert scene.catalog.runs.newest(limit=9) == []


def test_the_photos_of_the_start_are_kept_until_the_end(scene: Scene) -> None:
    scene.list_photos("a", "b")
    scene.download("a", "first")
    before = scene.catalog.runs.photo_states(scene.slug)

    start(scene, photos=before)

    kept = scene.catalog.runs.started_with("run", scene.slug)
    assert kept is not None
    assert [(p.key, p.verdict, p.present, p.sha256) for p in kept] == [
        (p.key, p.verdict, p.present, p.sha256) for p in before
    ]
    end(scene)
    assert scene.catalog.runs.started_with("run", scene.slug) is None


def test_photo_states_come_in_gallery_order_with_what_is_shown(scene: Scene) -> None:
    scene.list_photos("b", "a")
    blob = scene.download("a", "first")

    waiting, held = scene.catalog.runs.photo_states(scene.slug)

    assert (waiting.photo_key, waiting.sha256) == ("b", None)
    assert waiting.url == "https://photos.example/b.jpg"
    assert (held.photo_key, held.sha256) == ("a", blob.sha256)
    assert held.verdict is Verdict.PENDING
    assert held.run_id == STAMP.run_id


def test_an_answer_tells_which_run_was_given_it(scene: Scene) -> None:
    scene.say(gallery("a"))

    (answer,) = scene.catalog.runs.answers(scene.slug)

    assert (answer.source, answer.outcome) == (Source.REDFIN, ListingOutcome.LISTED)
    assert (answer.run_id, answer.checked_at) == (STAMP.run_id, STAMP.at)


def test_a_run_without_an_end_is_interrupted_by_a_newer_one(scene: Scene) -> None:
    start(scene, "killed")

    start(scene, "next", after_s=1)

    assert record(scene, "killed").outcome is RunOutcome.INTERRUPTED
    assert record(scene, "next").outcome is RunOutcome.RUNNING


def test_a_newer_run_of_another_property_interrupts_nothing(scene: Scene) -> None:
    other = Scene.of(scene.catalog, number=5219)
    start(scene, "killed")

    start(other, "next", after_s=1)

    assert record(scene, "killed").outcome is RunOutcome.RUNNING


def test_what_an_interrupted_run_had_done_is_told_once(scene: Scene) -> None:
    scene.list_photos("a")
    start(scene, "killed", photos=[])
    assert list(scene.catalog.runs.without_end(scene.slug)) == ["killed"]

    start(scene, "next", after_s=1, interrupted={"killed": RESULT})

    assert record(scene, "killed").result == RESULT
    assert list(scene.catalog.runs.without_end(scene.slug)) == ["next"]


def test_a_run_that_was_thought_interrupted_may_still_end(scene: Scene) -> None:
    start(scene, "slow")
    start(scene, "next", after_s=1, interrupted={"slow": RESULT})

    end(scene, "slow", result=None)

    found = record(scene, "slow")
    assert (found.outcome, found.result) == (RunOutcome.COMPLETE, RESULT)


def test_a_failed_run_that_is_taken_up_again_keeps_its_start(scene: Scene) -> None:
    scene.list_photos("a")
    first = scene.catalog.runs.photo_states(scene.slug)
    start(scene, photos=first)
    end(scene, outcome=RunOutcome.FAILED, error="no disk")

    start(scene, after_s=90, photos=[])

    found = record(scene)
    assert (found.started_at, found.ended_at, found.error) == (STAMP.at, None, "")
    kept = scene.catalog.runs.started_with("run", scene.slug)
    assert kept is not None
    assert [photo.key for photo in kept] == [photo.key for photo in first]


def test_a_run_id_used_again_after_its_end_begins_anew(scene: Scene) -> None:
    start(scene)
    end(scene)

    start(scene, after_s=90)

    found = record(scene)
    assert found.started_at == STAMP.at + timedelta(seconds=90)
    assert found.result == RunResult()


def test_beginning_and_ending_make_the_views_stale(scene: Scene) -> None:
    views = scene.catalog.views
    every, history = views.states()

    start(scene)
    begun = views.states()
    end(scene)

    assert begun == (every, ViewState(wanted=history.wanted + 1))
    assert views.states()[0].wanted == every.wanted + 1


def test_the_newest_runs_come_first_and_no_more_than_asked_for(scene: Scene) -> None:
    for number in range(4):
        start(scene, f"run-{number}", after_s=number)
    other = Scene.of(scene.catalog, number=5219)
    start(other, "run-0", after_s=0.5)

    newest = scene.catalog.runs.newest(limit=2)
    every = scene.catalog.runs.newest(limit=9)

    assert [run.run_id for run in newest] == ["run-3", "run-2"]
    assert [len(run.records) for run in every] == [1, 1, 1, 2]


def test_runs_over_very_many_properties_count_for_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_rows, "_MOST_ROWS", 2)
    other = Scene.of(scene.catalog, number=5219)
    for number in range(3):
        start(scene, f"run-{number}", after_s=number)
        start(other, f"run-{number}", after_s=number + 0.5)

    (newest,) = scene.catalog.runs.newest(limit=9)

    assert (newest.run_id, len(newest.records)) == ("run-2", 2)


def test_the_last_end_is_that_of_the_newest_run_that_came_to_one(scene: Scene) -> None:
    start(scene, "first")
    end(scene, "first", outcome=RunOutcome.PARTIAL)
    start(scene, "second", after_s=100)
    end(scene, "second", after_s=110)
    start(scene, "canceled", after_s=200)
    end(scene, "canceled", after_s=210, outcome=RunOutcome.CANCELLED)
    start(scene, "running", after_s=300)

    (last,) = scene.catalog.runs.last_ends()

    assert (last.run_id, last.outcome) == ("second", RunOutcome.COMPLETE)


def test_a_removed_property_has_no_state_but_its_history(
    scene: Scene, engine: sa.Engine
) -> None:
    scene.say(gallery("a"))
    start(scene)
    end(scene)
    with engine.begin() as connection:
        connection.execute(sa.update(tables.house).values(removed_at=STAMP.at))

    assert scene.catalog.runs.last_ends() == []
    assert scene.catalog.runs.last_checks() == {}
    assert len(scene.catalog.runs.newest(limit=9)) == 1


def test_the_last_check_is_the_newest_answer_of_any_source(scene: Scene) -> None:
    scene.say(gallery("a"))
    later = replace(scene, stamp=stamp("next", after_s=30))
    later.say(gallery("b", source=Source.ZILLOW))

    checks = scene.catalog.runs.last_checks()

    assert checks == {str(scene.house.address): STAMP.at + timedelta(seconds=30)}


def test_facts_are_found_by_property_and_day(scene: Scene) -> None:
    other = Scene.of(scene.catalog, number=5219)
    facts = ListingFacts(list_price=350_000, pool_private=False)
    for it in (scene, other):
        it.say(gallery("a", facts=facts))

    found = scene.catalog.runs.facts([scene.slug], first=STAMP.today, last=STAMP.today)
    none = scene.catalog.runs.facts(
        [scene.slug], first=STAMP.today + timedelta(days=1), last=date.max
    )

    seen = SeenFacts(source=Source.REDFIN, seen_on=STAMP.today, facts=facts)
    assert found == {(scene.slug, STAMP.today): [seen]}
    assert none == {}


def test_a_job_has_its_properties_in_order_with_their_runs(scene: Scene) -> None:
    other = Scene.of(scene.catalog, number=5219)
    slugs = [other.slug, scene.slug]
    ask_job(scene.catalog, "job", slugs, sources=[Source.REDFIN], at=STAMP.at)
    start(scene, "killed", job_id="job")
    start(scene, "again", after_s=1, job_id="job")
    end(scene, "again")

    (job,) = scene.catalog.jobs.newest(limit=9)

    waiting, done = job.items
    assert (job.job_id, job.sources, job.created_at) == (
        "job",
        (Source.REDFIN,),
        STAMP.at,
    )
    assert (waiting.slug, waiting.state) == (other.slug, JobState.PENDING)
    assert (done.run_id, done.started_at) == ("again", STAMP.at)
    assert done.state is JobState.COMPLETED


def test_the_newest_jobs_come_first_and_large_ones_count_for_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        at = STAMP.at + timedelta(seconds=number)
        ask_job(scene.catalog, f"job-{number}", [scene.slug], sources=[], at=at)

    two = scene.catalog.jobs.newest(limit=2)
    monkeypatch.setattr(job_views, "_MOST_ROWS", 1)
    one = scene.catalog.jobs.newest(limit=9)

    assert [job.job_id for job in two] == ["job-2", "job-1"]
    assert [job.job_id for job in one] == ["job-2"]
