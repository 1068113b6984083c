"""The real thing: daemon, queue, run workers, the stock command line."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import dagster as dg
import psutil
import pytest
from dagster._cli import cli as dagster_command

from phx_pipeline.catalog.leases import is_dead
from phx_pipeline.defs.launcher import GRACE_LIFETIMES
from phx_pipeline.defs.submit import open_instance, state_of
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.due import is_photo_due
from phx_pipeline.model.identity import run_lease
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.supervise.lock import running as supervisor_of
from phx_pipeline.supervise.state import state
from phx_pipeline.workflows.verify import verify_property, verify_views
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import (
    BIN,
    PHOTO_HOST,
    ROOT,
    Deployment,
    slug_of,
    with_shots,
)
from phx_pipeline_tests.expected import expected_verdicts
from phx_pipeline_tests.served import up, wait_for

pytestmark = pytest.mark.xdist_group("dagster")

_LARKSTONE, _LAUNCHED, _COPPER, _, _MARIGOLD, _OCOTILLO = HOUSES
# The signal to the worker of a house, and those to the services beside it.
# What the worker was forked from is killed with it.
_FORK_SERVER, _WORKER = "fork server", "worker"
_HIT: Mapping[House, Mapping[str, signal.Signals]] = {
    _LARKSTONE: {_FORK_SERVER: signal.SIGKILL, "daemon": signal.SIGKILL},
    _OCOTILLO: {
        _WORKER: signal.SIGTERM,
        "code server": signal.SIGKILL,
        "webserver": signal.SIGHUP,
    },
}
# Of each house two photos to keep and one that cannot be.
_SUBMITTED = (with_shots(_COPPER, 0, 3, 7), with_shots(_MARIGOLD, 0, 2, 5))
_HOUSES = (_LAUNCHED, *_SUBMITTED, *_HIT)
# A run that is longer than the launcher's grace, in a few seconds.
_TTL_S = 2
_PAUSE_S = 3.0
_PARTITION = "dagster/partition"
_LOCK = "supervisor.lock"
_CHECKED = dg.DagsterEventType.ASSET_CHECK_EVALUATION


def with_a_pause(photos: Handler) -> Handler:
    """The same photos, one of the launched house so late that its run is long."""

    def handle(asked: Asked) -> Answer:
        if _LAUNCHED.record.file_name(0) in asked.target:
            time.sleep(_PAUSE_S)
        return photos(asked)

    return handle


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """`phx up` on a deployment with all the houses."""
    root = tmp_path_factory.mktemp("running")
    sites = redfin_sites(_HOUSES, photo_delay_s=0.05)
    sites = {**sites, PHOTO_HOST: with_a_pause(sites[PHOTO_HOST])}
    port = free_port()
    with Deployment(root, sites, webserver_port=port, lease_ttl_s=_TTL_S) as made:
        made.add_houses(_HOUSES)
        with up(made):
            yield made


@pytest.fixture(scope="module")
def instance(running: Deployment) -> Iterator[dg.DagsterInstance]:
    opened = open_instance(running.settings)
    yield opened
    opened.dispose()


def launch(deployment: Deployment, *, tags: str) -> None:
    """Launch the main job by the stock command line, as a user would."""
    script = (
        f'eval "$({BIN / "phx"} env)"; {BIN / "dagster"} job launch -w workspace.yaml '
        f"-j extract_property --tags {shlex.quote(tags)}"
    )
    done = subprocess.run(  # noqa: S603 - the tests' own command
        ["/bin/bash", "-c", script],
        env=deployment.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def launch_here(deployment: Deployment, *, tags: str) -> None:
    """Launch the main job by the same command in this process, on the code server."""
    workspace = str(deployment.settings.dagster_dir / "workspace.yaml")
    launching = ["job", "launch", "-w", workspace, "-j", "extract_property"]
    dagster_command.main([*launching, "--tags", tags], standalone_mode=False)


def runs_of(instance: dg.DagsterInstance, slug: str) -> list[dg.DagsterRun]:
    """All runs of a partition, oldest first."""
    filters = dg.RunsFilter(tags={_PARTITION: slug})
    records = instance.get_run_records(filters, ascending=True)
    return [record.dagster_run for record in records]


def has_ended(run: dg.DagsterRun) -> bool:
    """Whether *run* has ended for good; a retry is announced after the failure."""
    return state_of(run, retries=2).is_final


def finished(instance: dg.DagsterInstance, slug: str) -> dg.DagsterRun:
    """The newest run of a partition, once it has ended for good."""

    def ask() -> dg.DagsterRun | None:
        runs = runs_of(instance, slug)
        return runs[-1] if runs and has_ended(runs[-1]) else None

    return wait_for(ask)


def problems(deployment: Deployment, slug: str) -> list[str]:
    with deployment.context() as context:
        return [problem.text for problem in verify_property(context, slug)]


@pytest.fixture(scope="module")
def launched(running: Deployment, instance: dg.DagsterInstance) -> dg.DagsterRun:
    """A finished run of one house, launched by the stock command line."""
    slug = slug_of(_LAUNCHED)
    launch(running, tags=f'{{"dagster/partition": "{slug}"}}')
    return finished(instance, slug)


def test_a_launched_job_goes_through_the_queue_and_finishes(
    running: Deployment, instance: dg.DagsterInstance, launched: dg.DagsterRun
) -> None:
    slug = slug_of(_LAUNCHED)
    events = {
        record.dagster_event_type for record in instance.all_logs(launched.run_id)
    }

    record = instance.get_run_record_by_id(launched.run_id)
    assert record is not None
    lasted_s = (record.end_time or 0) - (record.start_time or 0)
    assert launched.status is dg.DagsterRunStatus.SUCCESS
    assert lasted_s > GRACE_LIFETIMES * _TTL_S
    assert [run.run_id for run in runs_of(instance, slug)] == [launched.run_id]
    assert dg.DagsterEventType.PIPELINE_ENQUEUED in events
    assert dg.DagsterEventType.PIPELINE_STARTING in events
    with running.context() as context:
        verdicts = {p.ref.photo_key: p.verdict for p in context.catalog.photos(slug)}
    assert verdicts == expected_verdicts(_LAUNCHED)
    assert problems(running, slug) == []


def test_the_assets_tell_counts_that_add_up_and_pass_their_checks(
    instance: dg.DagsterInstance, launched: dg.DagsterRun
) -> None:
    made = [
        event.step_materialization_data.materialization
        for record in instance.all_logs(launched.run_id)
        if (event := record.dagster_event) and event.is_step_materialization
    ]
    checks = [
        event.event_specific_data
        for record in instance.all_logs(launched.run_id)
        if (event := record.dagster_event) and event.event_type is _CHECKED
    ]
    names = [materialization.asset_key.to_user_string() for materialization in made]
    assert names == [
        "discovered_urls",
        "raw_images",
        "deduped_images",
        "categorized_images",
        "manifest",
    ]
    counts: dict[str, Any] = {
        name: value.value for name, value in made[-1].metadata.items()
    }
    bins = ("pending", "kept", "duplicate", "rejected", "failed")
    assert counts["discovered"] == sum(counts[name] for name in bins)
    assert counts["kept"] == sum(
        verdict is Verdict.KEPT for verdict in expected_verdicts(_LAUNCHED).values()
    )
    assert "data:image/jpeg;base64," in counts["contact_sheet"]
    assert len(counts["contact_sheet"]) < 17_000
    assert {
        check.check_name: check.passed
        for check in checks
        if isinstance(check, dg.AssetCheckEvaluation)
    } == {
        "conservation": True,
        "files_match_rows": True,
        "manifest_equals_folder": True,
        "complete": True,
        "right_house": True,
        "reached": True,
        "fields": True,
        "fresh": True,
        "large_batch": True,
        "many_duplicates": True,
    }
    assert {c.partition for c in checks if isinstance(c, dg.AssetCheckEvaluation)} == {
        slug_of(_LAUNCHED)
    }


def test_the_page_shows_the_checks_of_each_house_by_itself(
    running: Deployment, instance: dg.DagsterInstance, launched: dg.DagsterRun
) -> None:
    assert launched.status is dg.DagsterRunStatus.SUCCESS

    shown = asked_of_the_page(running, _CHECKS_OF_HOUSES)

    checks = shown["assetNodeOrError"]["assetChecksOrError"]["checks"]
    # No run is under way between tests, and every house here passes all its checks.
    ended_well = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])
    houses = {run.tags[_PARTITION] for run in instance.get_runs(ended_well)}
    assert slug_of(_LAUNCHED) in houses
    assert len(checks) == 7
    for check in checks:
        told = {name: set(keys) for name, keys in check["partitionStatuses"].items()}
        assert told.pop("succeededPartitions") == houses
        assert set(told) == {"failedPartitions", "inProgressPartitions"}
        assert set().union(*told.values()) == set()


_CHECKS_OF_HOUSES = """
    { assetNodeOrError(assetKey: {path: ["manifest"]}) { ... on AssetNode {
        assetChecksOrError { ... on AssetChecks { checks { name partitionStatuses {
            ... on AssetCheckDefaultPartitionStatuses {
                succeededPartitions failedPartitions inProgressPartitions
            }
    } } } } } } }
"""


def asked_of_the_page(deployment: Deployment, query: str) -> Any:
    """What a page of the UI gets to show."""
    asked = Request(
        f"http://127.0.0.1:{deployment.settings.webserver_port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(asked) as answer:  # noqa: S310 - as above
        return json.load(answer)["data"]


def test_the_log_of_a_run_tells_what_the_stages_did(
    instance: dg.DagsterInstance, launched: dg.DagsterRun
) -> None:
    told = [
        record.user_message
        for record in instance.all_logs(launched.run_id)
        if record.dagster_event is None
    ]

    photos = len(_LAUNCHED.record.shots)
    progress = re.compile(rf"redfin: \d+ of {photos} photos, [\d.]+ MB")
    assert [line for line in told if progress.search(line)]
    assert len(told) < 40


@pytest.mark.parametrize(
    ("tags", "remedy"),
    [
        ('{"dagster/partition": "1-nowhere-st-mesa-az-85204"}', "unknown property"),
        pytest.param('{"case": "no key"}', "no partition key", marks=pytest.mark.soak),
    ],
    ids=["unknown", "missing"],
)
def test_a_bad_key_fails_at_the_first_step_once_and_leaves_no_rows(
    running: Deployment, instance: dg.DagsterInstance, tags: str, remedy: str
) -> None:
    known = {record.run_id for record in instance.get_runs()}
    with running.context() as context:
        before = list(context.catalog.content_rows())

    launch_here(running, tags=tags)

    def ended() -> dg.DagsterRun | None:
        new = [run for run in instance.get_runs() if run.run_id not in known]
        return new[0] if new and has_ended(new[0]) else None

    run = wait_for(ended)
    failures = [
        record.dagster_event.step_failure_data.error
        for record in instance.all_logs(run.run_id)
        if record.dagster_event and record.dagster_event.is_step_failure
    ]
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert len(failures) == 1
    assert remedy in str(failures[0])
    assert "phx properties" in str(failures[0])
    assert run.tags["dagster/will_retry"] == "false"
    with running.context() as context:
        assert list(context.catalog.content_rows()) == before


def test_extract_enqueues_follows_and_reports(
    running: Deployment, instance: dg.DagsterInstance, phx_on: Phx
) -> None:
    slugs = [slug_of(house) for house in _SUBMITTED]

    ended = phx_on(running, "extract", "--address", slugs[0], "--address", slugs[1])

    assert ended.code == 0, ended.err
    for slug in slugs:
        assert f"{slug}: completed" in ended.out
        assert finished(instance, slug).status is dg.DagsterRunStatus.SUCCESS
        assert len(runs_of(instance, slug)) == 1
        assert problems(running, slug) == []
    with running.context() as context:
        assert verify_views(context) == []


@pytest.mark.parametrize(
    "house",
    [_OCOTILLO, pytest.param(_LARKSTONE, marks=pytest.mark.soak)],
    ids=lambda house: house.street,
)
def test_a_run_goes_on_whatever_is_hit_with_its_worker(
    running: Deployment, instance: dg.DagsterInstance, phx_on: Phx, house: House
) -> None:
    slug = slug_of(house)

    assert phx_on(running, "extract", "--async", "--address", slug).code == 0
    first = wait_for(lambda: next(iter(runs_of(instance, slug)), None))
    worker = worker_pid(running, first, slug)
    ours = {_WORKER: worker, _FORK_SERVER: psutil.Process(worker).ppid()}
    for part, number in _HIT[house].items():
        os.kill(ours.get(part) or service_pid(running, part), number)
        if part == "daemon":  # as one leaves them whose clock was ahead
            put_ahead(instance)
    wait_for(lambda: has_gone(worker) or None)
    held = settled(running, slug)
    asked = len(running.photos_asked())
    last = finished(instance, slug)

    assert last.run_id != first.run_id
    assert last.status is dg.DagsterRunStatus.SUCCESS
    assert not held & set(running.photos_asked()[asked:])
    assert problems(running, slug) == []
    wait_for(lambda: all_answer(running) or None)


def put_ahead(instance: dg.DagsterInstance) -> None:
    """Let all sensors have looked in a month."""
    at_s = time.time() + 30 * 86_400.0
    for it in instance.all_instigator_state():
        data: Any = it.instigator_data
        if hasattr(data, "last_tick_timestamp"):
            later = data._replace(last_tick_timestamp=at_s)
            instance.update_instigator_state(it.with_data(later))


def service_pid(deployment: Deployment, name: str) -> int:
    found = supervisor_of(deployment.settings)
    assert found is not None
    (pid,) = (part.pid for part in found.parts if part.name == name)
    return pid


def has_gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def all_answer(deployment: Deployment) -> bool:
    found = state(deployment.settings)
    return bool(found and len(found.answers) == 3 and all(found.answers.values()))


def worker_pid(deployment: Deployment, run: dg.DagsterRun, slug: str) -> int:
    """The process that works on *run*, once it has stored a photo."""

    def ask() -> int | None:
        with deployment.context() as context:
            state = context.catalog.leases.state(run_lease(run.run_id))
            stored = any(photo.sha256 for photo in context.catalog.photos(slug))
        if state is None or not stored or is_dead(state.owner):
            return None
        return int(state.owner.split(":")[1])

    return wait_for(ask)


def settled(deployment: Deployment, slug: str) -> set[str]:
    """Targets of the photos that need no further request."""
    with deployment.context() as context:
        return {
            photo.ref.url.partition(".com")[2]
            for photo in context.catalog.photos(slug)
            if not is_photo_due(photo, final_after_days=1)
        }


def test_a_second_one_is_refused_in_one_line_and_changes_nothing(
    running: Deployment, phx_on: Phx
) -> None:
    settings = running.settings
    told = [settings.dagster_dir / "workspace.yaml", settings.data_dir / _LOCK]
    before = [path.read_bytes() for path in told]

    ended = phx_on(running, "up", "--port", "0")

    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert f"http://127.0.0.1:{settings.webserver_port}" in ended.err
    assert [path.read_bytes() for path in told] == before


def test_status_says_what_runs_and_that_it_answers(
    running: Deployment, phx_on: Phx
) -> None:
    port = running.settings.webserver_port
    url = f"http://127.0.0.1:{port}"

    told = phx_on(running, "status", "--service", "--json").json

    assert told["url"] == url
    assert told["answers"] == dict.fromkeys(
        ["code server", "daemon", "webserver"], True
    )
    assert f"Dagster: {url}, up since" in phx_on(running, "status").out
    with urlopen(f"http://127.0.0.1:{port}/server_info") as answer:
        assert answer.status == 200
    parts = wait_for(lambda: _ready_parts(port))
    assert parts == {"catalogue", "code server", "daemon", "dispatcher", "storage"}


def _ready_parts(port: int) -> set[str] | None:
    """What the service says is ready; None while it says that some part is off."""
    with suppress(HTTPError), urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
        return set(json.load(answer)["parts"])
    return None
