"""Hundreds of houses wait, one more comes; jobs are cancelled, and all is killed.

What took how long is printed; `pytest -m soak -s` shows it.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg
import httpx
import psutil
import pytest

from phx_pipeline.catalog.leases import is_dead, process_owner
from phx_pipeline.defs.internals import NOT_FINISHED_STATUSES
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.run_queue import DagsterRuns
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.defs.tags import JOB_TAG
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import ServiceError
from phx_pipeline.jobs.desk import Desk
from phx_pipeline.model.address import Address
from phx_pipeline.model.due import is_photo_due
from phx_pipeline.model.identity import run_lease
from phx_pipeline.model.job import USER_TAG, JobState, Origin
from phx_pipeline.model.source import Source
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.supervise.lock import running
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.browser_site import BrowserSite, several
from phx_pipeline_tests.browsers import browsers, processes
from phx_pipeline_tests.chromium import find_chromium
from phx_pipeline_tests.dagster_runs import run_of
from phx_pipeline_tests.dagster_ui import ASSETS
from phx_pipeline_tests.deployment import PHOTO_HOST, Deployment, slug_of, with_shots
from phx_pipeline_tests.expected import expected_verdicts
from phx_pipeline_tests.jobs import ask_job
from phx_pipeline_tests.postgres import PostgresServer
from phx_pipeline_tests.served import up, wait_for

pytestmark = pytest.mark.soak

_STATUS = dg.DagsterRunStatus
_PARTITION = "dagster/partition"
_WAITING = 500
_SLOTS = 3
_QUEUED = 2 * _SLOTS - 1  # of one user
_PATIENCE_S = 1200.0  # Dagster makes one to five runs of a backfill a second
_WORDS = ("daemon", "code server", "webserver", "run worker")


def told(text: str) -> None:
    """Say what was measured."""
    print(text, flush=True)  # noqa: T201 - what the module is for


def clones(house: House, count: int, *shots: int) -> list[House]:
    """As many houses with few pictures, all of them others."""
    small = with_shots(house, *shots)
    return [_clone(small, number) for number in range(count)]


def _clone(house: House, number: int) -> House:
    drawn = tuple(
        replace(shot, seed=shot.seed + 1000 * (number + 1), size=(640, 426))
        for shot in house.record.shots
    )
    record = replace(
        house.record,
        shots=drawn,
        mls_id=str(int(house.record.mls_id) + 7 * (number + 1)),
        first_photo_id=house.record.first_photo_id + 100 * (number + 1),
    )
    return replace(
        house,
        number=str(1000 + 2 * number),
        home_id=house.home_id + number + 1,
        listing_id=house.listing_id + number + 1,
        record=record,
    )


def unlisted(count: int) -> list[str]:
    """Addresses that no site knows: their runs end after one question."""
    return [f"{7000 + number} E Nowhere Ln, Mesa, AZ 85204" for number in range(count)]


def late(photos: Handler, *, by_s: float) -> Handler:
    """The same photos, each of which takes its time; one at a time."""

    def handle(asked: Asked) -> Answer:
        time.sleep(by_s)
        return photos(asked)

    return handle


@contextmanager
def world(
    root: Path,
    houses: Sequence[House],
    *,
    photo_s: float = 0.0,
    more: Sequence[str] = (),
    dagster_pg_url: str | None = None,
) -> Iterator[tuple[Deployment, dg.DagsterInstance]]:
    """`phx up` over some houses, and Dagster's store in this process."""
    sites = redfin_sites(houses)
    sites |= {PHOTO_HOST: late(sites[PHOTO_HOST], by_s=photo_s)}
    with Deployment(
        root,
        sites,
        webserver_port=free_port(),
        lease_ttl_s=2,
        dagster_pg_url=dagster_pg_url,
    ) as made:
        slugs = set(made.add([*(house.address for house in houses), *more]))
        with up(made), open_instance(made.settings) as instance:
            name = str(PROPERTIES.name)
            wait_for(
                lambda: slugs <= set(instance.get_dynamic_partitions(name)) or None
            )
            yield made, instance


def ask(made: Deployment, user: str, job_id: str, slugs: Sequence[str]) -> None:
    """Submit a job as its user."""
    with made.context() as context:
        at = context.stamp().at
        ask_job(context.catalog, job_id, slugs, at=at, user=user)


@contextmanager
def desk(made: Deployment, instance: dg.DagsterInstance) -> Iterator[Desk]:
    """Where a user cancels jobs and looks at them."""
    with made.context() as context:
        catalog = context.catalog
        runs = DagsterRuns(instance, catalog.leases)
        yield Desk(
            catalog.jobs, catalog.dispatch, states=runs, queue=runs, clock=utc_now
        )


def jobs_ended(
    made: Deployment, instance: dg.DagsterInstance, job_ids: Sequence[str]
) -> bool | None:
    """Whether jobs came to their end by themselves; None as long as not."""
    with desk(made, instance) as there:
        return all(there.job(job_id).state.is_final for job_id in job_ids) or None


# --- turns ----------------------------------------------------------------------------


def test_a_house_does_not_wait_for_a_job_of_hundreds(tmp_path: Path) -> None:
    with waiting_room(tmp_path) as room:
        ask(room.made, "ann", "hundreds", room.hundreds)
        wait_for(lambda: count(room.instance, _STATUS.QUEUED) == _QUEUED or None)

        begun = room.next_after_asking()

        with desk(room.made, room.instance) as there:
            waiting = there.job("hundreds").counts[JobState.PENDING]
            there.cancel("hundreds")

    assert waiting > _WAITING - 3 * _SLOTS
    assert begun == room.single


def test_a_house_does_not_wait_for_a_backfill_of_hundreds(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create("dagster_backfill")  # SQLite takes longer
    with waiting_room(tmp_path, dagster_pg_url=url) as room:
        began = time.monotonic()
        launch_backfill(room.made, room.hundreds)
        wait_for(
            lambda: count(room.instance, _STATUS.QUEUED) >= _WAITING or None,
            patience_s=_PATIENCE_S,
        )
        told(f"backfill: {_WAITING} runs after {time.monotonic() - began:.0f} s")

        begun = room.next_after_asking()

        (backfill,) = room.instance.get_backfills()
        with desk(room.made, room.instance) as there:
            job = there.job(f"backfill-{backfill.backfill_id}")

    assert begun == room.single
    assert (job.origin, len(job.items)) == (Origin.BACKFILL, _WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRoom:
    """A deployment all of whose slots are taken, by runs of this process."""

    made: Deployment
    instance: dg.DagsterInstance
    held: Sequence[dg.DagsterRun]
    hundreds: Sequence[str]
    single: str

    def next_after_asking(self) -> str:
        """Ask for the single house, free a slot; return the house that gets it."""
        asked = time.time()
        ask(self.made, "bob", "one", [self.single])
        wait_for(lambda: self._queued(self.single) or None)
        told(f"in the queue after {time.time() - asked:.1f} s")
        freed = time.time()
        self.instance.report_run_canceled(self.held[0])
        record = wait_for(self._begun)
        told(
            f"STARTED {(record.start_time or 0.0) - freed:.1f} s after a slot was free"
        )
        return slug(record)

    def _queued(self, key: str) -> bool:
        runs = runs_of(self.instance, key)
        return any(it.dagster_run.status is _STATUS.QUEUED for it in runs)

    def _begun(self) -> dg.RunRecord | None:
        ours = {run.run_id for run in self.held}
        begun = dg.RunsFilter(statuses=[_STATUS.STARTED, _STATUS.SUCCESS])
        records = self.instance.get_run_records(begun)
        return next((it for it in records if it.dagster_run.run_id not in ours), None)


@contextmanager
def waiting_room(
    root: Path, *, dagster_pg_url: str | None = None
) -> Iterator[WaitingRoom]:
    """Hundreds of houses, one more, and three runs that take all slots."""
    addresses, listed = unlisted(_WAITING), clones(HOUSES[0], _SLOTS + 1, 0)
    with world(root, listed, more=addresses, dagster_pg_url=dagster_pg_url) as (
        made,
        instance,
    ):
        *holding, single = map(slug_of, listed)
        tags = {USER_TAG: "ann"}  # her runs are at work, and hundreds wait
        held = [
            instance.add_run(run_of(key, _STATUS.STARTED, **tags)) for key in holding
        ]
        with made.context() as context, ExitStack() as leases:
            for run in held:
                owner = process_owner(run.run_id)
                hold = context.catalog.leases.hold(run_lease(run.run_id), owner=owner)
                leases.enter_context(hold)
            yield WaitingRoom(
                made=made,
                instance=instance,
                held=held,
                hundreds=[Address.parse(address).slug for address in addresses],
                single=single,
            )


def launch_backfill(made: Deployment, slugs: Sequence[str]) -> None:
    """Ask for all assets of houses as the dialog of the UI does."""
    mutation = (
        "mutation($params: LaunchBackfillParams!) { launchPartitionBackfill"
        "(backfillParams: $params) { __typename } }"
    )
    assets = [{"path": [name]} for name in ASSETS]
    params = {"assetSelection": assets, "partitionNames": list(slugs), "tags": []}
    url = f"http://127.0.0.1:{made.settings.webserver_port}"
    answer = httpx.post(
        f"{url}/graphql",
        json={"query": mutation, "variables": {"params": params}},
        headers={"origin": url},
        timeout=120,
    )
    named = answer.json()["data"]["launchPartitionBackfill"]["__typename"]
    assert named == "LaunchBackfillSuccess"


def is_busy(instance: dg.DagsterInstance) -> bool:
    """Whether all that may wait for the slots does."""
    full = count(instance, _STATUS.STARTED) == _SLOTS
    return full and count(instance, _STATUS.QUEUED) == _QUEUED


_STARTING = dg.DagsterEventType.PIPELINE_STARTING


def moment(
    instance: dg.DagsterInstance, record: dg.RunRecord, kind: dg.DagsterEventType
) -> float:
    """When a run came to a station, in seconds."""
    return instance.all_logs(record.dagster_run.run_id, of_type=kind)[0].timestamp


def test_users_and_jobs_come_in_turn_and_houses_in_their_order(tmp_path: Path) -> None:
    addresses = unlisted(18)
    slugs = [Address.parse(address).slug for address in addresses]
    jobs = {"long": slugs[:8], "short": slugs[8:12], "other": slugs[12:]}
    users = {"long": "ann", "short": "ann", "other": "bob"}
    with Deployment(
        tmp_path, redfin_sites([]), webserver_port=free_port(), lease_ttl_s=2
    ) as made:
        made.add(addresses)
        for job_id, keys in jobs.items():
            ask(made, users[job_id], job_id, keys)
        with up(made), open_instance(made.settings) as instance:
            wait_for(lambda: jobs_ended(made, instance, list(jobs)))
            records = sorted(instance.get_run_records(), key=lambda it: it.storage_id)
            by_slot = sorted(records, key=lambda it: moment(instance, it, _STARTING))
    made_in = [record.dagster_run.tags[JOB_TAG] for record in records]
    told(" ".join(made_in))

    assert made_in == ["long", "other", "short", "other"] * 3 + ["long", "short"] + [
        "long"
    ] * (8 - 4)
    for job_id, keys in jobs.items():
        assert [
            slug(r) for r in by_slot if r.dagster_run.tags[JOB_TAG] == job_id
        ] == keys


def slug(record: dg.RunRecord) -> str:
    return record.dagster_run.tags[_PARTITION]


def count(instance: dg.DagsterInstance, *statuses: dg.DagsterRunStatus) -> int:
    return int(instance.get_runs_count(dg.RunsFilter(statuses=list(statuses))))


def runs_of(instance: dg.DagsterInstance, key: str) -> list[dg.RunRecord]:
    """The runs of a house, the newest first."""
    return list(instance.get_run_records(dg.RunsFilter(tags={_PARTITION: key})))


# --- cancelling -----------------------------------------------------------------------


@pytest.mark.skipif(
    find_chromium() is None or shutil.which("Xvfb") is None,
    reason="Chromium or Xvfb is not installed",
)
def test_a_job_in_mid_download_is_cancelled_and_can_be_resumed(tmp_path: Path) -> None:
    houses = clones(HOUSES[0], 20, 0, 1, 2, 3, 4, 5)
    site = BrowserSite(source=Source.REDFIN, houses=houses)
    sites = several(site)
    sites = {**sites, PHOTO_HOST: late(sites[PHOTO_HOST], by_s=1.0)}
    port = free_port()
    with Deployment(
        tmp_path, sites, webserver_port=port, lease_ttl_s=2, browser="auto"
    ) as made:
        slugs = made.add_houses(houses)
        with up(made), open_instance(made.settings) as instance:
            ask(made, "ann", "twenty", slugs)
            wait_for(lambda: browsers(made) or None)
            wait_for(lambda: held(made) or None)
            wait_for(lambda: is_busy(instance) or None)
            with desk(made, instance) as there:
                began = time.monotonic()
                job = there.cancel("twenty")
                took_s = time.monotonic() - began
                told(f"cancelled in {took_s:.2f} s: {dict(job.counts)}")
            open_runs = count(instance, *NOT_FINISHED_STATUSES)
            left = processes(made)
            kept = held(made)
            wait_for(lambda: jobs_ended(made, instance, ["twenty"]))
            wait_for(lambda: not processes(made) or None)
            with made.context() as context:
                problems = [it for key in slugs for it in verify_property(context, key)]
            with desk(made, instance) as there:
                states = {item.state for item in there.job("twenty").items}

    assert open_runs == 0
    assert left == []
    assert kept
    assert job.state is JobState.CANCELLED
    assert states <= {JobState.CANCELLED, JobState.COMPLETED}
    assert problems == []


def held(made: Deployment) -> set[str]:
    """Targets of the photos whose outcome is settled in the catalogue."""
    with made.context() as context:
        return {
            photo.ref.url.partition(".com")[2]
            for key in context.catalog.slugs()
            for photo in context.catalog.photos(key)
            if not is_photo_due(photo, final_after_days=1)
        }


# --- killing --------------------------------------------------------------------------


def test_whatever_is_killed_every_job_ends_completed(tmp_path: Path) -> None:
    houses = clones(HOUSES[0], 24, 0, 2, 3)
    with world(tmp_path, houses, photo_s=0.5) as (made, instance):
        slugs = [slug_of(house) for house in houses]
        ask(made, "ann", "first", slugs[:12])
        ask(made, "bob", "second", slugs[12:])
        moments = [killed(made, instance, target) for target in _WORDS]
        wait_for(lambda: jobs_ended(made, instance, ["first", "second"]))
        with desk(made, instance) as there:
            states = [there.job(job_id).state for job_id in ("first", "second")]
        asked = made.photos_asked()
        with made.context() as context:
            problems = [each for key in slugs for each in verify_property(context, key)]
            kept = [
                {p.ref.photo_key: p.verdict for p in context.catalog.photos(key)}
                for key in slugs
            ]

    assert states == [JobState.COMPLETED] * 2
    assert kept == [expected_verdicts(house) for house in houses]
    assert problems == []
    for known, before in moments:
        assert not known & set(asked[before:])


def killed(
    made: Deployment, instance: dg.DagsterInstance, target: str
) -> tuple[set[str], int]:
    """Kill a process amid work and wait until all goes on.

    Returns:
        The photos that were held then, and how many requests there had been.
    """
    wait_for(lambda: (queue_is_full(instance) and held(made)) or None)
    pid, key = wait_for(lambda: pid_of(made, instance, target))
    known, before = held(made), len(made.photos_asked())
    at = time.time()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: is_back(made, instance, target, pid=pid, key=key, at=at) or None)
    told(f"{target}: killed, recovered after {time.time() - at:.1f} s")
    return known, before


def queue_is_full(instance: dg.DagsterInstance) -> bool:
    return bool(count(instance, _STATUS.QUEUED) and count(instance, _STATUS.STARTED))


def pid_of(
    made: Deployment, instance: dg.DagsterInstance, target: str
) -> tuple[int, str] | None:
    """The process to kill, and of a run worker the house it works on."""
    if target != "run worker":
        with suppress(ServiceError):
            found = running(made.settings)
            for part in found.parts if found else ():
                if part.name == target and psutil.pid_exists(part.pid):
                    return part.pid, ""
        return None
    with made.context() as context:
        for run in instance.get_runs(dg.RunsFilter(statuses=[_STATUS.STARTED])):
            state = context.catalog.leases.state(run_lease(run.run_id))
            if state and state.owner and not is_dead(state.owner):
                return int(state.owner.split(":")[1]), run.tags[_PARTITION]
    return None


def is_back(
    made: Deployment,
    instance: dg.DagsterInstance,
    target: str,
    *,
    pid: int,
    key: str,
    at: float,
) -> bool:
    """Whether what was killed does its work again."""
    if target == "run worker":
        newest = runs_of(instance, key)[0]
        return (newest.start_time or 0.0) > at
    now = pid_of(made, instance, target)
    if now is None or now[0] == pid:
        return False
    if target == "webserver":
        with suppress(httpx.HTTPError):
            url = f"http://127.0.0.1:{made.settings.webserver_port}/server_info"
            return httpx.get(url).is_success
        return False
    begun = dg.RunsFilter(statuses=[_STATUS.STARTED, _STATUS.SUCCESS])
    records = instance.get_run_records(begun)
    return any((record.start_time or 0.0) > at for record in records)
