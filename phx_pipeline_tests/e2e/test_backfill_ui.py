"""A backfill clicked together in the UI, from the first click to the pictures.

Then, in the same browser, pages of others try to undo it all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image

from phx_pipeline.defs.submit import state_of
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.job import JobState
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.workflows.verify import verify_property, verify_views
from phx_pipeline_tests.chromium import chromium_page, find_chromium
from phx_pipeline_tests.dagster_runs import item_runs
from phx_pipeline_tests.dagster_ui import (
    ASSETS,
    SHOTS,
    Seen,
    backfill_by_hand,
    houses_by_result,
)
from phx_pipeline_tests.deployment import ROOT, Deployment, slug_of, with_shots
from phx_pipeline_tests.expected import expected_verdicts
from phx_pipeline_tests.hostile_page import (
    NAMES,
    REPORTED,
    attacks,
    changed_by_itself,
)
from phx_pipeline_tests.jobs import ask_job
from phx_pipeline_tests.served import Served, served, wait_for

CHROMIUM = find_chromium()

pytestmark = [
    pytest.mark.xdist_group("ui"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

# One more than may run at once; of all but the one that is opened with few photos, not
# all of them to be kept.
_LARKSTONE, _QUAIL, _COPPER, _, _MARIGOLD, _ = HOUSES
_HOUSES = [
    with_shots(_LARKSTONE, 0, 2, 13),
    with_shots(_QUAIL, 2, 4, 6, 9),
    with_shots(_COPPER, 0, 3, 7),
    _MARIGOLD,
]
_SLUGS = sorted(map(slug_of, _HOUSES))
_OPENED = _SLUGS[0]  # _MARIGOLD
_DAMAGED = slug_of(_COPPER)
_WAY = (
    dg.DagsterEventType.PIPELINE_ENQUEUED,
    dg.DagsterEventType.PIPELINE_STARTING,
    dg.DagsterEventType.PIPELINE_START,
    dg.DagsterEventType.PIPELINE_SUCCESS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A finished backfill: what the browser saw, and where its pictures lie.

    `learned` is what hostile pages learned afterwards, by their origin and the way they
    tried; `changed` what the UI's own page gets for asking the same. `results` are the
    houses by what the page of a check says of them after one was damaged and run again.
    """

    running: Served
    seen: Seen
    shots: Path
    learned: dict[str, dict[str, object]]
    changed: object
    results: dict[str, list[str]]

    @property
    def runs(self) -> list[dg.DagsterRun]:
        """Its runs as Dagster stores them."""
        tags = {"dagster/backfill": self.seen.backfill_id}
        return list(self.running.instance.get_runs(dg.RunsFilter(tags=tags)))

    def times(self, run: dg.DagsterRun) -> dict[dg.DagsterEventType, float]:
        """When a run came to each station of `_WAY`, in order, in seconds."""
        logged = self.running.instance.all_logs(run.run_id)
        return {
            record.dagster_event_type: record.timestamp
            for record in logged
            if record.dagster_event_type in _WAY
        }


@pytest.fixture(scope="module")
def backfill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfill]:
    """Four houses, materialized together by clicks; the browser is closed again."""
    root = tmp_path_factory.mktemp("backfill")
    with served(root / "stores", redfin_sites(_HOUSES), houses=_HOUSES) as running:
        with chromium_page(
            str(CHROMIUM), profile=root / "profile", names=NAMES
        ) as page:
            url = running.url
            seen = backfill_by_hand(page, url=url, partitions=_SLUGS, shots=root)
            with damaged(running.deployment, _DAMAGED):
                again = submitted(running.deployment, _DAMAGED)
                learned = attacks(page, url=url, partitions=_SLUGS)
                changed = changed_by_itself(page, url=url, partitions=_SLUGS)
                wait_for(lambda: ended(running.instance, job=again))
                results = houses_by_result(
                    page, url=url, check="files_match_rows", partitions=_SLUGS
                )
        yield Backfill(
            running=running,
            seen=seen,
            shots=root,
            learned=learned,
            changed=changed,
            results=results,
        )


@contextmanager
def damaged(deployment: Deployment, slug: str) -> Iterator[None]:
    """Change an original of a house behind the catalogue's back, for a while."""
    with deployment.context() as context:
        kept = next(p for p in context.catalog.photos(slug) if p.sha256)
        file = context.layout.raw(str(kept.sha256))
    body = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    try:
        yield
    finally:
        file.write_bytes(body)
        file.chmod(0o444)


def submitted(deployment: Deployment, slug: str) -> str:
    """Ask for a run of a house as `phx extract` does; return its job."""
    job = "after-damage"
    with deployment.context() as context:
        at = context.stamp().at
        ask_job(context.catalog, job, [slug], at=at)
    return job


def ended(instance: dg.DagsterInstance, *, job: str) -> bool | None:
    """Whether all runs of a job have ended for good; None as long as not."""
    runs = item_runs(instance, job).values()
    return (runs and all(run.state.is_final for run in runs)) or None


def test_each_property_of_a_backfill_is_a_run_of_its_own(backfill: Backfill) -> None:
    runs = backfill.runs

    assert sorted(run.tags["dagster/partition"] for run in runs) == _SLUGS
    assert {state_of(run, retries=2) for run in runs} == {JobState.COMPLETED}


def test_its_runs_go_through_the_queue(backfill: Backfill) -> None:
    for run in backfill.runs:
        times = backfill.times(run)

        assert set(times) == set(_WAY)
        assert [times[station] for station in _WAY] == sorted(times.values())


def test_no_more_of_its_runs_than_allowed_are_under_way_at_once(
    backfill: Backfill,
) -> None:
    limits = backfill.running.instance.get_concurrency_config().run_queue_config
    assert limits is not None
    spans = [
        (times[dg.DagsterEventType.PIPELINE_STARTING], times[_WAY[-1]])
        for times in map(backfill.times, backfill.runs)
    ]

    busiest = max(sum(a <= start < b for a, b in spans) for start, _ in spans)

    assert limits.max_concurrent_runs == 3
    assert 1 <= busiest <= limits.max_concurrent_runs


@pytest.mark.parametrize("house", _HOUSES, ids=lambda house: house.street)
def test_every_house_of_it_keeps_what_it_should(
    backfill: Backfill, house: object
) -> None:
    slug = slug_of(house)  # type: ignore[arg-type]  # parametrized with demo houses

    with backfill.running.deployment.context() as context:
        verdicts = {p.ref.photo_key: p.verdict for p in context.catalog.photos(slug)}
        problems = [problem.text for problem in verify_property(context, slug)]

    assert verdicts == expected_verdicts(house)  # type: ignore[arg-type]  # as above
    assert problems == []


def test_the_views_agree_after_runs_that_overlapped(backfill: Backfill) -> None:
    with backfill.running.deployment.context() as context:
        is_stale = context.catalog.views.is_stale
        wait_for(lambda: None if is_stale() else True)  # the sensor sees to it
        assert verify_views(context) == []


def test_its_page_tells_that_everything_was_done(backfill: Backfill) -> None:
    count = len(_SLUGS)

    assert backfill.seen.completed == tuple(
        f"{asset} 100% completed {count} 0 {count} 0" for asset in ASSETS
    )


def test_a_partition_tells_its_counts(backfill: Backfill) -> None:
    (house,) = [house for house in _HOUSES if slug_of(house) == _OPENED]
    verdicts = list(expected_verdicts(house).values())

    told = backfill.seen.metadata

    assert int(told["discovered"]) == len(verdicts)
    assert int(told["kept"]) == verdicts.count(Verdict.KEPT)


def test_the_contact_sheet_is_shown_as_a_picture(backfill: Backfill) -> None:
    width, height = backfill.seen.sheet_px

    assert width > 100
    assert height > 100


def test_the_link_of_a_step_opens_its_pictures_large(backfill: Backfill) -> None:
    width, height = backfill.seen.linked_px

    assert width > 2 * 240
    assert height > 180


def test_an_asset_says_where_its_code_is(backfill: Backfill) -> None:
    path, _, line = backfill.seen.source.rpartition(":")

    assert path.endswith(str(ROOT / "phx_pipeline/defs/assets/raw_images.py"))
    assert int(line) > 0


def test_the_page_of_a_check_shows_the_house_that_fails_and_those_that_pass(
    backfill: Backfill,
) -> None:
    others = [slug for slug in _SLUGS if slug != _DAMAGED]

    assert backfill.results == {"Failed": [_DAMAGED], "Passed": others}


def test_nothing_but_this_machine_is_asked_by_the_pages(backfill: Backfill) -> None:
    assert backfill.seen.hosts == {"127.0.0.1"}


def test_there_are_pictures_of_all_of_it(backfill: Backfill) -> None:
    for name in SHOTS:
        with Image.open(backfill.shots / name) as shot:
            colours = shot.convert("RGB").getcolors(maxcolors=1 << 24)

        assert shot.width > 1000
        assert colours is not None
        assert len(colours) > 50


def test_the_ui_itself_may_do_what_hostile_pages_try(backfill: Backfill) -> None:
    assert backfill.changed == {
        "status": 200,
        "answer": {"data": {"mark": True}},
        "socket": True,
    }


def test_hostile_pages_change_nothing(backfill: Backfill) -> None:
    instance = backfill.running.instance

    assert instance.event_log_storage.get_concurrency_keys() == {"own page"}
    assert [one.backfill_id for one in instance.get_backfills()] == [
        backfill.seen.backfill_id
    ]
    assert set(instance.get_materialized_partitions(dg.AssetKey("manifest"))) == set(
        _SLUGS
    )
    assert set(_SLUGS) <= set(instance.get_dynamic_partitions("property"))
    assert not instance.has_asset_key(dg.AssetKey(REPORTED))


@pytest.mark.parametrize("origin", ["other port", "other site", "rebound name"])
def test_hostile_pages_learn_nothing(backfill: Backfill, origin: str) -> None:
    learned = backfill.learned[origin]
    fetched = {told for way, told in learned.items() if way.startswith("fetch")}
    page = str(learned["form of the window"])

    assert fetched <= {"TypeError", "error", "basic 421"}
    assert learned["image /graphql"] == "error"
    assert learned["socket"] == "error"
    assert page.startswith(("sent by a page from elsewhere", "not served under the"))
