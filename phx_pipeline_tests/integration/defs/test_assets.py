"""The five assets of one house, run in this process on a throw-away instance."""

import asyncio
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.checks import DISCOVERED_CHECKS, MANIFEST_CHECKS
from phx_pipeline.defs.jobs import categorize_property, extract_property
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.retention import RunHistory
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.standin import PAGE_HOST
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline_tests.deployment import (
    PHOTO_HOST,
    SMALLEST,
    Deployment,
    slug_of,
)

ASSETS = (
    "discovered_urls",
    "raw_images",
    "deduped_images",
    "categorized_images",
    "manifest",
)
_RETRYING = dg.define_asset_job(
    "retrying",
    selection=dg.AssetSelection.groups("property"),
    op_retry_policy=dg.RetryPolicy(max_retries=2),
)


def with_small_shots(house: House, *numbers: int) -> House:
    """The house with only these of its pictures, which all have one shape, in small."""
    found = (house.record.shots[number] for number in numbers)
    shots = tuple(replace(shot, size=(480, 320)) for shot in found)
    return replace(house, record=replace(house.record, shots=shots))


HOUSE = with_small_shots(SMALLEST, 0, 2, 3)
OTHER = with_small_shots(next(one for one in HOUSES if one != SMALLEST), 0)
SLUG = slug_of(HOUSE)


class Market:
    """Sites that can change while they are up."""

    def __init__(self, sites: Mapping[str, Handler]) -> None:
        self.now = sites

    def handlers(self) -> dict[str, Handler]:
        """Handlers that follow `now`."""
        return {host: self._handler(host) for host in self.now}

    def _handler(self, host: str) -> Handler:
        def handle(asked: Asked) -> Answer:
            return self.now[host](asked)

        return handle


def main_job(defs: dg.Definitions) -> dg.JobDefinition:
    return defs.resolve_job_def(extract_property.name)


def with_retries(defs: dg.Definitions) -> dg.JobDefinition:
    """The main job with a retry policy on every step."""
    both = dg.Definitions.merge(defs, dg.Definitions(jobs=[_RETRYING]))
    return both.resolve_job_def(_RETRYING.name)


def refused(_asked: Asked) -> Answer:
    return Answer(status=403, body=b"Forbidden")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One house on a changing market, and a Dagster instance of its own."""

    market: Market
    deployment: Deployment
    instance: dg.DagsterInstance

    def run(
        self, house: House | None = None, *, retrying: bool = False
    ) -> dg.ExecuteInProcessResult:
        """Run the main job, or the same with a retry policy on every step."""
        with self.deployment.context() as context:
            slug = slug_of(house or HOUSE)
            return self.run_in(context, slug=slug, retrying=retrying)

    def run_in(
        self, context: StageContext, *, slug: str = SLUG, retrying: bool = False
    ) -> dg.ExecuteInProcessResult:
        defs = build_definitions(resources={"pipeline": context})
        job = with_retries(defs) if retrying else main_job(defs)
        result = job.execute_in_process(
            partition_key=slug, instance=self.instance, raise_on_error=False
        )
        refresh_views(context)  # as the sensor does, in case a run has no time for it
        return result


# As our configuration of Dagster says, which the tests of the instance read.
_LOGGING = {"managed_python_loggers": ["phx_pipeline"], "python_log_level": "INFO"}


@contextmanager
def bench_in(root: Path) -> Iterator[Bench]:
    """A bench on the stores of this folder, and a new instance."""
    market = Market(redfin_sites([HOUSE, OTHER]))
    with (
        Deployment(root, market.handlers(), downloads=1) as deployment,
        dg.DagsterInstance.ephemeral(settings={"python_logs": _LOGGING}) as instance,
    ):
        deployment.add_houses([HOUSE])
        instance.add_dynamic_partitions(str(PROPERTIES.name), [SLUG])
        yield Bench(market=market, deployment=deployment, instance=instance)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("collected")


@pytest.fixture(scope="module")
def first(root: Path) -> dg.ExecuteInProcessResult:
    """The first run of a house."""
    with bench_in(root) as made:
        return made.run()


@pytest.fixture
def later(
    tmp_path: Path, root: Path, first: dg.ExecuteInProcessResult
) -> Iterator[Bench]:
    """What the first run left, in stores of its own."""
    assert first.success
    shutil.copytree(root / "data", tmp_path / "data")
    with bench_in(tmp_path) as made:
        yield made


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """The materialization of each asset, in order."""
    return {
        name: made
        for name in ASSETS
        for made in result.asset_materializations_for_node(name)
    }


def versions(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {
        name: made.tags["dagster/data_version"]
        for name, made in materialized(result).items()
    }


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> Sequence[str]:
    """The assets whose version is another one."""
    return [name for name in ASSETS if before[name] != after[name]]


SPECS = [*DISCOVERED_CHECKS, *MANIFEST_CHECKS]


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def test_a_house_goes_through_all_five_assets(
    first: dg.ExecuteInProcessResult,
) -> None:
    result = first

    made = materialized(result)
    manifest = {name: value.value for name, value in made["manifest"].metadata.items()}
    assert result.success
    assert tuple(made) == ASSETS
    assert (manifest["discovered"], manifest["kept"]) == (3, 3)
    assert manifest["run/files"] == 3
    (row,) = manifest["outcomes"].records
    assert row.data["source"] == "redfin"
    assert row.data["outcome"] == "listed"
    assert (row.data["discovered"], row.data["kept"]) == (3, 3)
    assert manifest["contact_sheet"].startswith("![contact sheet](data:image/jpeg")
    assert [name for name, check in checks(result).items() if not check.passed] == []
    assert set(checks(result)) == {spec.name for spec in SPECS}


def test_each_event_names_the_house(first: dg.ExecuteInProcessResult) -> None:
    house = HOUSE.address
    for made in materialized(first).values():
        told = made.metadata
        assert told["address"].value == house
        assert told["folder"].path.endswith("/processed/" + folder_of(house))
        assert re.fullmatch(r"\$[\d,]+ \(redfin\)", told["price"].value)
        assert isinstance(told["listing/redfin"], dg.UrlMetadataValue)
        assert str(told["listing/redfin"].url).startswith("https://www.redfin.com/")


def test_steps_with_pictures_link_to_a_sheet_of_them_on_the_same_host(
    first: dg.ExecuteInProcessResult,
) -> None:
    links = {
        name: made.metadata["pictures"].value
        for name, made in materialized(first).items()
        if "pictures" in made.metadata
    }

    folder = folder_of(HOUSE.address)
    assert links == {step: f"/sheets/{folder}/{step}.jpg" for step in ASSETS[1:]}


def folder_of(address: str) -> str:
    return Property.at(Address.parse(address)).folder


def test_running_again_changes_no_data_version(
    later: Bench, first: dg.ExecuteInProcessResult
) -> None:
    again = later.run()

    assert again.success
    assert versions(again) == versions(first)
    # What its checks judge is what it has made itself.
    judged = [check.target_materialization_data for check in checks(again).values()]
    assert {it.run_id for it in judged if it} == {again.run_id}
    assert None not in judged
    assert materialized(again)["manifest"].metadata["run/changed"].value == 0


def sheets(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """What the event of `manifest` tells of the contact sheet."""
    told = materialized(result)["manifest"].metadata
    return {n: value.value for n, value in told.items() if n.startswith("contact")}


def test_pictures_are_named_anew_alone_and_what_is_missing_is_told(
    later: Bench,
) -> None:
    with later.deployment.context() as context:
        lacking = replace(context, lacks_categorizers={"lost": "no wheel"})
        defs = build_definitions(resources={"pipeline": lacking})
        result = defs.resolve_job_def(categorize_property.name).execute_in_process(
            partition_key=SLUG, instance=later.instance
        )

    made = materialized(result)
    assert list(made) == ["categorized_images", "manifest"]
    told = made["categorized_images"].metadata
    counts = ("pictures", "named", "unknown", "disputed", "changed")
    assert [told[f"run/{name}"].value for name in counts] == [3, 3, 0, 0, 0]
    assert told["voted/listing_text"].value == 3
    assert told["missing/lost"].value == "no wheel"
    assert made["manifest"].metadata["run/changed"].value == 0
    assert not later.deployment.standin.asked


def test_the_same_pictures_are_drawn_once_and_runs_that_point_there_keep_the_sheet(
    bench: Bench, tmp_path: Path
) -> None:
    drawn, *pointing = [bench.run() for _ in range(3)]

    history = RunHistory(bench.instance, folder=tmp_path)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    kept = history.kept(before=tomorrow, open_jobs=())
    removed = sum(s.count for s in history.forget(before=tomorrow, kept=kept))

    left = {run.run_id for run in bench.instance.get_runs()}
    assert list(sheets(drawn)) == ["contact_sheet"]
    assert len(sheets(drawn)["contact_sheet"]) < 16_100  # 12,000 bytes in base 64
    assert [sheets(run) for run in pointing] == [{"contact_sheet_in": drawn.run_id}] * 2
    assert removed == 1
    assert left == {drawn.run_id, pointing[-1].run_id}


def test_other_pictures_and_a_lost_sheet_are_drawn_anew(bench: Bench) -> None:
    first = bench.run()
    bench.market.now = redfin_sites([with_small_shots(SMALLEST, 0, 2, 3, 4)])
    second = bench.run()
    bench.run()
    bench.instance.delete_run(second.run_id)  # as the UI does

    third = bench.run()

    assert list(sheets(second)) == ["contact_sheet"]
    assert sheets(second) != sheets(first)
    assert sheets(third) == sheets(second)


def test_a_house_published_without_dagster_gets_its_sheet(bench: Bench) -> None:
    with bench.deployment.context() as context:
        asyncio.run(extract(context, SLUG))

    result = bench.run()

    assert materialized(result)["manifest"].metadata["run/changed"].value == 0
    assert list(sheets(result)) == ["contact_sheet"]


def reworded(house: House) -> House:
    """The house with other words under its first picture, meaning the same."""
    first, *rest = house.record.shots
    shots = (replace(first, caption="Front of house, with driveway"), *rest)
    return replace(house, record=replace(house.record, shots=shots))


def silent(house: House) -> House:
    """The house with nothing said about its first picture."""
    first, *rest = house.record.shots
    shots = (replace(first, caption="", tags=()), *rest)
    return replace(house, record=replace(house.record, shots=shots))


@pytest.mark.parametrize(
    ("house", "affected"),
    [
        (with_small_shots(SMALLEST, 0, 2, 3, 4), ASSETS),
        (reworded(HOUSE), ("discovered_urls",)),
        (silent(HOUSE), ("discovered_urls", "categorized_images", "manifest")),
    ],
    ids=["a new photo", "other words", "no words"],
)
def test_only_what_a_change_reached_has_another_version(
    later: Bench,
    first: dg.ExecuteInProcessResult,
    house: House,
    affected: Sequence[str],
) -> None:
    later.market.now = redfin_sites([house])

    result = later.run()

    assert changed(versions(first), versions(result)) == list(affected)


def test_another_size_of_the_files_is_another_manifest_only(
    later: Bench, first: dg.ExecuteInProcessResult
) -> None:
    with later.deployment.context() as context:
        result = later.run_in(replace(context, max_side=400))

    assert changed(versions(first), versions(result)) == ["manifest"]


def failures(result: dg.ExecuteInProcessResult) -> list[tuple[str, str]]:
    """(step, description) of each failed step."""
    return [
        (str(event.step_key), told.description or "")
        for event in result.all_events
        if event.is_step_failure
        and (told := event.step_failure_data.user_failure_data) is not None
    ]


def test_when_no_source_gave_anything_the_manifest_fails_once_after_publishing(
    later: Bench,
) -> None:
    published = later.deployment.files()
    shutil.rmtree(later.deployment.root / "data/property_images/metadata")
    later.market.now = {**later.market.now, PAGE_HOST: refused}

    result = later.run(retrying=True)

    ((step, told),) = failures(result)
    retries = [event for event in result.all_events if event.is_step_up_for_retry]
    assert not result.success
    assert step == "manifest"
    start = f"no source gave anything for {HOUSE.address}: redfin: blocked ("
    assert told.startswith(start)
    assert "\n" not in told
    assert "|" not in told
    assert retries == []
    assert later.deployment.files() == published
    assert causes(result) == [None]
    reached = checks(result)["reached"]
    assert (reached.passed, reached.asset_key.path) == (False, ["discovered_urls"])
    assert reached.severity is dg.AssetCheckSeverity.ERROR
    assert (reached.description or "").startswith("redfin: blocked (")


def causes(result: dg.ExecuteInProcessResult) -> list[object]:
    """What is shown as the cause of each failure, with the place in our code."""
    return [
        event.step_failure_data.error and event.step_failure_data.error.cause
        for event in result.all_events
        if event.is_step_failure
    ]


def test_a_step_that_fails_by_accident_would_be_retried(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy of the test above works: what is not raised on purpose is retried."""
    tries: list[str] = []

    def stumble(*_: object, **_named: object) -> None:
        tries.append("once")
        raise OSError("the disk went away")

    monkeypatch.setattr("phx_pipeline.defs.assets.manifest.publish", stumble)

    result = bench.run(retrying=True)

    assert not result.success
    assert len(tries) == 3


def some_refused(sites: Mapping[str, Handler], *, mark: str) -> dict[str, Handler]:
    photos = sites[PHOTO_HOST]

    def handle(asked: Asked) -> Answer:
        return refused(asked) if mark in asked.target else photos(asked)

    return {**sites, PHOTO_HOST: handle}


def test_a_partial_house_succeeds_with_a_warning(bench: Bench) -> None:
    mark = HOUSE.record.file_name(2)
    bench.market.now = some_refused(bench.market.now, mark=mark)

    result = bench.run()

    complete = checks(result)["complete"]
    assert result.success
    assert not complete.passed
    assert complete.severity is dg.AssetCheckSeverity.WARN
    assert all(
        check.passed for name, check in checks(result).items() if name != "complete"
    )
    told = lines_of(bench.instance, result.run_id)
    assert f"{SLUG} redfin: 2 of 3 photos, 0.1 MB, 1 failed:blocked" in told
    assert [line for line in told if line.startswith(f"{SLUG} redfin: listed")]
    assert len(told) < 20


def lines_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """What the log of a run tells besides Dagster's own events."""
    return [
        entry.user_message
        for entry in instance.all_logs(run_id)
        if entry.dagster_event is None
    ]


def test_a_house_that_passes_leaves_the_checks_of_another_as_they_are(
    later: Bench,
) -> None:
    other = slug_of(OTHER)
    later.deployment.add_houses([OTHER])
    later.instance.add_dynamic_partitions(str(PROPERTIES.name), [other])
    damage(later.deployment)

    bad, good = later.run(), later.run(OTHER)

    def passed(result: dg.ExecuteInProcessResult) -> bool:
        return checks(result)["files_match_rows"].passed

    assert (passed(bad), passed(good)) == (False, True)
    told = checks(bad)["files_match_rows"].description or ""
    assert told.endswith(f"`phx repair {SLUG}` makes it right")
    assert checks(good)["files_match_rows"].description is None
    key = dg.AssetCheckKey(dg.AssetKey("manifest"), "files_match_rows")
    newest = later.instance.event_log_storage.get_asset_check_partition_info([key])
    assert {one.partition_key: one.latest_execution_status.value for one in newest} == {
        SLUG: "FAILED",
        other: "SUCCEEDED",
    }


def damage(deployment: Deployment) -> None:
    """Change an original behind the catalogue's back, which no run reads again."""
    folder = deployment.root / "data/property_images/raw"
    file = next(path for path in sorted(folder.rglob("*")) if path.is_file())
    file.chmod(0o644)
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)


def test_a_property_the_catalogue_does_not_know_fails_once_at_the_first_step(
    bench: Bench,
) -> None:
    unknown = "1-nowhere-st-mesa-az-85204"
    bench.instance.add_dynamic_partitions(str(PROPERTIES.name), [unknown])
    with bench.deployment.context() as context:
        before = list(context.catalog.content_rows())
        defs = build_definitions(resources={"pipeline": context})

        result = with_retries(defs).execute_in_process(
            partition_key=unknown, instance=bench.instance, raise_on_error=False
        )

        assert list(context.catalog.content_rows()) == before
    ((step, told),) = failures(result)
    assert [event for event in result.all_events if event.is_step_up_for_retry] == []
    assert step == "discovered_urls"
    assert causes(result) == [None]
    assert f"unknown property '{unknown}'" in told
    assert "phx properties add" in told
