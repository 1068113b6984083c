"""The client by HTTP: the same values and errors as straight on the catalogue."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
import uvicorn

from phx_pipeline.client import Client, connect
from phx_pipeline.client.direct import CatalogClient
from phx_pipeline.client.remote import RemoteClient
from phx_pipeline.client.transport import Transport
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.errors import (
    InputError,
    ServiceError,
    UnknownJobError,
    UnknownPropertyError,
)
from phx_pipeline.jobs.quota import Limits
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Job, JobState, Mode, Origin, Priority
from phx_pipeline.service.api.app import Fork
from phx_pipeline.service.api.rest import build_rest
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.service.bounds import Bounds
from phx_pipeline.service.entrance import guarded
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.trail import Trail
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment, slug_of
from phx_pipeline_tests.queue_stand_in import QueueStandIn
from phx_pipeline_tests.rest import nothing_else
from phx_pipeline_tests.served import wait_for

HOUSE, OTHER = HOUSES[:2]


class Losing:
    """A proxy in front of *app* that loses the first answers to what changes things."""

    def __init__(self, app: Any, *, answers: int) -> None:
        self._app = app
        self.left = answers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET" or not self.left:
            await self._app(scope, receive, send)
            return
        self.left -= 1

        async def lose(_message: Any) -> None:
            pass

        await self._app(scope, receive, lose)
        await send({"type": "http.response.start", "status": 502, "headers": []})
        await send({"type": "http.response.body", "body": b"Bad Gateway"})


@contextmanager
def listening(
    made: Deployment, *, losing: int = 0, cert: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """The REST interface of *made* on loopback; Dagster's part stands in."""
    stores, port = Stores(made.settings), free_port()
    opening = partial(build_catalog, made.settings)
    queue = QueueStandIn(utc_now)
    rest = build_rest(stores, runs=lambda _catalog: queue, checks={})
    way_in = guarded(
        Fork(nothing_else, rest),
        reach=Reach(port=port),
        user=made.settings.user,
        trail=Trail(opening, clock=utc_now),
        open_catalog=opening,
        bounds=Bounds(
            limits=Limits(),
            users_of=set,
            missing_runs=set,
            open_catalog=opening,
            clock=utc_now,
        ),
        clock=utc_now,
    )
    app = Losing(way_in, answers=losing)
    certfile, keyfile = cert or (None, None)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            log_level="error",
            lifespan="off",
            ssl_certfile=certfile,
            ssl_keyfile=keyfile,
        )
    )
    thread = Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started or None)
        yield f"{'https' if cert else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
        stores.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(tmp_path_factory.mktemp("served"), {}) as deployment:
        deployment.add_houses([HOUSE, OTHER])
        yield deployment


@pytest.fixture(scope="module")
def server(made: Deployment) -> Iterator[str]:
    with listening(made) as url:
        yield url


@pytest.fixture
def both(made: Deployment, server: str) -> Iterator[tuple[Client, Client]]:
    """The same jobs, by HTTP and on the catalogue."""
    with ExitStack() as stack:
        remote = stack.enter_context(RemoteClient.at(server, key=None, ca_file=None))
        yield remote, stack.enter_context(CatalogClient.on(made.settings))


def told(job: Job) -> Job:
    """The job as a document tells it: in whole seconds."""
    return replace(job, created_at=job.created_at.replace(microsecond=0))


def test_a_job_is_the_same_by_http_as_on_the_catalogue(
    both: tuple[Client, Client],
) -> None:
    remote, here = both

    job_id = remote.submit(
        [HOUSE.address, slug_of(OTHER)],
        sources=["redfin"],
        mode=Mode.FRESH,
        priority=Priority.LOW,
        isolation=IsolationMode.NONE,
    )

    job = remote.job(job_id)
    assert job == told(here.job(job_id))
    assert (job.origin, job.priority) == (Origin.API, Priority.LOW)
    assert job.isolation is IsolationMode.NONE
    assert [item.slug for item in job.items] == [slug_of(HOUSE), slug_of(OTHER)]
    assert remote.progress(job_id).job == job


def test_jobs_are_listed_page_by_page_and_by_state(
    both: tuple[Client, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    remote, here = both
    monkeypatch.setattr("phx_pipeline.client.remote._PAGE", 2)
    made = [remote.submit("all") for _ in range(5)]

    gone = remote.cancel(made[1])
    listed = remote.jobs(limit=5)

    assert gone.state is JobState.CANCELLED
    assert [job.job_id for job in listed] == made[::-1]
    assert [job.state for job in listed] == [job.state for job in here.jobs(limit=5)]
    assert remote.jobs(states={JobState.QUEUED}) == []  # a state of houses
    cancelled = {job.job_id for job in remote.jobs(states={gone.state})}
    assert cancelled & set(made) == {made[1]}


def test_a_key_makes_one_job_of_many_calls(both: tuple[Client, Client]) -> None:
    remote, _ = both
    first = remote.submit("all", idempotency_key="k")

    assert remote.submit("all", idempotency_key="k") == first
    with pytest.raises(InputError, match="idempotency key 'k'"):
        remote.submit(slug_of(HOUSE), idempotency_key="k")


def test_errors_are_those_of_the_catalogue(both: tuple[Client, Client]) -> None:
    job_id = both[0].submit("all")

    for client in both:
        with pytest.raises(UnknownJobError, match="no job 'nowhere'"):
            client.job("nowhere")
        with pytest.raises(UnknownJobError):
            client.cancel("nowhere")
        with pytest.raises(InputError, match="nothing to retry"):
            client.retry(job_id)
        with pytest.raises(UnknownPropertyError, match="`phx properties list`"):
            client.submit("9 Nowhere Rd, Mesa, AZ 85201")


def test_what_is_asked_by_tls_and_has_none_is_told_as_such(server: str) -> None:
    asked = server.replace("http", "https")

    with (
        RemoteClient.at(asked, key=None, ca_file=None) as client,
        pytest.raises(ServiceError, match=f"speaks plain HTTP: write {server} "),
    ):
        client.jobs()


def test_a_job_that_waits_says_what_for(both: tuple[Client, Client]) -> None:
    remote, here = both
    job_id = remote.submit("all")

    assert remote.progress(job_id).waits_for == "its turn at the service"
    assert here.progress(job_id).waits_for.endswith(
        "none is running: `phx up` starts one"
    )
    remote.cancel(job_id)
    assert remote.progress(job_id).waits_for == ""


def test_the_commands_work_by_http(phx_on: Phx, made: Deployment, server: str) -> None:
    at = ["--server", server]

    handed_in = phx_on(made, "extract", "--all", "--async", *at)
    job_id = handed_in.out.split()[1].removesuffix(":")

    assert f"job {job_id}: 2 properties enqueued\n" in handed_in.out
    assert job_id in phx_on(made, "jobs", *at).out
    assert phx_on(made, "job", job_id, "--cancel", *at).code == 0
    ended = phx_on(made, "extract", "--job-id", job_id, *at)
    assert ended.code == 5
    assert f"cancelled: {slug_of(HOUSE)}" in ended.out
    with connect(server) as client:
        assert client.job(job_id).state is JobState.CANCELLED


def test_an_answer_that_was_lost_makes_no_second_job(made: Deployment) -> None:
    pauses: list[float] = []
    with listening(made, losing=2) as url:
        client = RemoteClient(Transport(url, sleep=pauses.append))
        with client, CatalogClient.on(made.settings) as here:
            before = {job.job_id for job in here.jobs()}
            job_id = client.submit("all")

            assert {job.job_id for job in here.jobs()} - before == {job_id}
    assert pauses == [0.5, 1.0]


def test_a_certificate_is_trusted_by_the_file_of_its_authority(
    made: Deployment, tmp_path: Path
) -> None:
    authority = trustme.CA()
    ca_file, own, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(str(ca_file))
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(own))
    issued.private_key_pem.write_to_path(str(key))
    with listening(made, cert=(own, key)) as url:
        with RemoteClient.at(url, key=None, ca_file=ca_file) as client:
            assert client.jobs(user="nobody") == []
        with (
            RemoteClient.at(url, key=None, ca_file=None) as stranger,
            pytest.raises(ServiceError, match=r"is not trusted .* PHX_CA_FILE"),
        ):
            stranger.jobs()
        other = url.replace("127.0.0.1", "localhost")
        with (
            RemoteClient.at(other, key=None, ca_file=ca_file) as misnamed,
            pytest.raises(ServiceError, match="a name that is in it"),
        ):
            misnamed.jobs()
        plain = url.replace("https", "http")
        with (
            Transport(plain, sleep=lambda _: None) as hasty,
            pytest.raises(ServiceError, match=f"is it {url} "),
        ):
            hasty.ask("GET", "/healthz")
