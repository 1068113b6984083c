"""The client straight on a catalogue: handing in, watching, calling off, again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.client import Client, Progress, connect
from phx_pipeline.client.direct import CatalogClient
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import IdempotencyError, InputError, UnknownJobError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import JobState, Mode, Origin, Priority
from phx_pipeline.model.source import Source
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.runs import recorded
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.deployment import Deployment, slug_of, with_shots
from phx_pipeline_tests.jobs import see_runs

HOUSE, OTHER = (with_shots(house, 0, 1) for house in HOUSES[:2])


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, redfin_sites([HOUSE, OTHER])) as deployment:
        deployment.add_houses([HOUSE, OTHER])
        yield deployment


@pytest.fixture
def client(made: Deployment, use_settings: UseSettings) -> Iterator[Client]:
    use_settings(made.settings)
    with connect() as opened:
        yield opened


def test_what_is_handed_in_is_what_is_shown(client: Client, made: Deployment) -> None:
    job = client.job(
        client.submit(
            [HOUSE.address, slug_of(HOUSE)],
            sources=["redfin"],
            mode=Mode.FRESH,
            priority=Priority.HIGH,
            isolation=IsolationMode.OFF_SCREEN,
        )
    )

    assert [item.slug for item in job.items] == [slug_of(HOUSE)]
    assert (job.user, job.origin) == (made.settings.user, Origin.CLI)
    assert (job.sources, job.mode) == ((Source.REDFIN,), Mode.FRESH)
    assert (job.priority, job.isolation) == (Priority.HIGH, IsolationMode.OFF_SCREEN)
    assert job.state is JobState.PENDING


def test_the_newest_jobs_come_first_and_only_those_asked_for(client: Client) -> None:
    first, second, third = (client.submit("all") for _ in range(3))
    client.cancel(second)

    assert [job.job_id for job in client.jobs(limit=2)] == [third, second]
    waiting = client.jobs(states={JobState.PENDING})
    assert [job.job_id for job in waiting] == [third, first]
    assert client.jobs(user="nobody") == []


def test_deeds_are_noted_in_the_audit_trail(client: Client, made: Deployment) -> None:
    assert isinstance(client, CatalogClient)
    job_id = client.submit("all", idempotency_key="k")
    client.submit("all", idempotency_key="k")
    client.cancel(job_id)
    client.cancel(job_id)

    noted = client.context.catalog.audit.entries(limit=9)

    assert [(it.user, it.action, it.target, it.detail) for it in noted] == [
        (made.settings.user, "job.cancel", job_id, ""),
        (made.settings.user, "job.submit", job_id, "2 properties"),
    ]


def test_a_key_of_ones_own_gives_the_same_job_again(client: Client) -> None:
    first = client.submit(slug_of(HOUSE), idempotency_key="k")

    assert client.submit(HOUSE.address, idempotency_key="k") == first
    with pytest.raises(IdempotencyError):
        client.submit("all", idempotency_key="k")


def test_an_unknown_job_is_told_with_the_nearest_one(client: Client) -> None:
    job_id = client.submit("all")

    for ask in (client.job, client.cancel, client.retry):
        with pytest.raises(UnknownJobError, match=f"did you mean {job_id}"):
            ask(job_id[:-1])


def test_an_unknown_house_makes_no_job(client: Client) -> None:
    with pytest.raises(InputError, match=r"unknown property .9-nowhere-rd"):
        client.submit([HOUSE.address, "9 Nowhere Rd, Mesa, AZ 85201"])

    assert client.jobs() == []


def test_fewer_jobs_than_one_are_refused(client: Client) -> None:
    with pytest.raises(InputError, match="limit -1 lists no job"):
        client.jobs(limit=-1)


def test_a_job_waits_for_those_that_are_under_way(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(client, CatalogClient)
    monkeypatch.setattr(client, "is_served", lambda: True)
    catalog, at = client.context.catalog, client.context.stamp().at
    first = client.submit(slug_of(OTHER))
    see_runs(catalog, catalog.jobs.items(first), at=at)

    waits_for = client.progress(client.submit(slug_of(HOUSE))).waits_for

    assert waits_for == "its turn, 1 property of other jobs under way"
    fresh = client.submit(slug_of(OTHER), mode=Mode.FRESH)
    waits_for = client.progress(fresh).waits_for
    assert waits_for == f"the run of {slug_of(OTHER)} for job {first} to end"


def test_waiting_for_what_nobody_does_ends_with_the_time(client: Client) -> None:
    job_id = client.submit("all")

    with pytest.raises(TimeoutError, match=f"job {job_id} has not ended after 0 s"):
        client.wait(job_id, timeout_s=0)


def test_the_photos_of_runs_at_work_are_told_until_the_job_has_ended(
    client: Client,
) -> None:
    assert isinstance(client, CatalogClient)
    slug = slug_of(HOUSE)
    job_id = client.submit(slug)
    seen: list[Progress] = []

    def show(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 1:  # in place of a worker of Dagster
            run = client.context.for_run("run-1", job_id=job_id)
            asyncio.run(extract(run, slug, sources=None, mode=Mode.FRESH))

    client.poll_s = 0
    job = client.wait(job_id, on_progress=show)

    assert job.state is JobState.COMPLETED
    assert (job.total_images, job.new_images, job.failed_properties_list) == (2, 2, [])
    assert seen[0].waits_for.startswith("a Dagster daemon, and none")
    assert (seen[-1].decided, seen[-1].waits_for) == (2, "")
    with pytest.raises(InputError, match="nothing to retry"):
        client.retry(job_id)
    other = client.submit(slug, sources=["zillow"], mode=Mode.FRESH)
    run = client.context.for_run("run-2", job_id=other)
    with recorded(run, slug, mode=Mode.FRESH):
        assert client.progress(other).photos == {}  # those of redfin are not its own
