"""What the history says of runs, after real commands on the stand-in sites."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.tags import JOB_TAG
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import DiskError
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.run import Change, RunOutcome, RunRecord
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.standin import PAGE_HOST
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.verify import verify_views
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import SMALLEST, Deployment, slug_of, with_shots
from phx_pipeline_tests.jobs import ask_job

PATIENCE_S = 120

FOUR = with_shots(SMALLEST, 0, 2, 3, 4)
THREE = with_shots(SMALLEST, 0, 2, 3)
SLUG = slug_of(FOUR)
ADDRESS = SMALLEST.address

RunFresh = Callable[[], int]


class Market:
    """Sites that change between two runs."""

    def __init__(self, sites: Mapping[str, Handler]) -> None:
        self.now = sites

    def handlers(self) -> dict[str, Handler]:
        """Handlers that follow `now`."""
        return {host: self._handler(host) for host in self.now}

    def _handler(self, host: str) -> Handler:
        def handle(asked: Asked) -> Answer:
            return self.now[host](asked)

        return handle


@pytest.fixture
def market() -> Market:
    return Market(redfin_sites([FOUR]))


@pytest.fixture
def made(tmp_path: Path, market: Market) -> Iterator[Deployment]:
    with Deployment(tmp_path, market.handlers(), downloads=1) as deployment:
        deployment.add_houses([FOUR])
        yield deployment


@pytest.fixture
def run_fresh(made: Deployment, phx_on: Phx) -> RunFresh:
    """Ask for all anew; return the exit code."""
    return lambda: phx_on(made, "extract", "--all", "--sync", "--fresh").code


def history(made: Deployment) -> list[dict[str, Any]]:
    """The run documents, the oldest first."""
    views = made.views()
    names = sorted(name for name in views if name.startswith("run_history/"))
    found = [json.loads(views[name]) for name in names]
    return sorted(found, key=lambda document: document["started_at"])


def records(made: Deployment) -> list[RunRecord]:
    """The records of the house, the oldest first."""
    with made.context() as context:
        runs = context.catalog.runs.newest(limit=99)[::-1]
    return [it for run in runs for it in run.records if it.slug == SLUG]


def changes(document: dict[str, Any]) -> dict[str, int]:
    """What one run did to the house, but for what it did not do."""
    told = document["property_changes"][ADDRESS]["sources"].get("redfin", {})
    return {k: n for k, n in told.items() if isinstance(n, int) and n}


def test_the_history_says_what_each_run_found(
    made: Deployment, market: Market, run_fresh: RunFresh, phx_on: Phx
) -> None:
    assert run_fresh() == 0
    assert run_fresh() == 0
    market.now = redfin_sites([THREE])
    assert run_fresh() == 0
    market.now = redfin_sites([FOUR])
    assert run_fresh() == 0

    first, second, third, fourth = history(made)

    assert changes(first) == {"discovered": 4, "new": 4}
    assert changes(second) == {"discovered": 4, "unchanged": 4}
    assert changes(third) == {"discovered": 3, "unchanged": 3, "removed": 1}
    assert changes(fourth) == {"discovered": 4, "unchanged": 4}
    assert phx_on(made, "verify").code == 0


def test_removed_and_new_pictures_are_named_and_tracked(
    made: Deployment, market: Market, run_fresh: RunFresh
) -> None:
    market.now = redfin_sites([THREE])
    assert run_fresh() == 0
    market.now = redfin_sites([FOUR])
    assert run_fresh() == 0
    market.now = redfin_sites([THREE])
    assert run_fresh() == 0

    _, added, dropped = (it["property_changes"][ADDRESS] for it in history(made))
    urls = json.loads(made.views()["url_tracker.json"])["urls"]
    images = json.loads(made.views()["image_manifest.json"])["properties"][ADDRESS]

    (new_id,), (gone,) = added["new_image_ids"], dropped["removed_urls"]
    assert urls[gone]["image_id"] == new_id
    assert urls[gone]["status"] == "removed"
    assert {entry["status"] for url, entry in urls.items() if url != gone} == {"active"}
    assert {entry["image_id"] for entry in urls.values()} == {
        image["image_id"] for image in images
    }


def test_a_refused_run_removes_nothing_and_is_a_failure(
    made: Deployment, market: Market, run_fresh: RunFresh
) -> None:
    assert run_fresh() == 0
    market.now = redfin_sites([FOUR], blocked=frozenset({PAGE_HOST}))

    assert run_fresh() == 3

    refused = history(made)[-1]
    state = json.loads(made.views()["extraction_state.json"])
    overview = json.loads(made.views()["pipeline_runs.json"])["runs"][-1]
    assert refused["property_changes"][ADDRESS]["sources"]["redfin"]["outcome"] == (
        "blocked"
    )
    assert changes(refused) == {}
    assert refused["aggregate"]["total_errors"] == 1
    assert (refused["outcome"], overview["sources_blocked"]) == ("nothing", ["redfin"])
    assert (state["completed_properties"], state["failed_properties"]) == (
        [],
        [ADDRESS],
    )


def kill_when(made: Deployment, *, photos_asked: int) -> None:
    """Start a command, kill it once that many photos were asked for."""
    process = subprocess.Popen(  # noqa: S603 - the tests' own command
        made.command("extract", "--all", "--sync"),
        env=made.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + PATIENCE_S
    while len(made.photos_asked()) < photos_asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_a_killed_run_is_told_truly_before_and_after_the_next(
    made: Deployment, market: Market, phx_on: Phx
) -> None:
    market.now = redfin_sites([FOUR], photo_delay_s=0.2)
    kill_when(made, photos_asked=3)
    assert phx_on(made, "rebuild", "--views").code == 0
    (running,) = history(made)

    assert phx_on(made, "extract", "--all", "--sync").code == 0

    killed, finished = history(made)
    with made.context() as context:
        kept = context.tally(SLUG).count(VerdictKind.KEPT)
    assert (running["outcome"], running["ended_at"]) == ("running", None)
    assert (killed["outcome"], killed["ended_at"]) == ("interrupted", None)
    assert killed["run_id"] == running["run_id"]
    assert changes(killed) == {"discovered": 4, "pending": 4}
    assert finished["outcome"] == "complete"
    assert changes(finished) == {"discovered": kept, "new": kept}
    assert phx_on(made, "verify").code == 0


def test_a_run_that_fails_says_why_and_what_it_had_done(
    made: Deployment, run_fresh: RunFresh, phx_on: Phx
) -> None:
    processed = made.root / "data/property_images/processed"
    processed.parent.mkdir(parents=True)
    processed.symlink_to("/proc")  # nobody, not even root, makes a folder there
    with made.context("cli-failed") as context, pytest.raises(DiskError, match="proc"):
        asyncio.run(extract(context, SLUG))
    processed.unlink()

    assert run_fresh() == 0

    failed, again = records(made)
    assert (failed.run_id, failed.outcome) == ("cli-failed", RunOutcome.FAILED)
    assert str(processed) in failed.error
    assert failed.result.count(Change.NEW) == 4
    assert again.outcome is RunOutcome.COMPLETE
    assert again.result.count(Change.UNCHANGED) == 4
    assert phx_on(made, "verify").code == 0


def test_a_canceled_run_is_no_failure(made: Deployment, market: Market) -> None:
    market.now = redfin_sites([FOUR], photo_delay_s=0.2)

    async def cancel_half_way() -> None:
        with made.context("cli-canceled") as context:
            task = asyncio.create_task(extract(context, SLUG))
            while not made.photos_asked():  # noqa: ASYNC110 - the site knows no event
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(asyncio.wait_for(cancel_half_way(), PATIENCE_S))

    (canceled,) = records(made)
    assert canceled.outcome is RunOutcome.CANCELLED
    assert canceled.ended_at is not None


def test_a_source_that_was_not_asked_leaves_the_property_partial(
    made: Deployment, market: Market, phx_on: Phx
) -> None:
    market.now = {**market.now}
    made.settings = replace(made.settings, sources=(Source.REDFIN, Source.ZILLOW))

    phx_on(made, "extract", "--all", "--sync", "--sources", "redfin")

    (document,) = history(made)
    sources = document["property_changes"][ADDRESS]["sources"]
    assert document["outcome"] == "partial"
    assert list(sources) == ["redfin"]


# --- Dagster --------------------------------------------------------------------------


@pytest.fixture
def instance(
    made: Deployment, use_settings: UseSettings
) -> Iterator[dg.DagsterInstance]:
    """A throw-away instance whose runs work on the deployment's stores."""
    use_settings(made.settings)
    with dg.DagsterInstance.ephemeral() as opened:
        opened.add_dynamic_partitions(str(PROPERTIES.name), [SLUG])
        yield opened


def run_job(
    instance: dg.DagsterInstance, *assets: str, job_id: str | None = None
) -> dg.ExecuteInProcessResult:
    job = build_definitions().resolve_job_def(extract_property.name)
    return job.execute_in_process(
        partition_key=SLUG,
        instance=instance,
        raise_on_error=False,
        asset_selection=[dg.AssetKey(name) for name in assets] or None,
        tags={JOB_TAG: job_id} if job_id else {},
    )


def test_a_run_of_a_job_is_recorded_for_it(
    made: Deployment, instance: dg.DagsterInstance
) -> None:
    with made.context() as context:
        at = context.stamp().at
        ask_job(context.catalog, "job", [SLUG], sources=[], at=at)
        refresh_views(context)
    waiting = json.loads(made.views()["jobs/job.json"])

    result = run_job(instance, job_id="job")

    with made.context() as context:
        refresh_views(context)
        assert verify_views(context) == []
    done = json.loads(made.views()["jobs/job.json"])
    (record,) = records(made)
    assert result.success
    assert (record.run_id, record.job_id) == (result.run_id, "job")
    assert (waiting["status"], waiting["progress_percent"]) == ("pending", 0)
    assert (done["status"], done["progress_percent"]) == ("completed", 100)
    assert (done["new_images"], done["complete_properties"]) == (4, 1)


def test_a_single_asset_run_again_is_a_run_that_published_nothing(
    made: Deployment, instance: dg.DagsterInstance
) -> None:
    assert run_job(instance).success

    result = run_job(instance, "deduped_images")

    whole, single = records(made)
    assert result.success
    assert (single.run_id, single.outcome) == (result.run_id, RunOutcome.PARTIAL)
    assert "before the property was published" in single.error
    assert single.result.discovered == 0
    assert whole.outcome is RunOutcome.COMPLETE


def test_a_manifest_made_again_ends_its_run(
    made: Deployment, instance: dg.DagsterInstance
) -> None:
    assert run_job(instance).success

    result = run_job(instance, "manifest")

    _, again = records(made)
    assert result.success
    assert (again.outcome, again.error) == (RunOutcome.COMPLETE, "")


def test_a_step_that_fails_ends_the_run_with_its_reason(
    made: Deployment, instance: dg.DagsterInstance
) -> None:
    processed = made.root / "data/property_images/processed"
    processed.parent.mkdir(parents=True)
    processed.symlink_to("/proc")

    result = run_job(instance)

    (record,) = records(made)
    assert not result.success
    assert record.outcome is RunOutcome.FAILED
    assert str(processed) in record.error


def test_when_no_source_gave_anything_the_run_says_so(
    made: Deployment, market: Market, instance: dg.DagsterInstance
) -> None:
    market.now = redfin_sites([FOUR], blocked=frozenset({PAGE_HOST}))

    result = run_job(instance)

    (record,) = records(made)
    assert not result.success
    assert (record.outcome, record.error) == (RunOutcome.NOTHING, "")
