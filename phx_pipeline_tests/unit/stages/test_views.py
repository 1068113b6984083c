"""When the views are rendered, and by whom."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.views import ViewState
from phx_pipeline.errors import LeaseHeldError
from phx_pipeline.model.job import Mode
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.runs import recorded
from phx_pipeline.stages.views import (
    VIEWS_LEASE,
    holds_view,
    is_due,
    refresh_views,
    render_views,
)
from phx_pipeline_tests.damage import delete_view, execute


def manifest(context: StageContext) -> Path:
    return context.layout.metadata / "image_manifest.json"


def test_fresh_views_are_rendered_only_on_demand(collected: StageContext) -> None:
    refresh_views(collected)
    delete_view(collected)

    assert refresh_views(collected) == refresh_views(collected, only_history=True) == 0
    assert refresh_views(collected, anyway=True) == 1
    assert refresh_views(collected, anyway=True) == 0


def test_stale_views_are_rendered_and_then_fresh(collected: StageContext) -> None:
    manifest(collected).unlink()
    collected.catalog.views.want()

    assert refresh_views(collected) == 1
    assert not collected.catalog.views.is_stale()


def test_a_run_that_begins_changes_only_what_is_told_of_runs_and_jobs(
    collected: StageContext,
) -> None:
    refresh_views(collected, anyway=True)
    manifest(collected).unlink()
    (slug,) = collected.catalog.slugs()
    with recorded(replace(collected, run_id="next"), slug, mode=Mode.RESUME):
        assert refresh_views(collected) == 2  # the run, and the list of runs
    assert not manifest(collected).exists()
    collected.catalog.views.want()

    assert refresh_views(collected, only_history=True) == 0
    assert refresh_views(collected) == 1
    assert manifest(collected).exists()


def test_one_process_renders_at_a_time(collected: StageContext) -> None:
    collected.catalog.views.want()
    owner = process_owner("somebody")
    impatient = replace(collected, lease_wait_s=0.0)

    with (
        collected.catalog.leases.hold(VIEWS_LEASE, owner=owner),
        pytest.raises(LeaseHeldError),
    ):
        refresh_views(impatient)


def test_files_of_views_that_are_no_more_go(collected: StageContext) -> None:
    gone = collected.layout.metadata / "jobs" / "0123456789ab.json"
    gone.parent.mkdir(exist_ok=True)
    gone.write_text("{}")

    refresh_views(collected, anyway=True)

    assert not gone.exists()
    assert all(holds_view(collected, view) for view in render_views(collected))


@pytest.mark.parametrize(
    "job_id",
    ["backfill-/../../../pwned", f"backfill-{'x' * 3000}", "../jobs", "", "."],
    ids=["path", "long", "folder", "empty", "dot"],
)
def test_the_id_of_a_job_leads_nowhere(collected: StageContext, job_id: str) -> None:
    slug = next(iter(collected.catalog.slugs()))
    job = "insert into job (id, created_at, sources, mode) values ('%s', '%s', '[]', %s"
    item = """insert into job_item (job_id, slug, position, attempt, requested_at,
        run_job, run_attempt) values ('%s', '%s', 0, 1, '%s', 'x', 1)"""
    at = "2026-11-28 10:00:00.000000"
    assert execute(collected, job % (job_id, at, "'fresh')"))
    assert execute(collected, item % (job_id, slug, at))
    before = {*collected.layout.root.parent.rglob("*")}

    refresh_views(collected, anyway=True)

    folder = collected.layout.metadata / "jobs"
    new = {*collected.layout.root.parent.rglob("*")} - before
    (shown,) = (path for path in new if path.suffix == ".json")
    assert shown.parent == folder
    assert json.loads(shown.read_bytes())["job_id"] == job_id


def test_one_view_that_cannot_be_written_keeps_no_other_back(
    collected: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    refresh_views(collected, anyway=True)
    manifest(collected).unlink()
    (folder := collected.layout.metadata / "run_history").rename(folder.with_name("x"))
    folder.symlink_to(folder)
    collected.catalog.views.want()

    assert refresh_views(collected) == 1
    assert manifest(collected).exists()
    assert "one run or job was not written" in caplog.text


@pytest.mark.parametrize(
    ("now_s", "due"),
    [(1023.9, False), (1024.0, True), (2000.0, True), (900.0, False), (1.0, True)],
)
def test_views_rest_twenty_times_what_rendering_takes(
    now_s: float, *, due: bool
) -> None:
    state = ViewState(wanted=2, rendered=1, took_s=1.0, rendered_at=1000.0)

    assert is_due(state, now_s=now_s) is due


def test_views_that_show_all_are_never_due() -> None:
    assert not is_due(ViewState(wanted=2, rendered=2), now_s=1e9)
