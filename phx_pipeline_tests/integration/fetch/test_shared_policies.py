"""Pace, Retry-After and circuit hold over processes: real ones, against a stand-in.

What counts is the stand-in's log of arrivals. Its times are of `time.monotonic`, which
all processes of a machine share.
"""

import asyncio
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.demo.loopback import Answer, Asked, Handler, Loopback
from phx_pipeline.errors import FetchError
from phx_pipeline.fetch.base import Fetcher, Request, RequestKind
from phx_pipeline.fetch.breaker import BreakerRules
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.fetch.pacing import PacingRules
from phx_pipeline.fetch.policies import Rules
from phx_pipeline.fetch.retries import Backoff
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState

HOST = "www.redfin.com"
PROCESSES = 4
START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one process does: ask, again and again for some seconds, or once."""

    name: str
    url: str
    proxy: str
    folder: Path
    base_s: float
    seconds: float = 0.0
    kind: RequestKind = RequestKind.API
    attempts: int = 1
    times: int = 1


def work(job: Job) -> list[str]:
    """Do *job* once everybody is ready; return how each request ended."""
    engine = open_engine(job.url)
    try:
        return asyncio.run(_ask(job, CatalogPolicies(engine)))
    finally:
        engine.dispose()


async def _ask(job: Job, policies: CatalogPolicies) -> list[str]:
    rules = Rules(
        pacing=PacingRules(base_s=job.base_s, jitter_s=(0.0, 0.0)),
        breaker=BreakerRules(),
    )
    fetcher = build_fetcher(
        allowed={Source.REDFIN: (HOST,)},
        proxy=job.proxy,
        ca_file=job.folder / "ca.pem",
        attempts=job.attempts,
        backoff=Backoff(initial_s=0.01, ceiling_s=0.01, jitter_s=0),
        policies=policies,
        rules=lambda _: rules,
    )
    async with aclosing(fetcher):
        _wait_for_the_others(job)
        ends_at = time.monotonic() + job.seconds
        ends: list[str] = []
        while time.monotonic() < ends_at or len(ends) < job.times:
            ends.append(await _end_of(fetcher, job, number=len(ends)))
        return ends


async def _end_of(fetcher: Fetcher, job: Job, *, number: int) -> str:
    request = Request(
        url=f"https://{HOST}/{job.name}/{number}?since={time.monotonic()}",
        source=Source.REDFIN,
        kind=job.kind,
        timeout_s=10,
    )
    try:
        await fetcher.get(request)
    except FetchError as error:
        return type(error).__name__
    return "answered"


def _wait_for_the_others(job: Job) -> None:
    (job.folder / f"{job.name}.ready").touch()
    limit = time.monotonic() + START_LIMIT_S
    while not (job.folder / "go").exists():
        assert time.monotonic() < limit, "the other processes did not start"
        time.sleep(0.002)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A stand-in, a catalogue, and processes that ask the one through the other."""

    site: Loopback
    job: Job
    pool: ProcessPoolExecutor

    def start(self, **changes: object) -> list["Future[list[str]]"]:
        """Let all processes begin at once."""
        jobs = [
            replace(self.job, name=f"p{n}", **changes)  # type: ignore[arg-type]  # fields of any type
            for n in range(PROCESSES)
        ]
        under_way = [self.pool.submit(work, job) for job in jobs]
        limit = time.monotonic() + START_LIMIT_S
        while not all((job.folder / f"{job.name}.ready").exists() for job in jobs):
            assert time.monotonic() < limit, "the processes did not start"
            time.sleep(0.002)
        (self.job.folder / "go").touch()
        return under_way

    def ends(self, **changes: object) -> list[list[str]]:
        """How each request ended, by process."""
        return [under_way.result(60) for under_way in self.start(**changes)]

    @property
    def arrivals(self) -> list[float]:
        return [asked.at for asked in self.site.asked]

    @property
    def overtakings(self) -> list[int]:
        """For each request: how often one other process came first while it waited."""
        came = [(_name(asked), asked.at) for asked in self.site.asked]
        found = []
        for asked in self.site.asked:
            since = float(asked.target.partition("since=")[2])
            first = Counter(name for name, at in came if since < at < asked.at)
            found.append(max(first.values(), default=0))
        return found

    @property
    def shares(self) -> Counter[str]:
        return Counter(map(_name, self.site.asked))


def _name(asked: Asked) -> str:
    return asked.target.split("/")[1]


@pytest.fixture
def begin(tmp_path: Path, url: str, processes: ProcessPoolExecutor) -> "Begin":
    return Begin(folder=tmp_path, url=url, pool=processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Opens a scene around a stand-in."""

    folder: Path
    url: str
    pool: ProcessPoolExecutor

    @contextmanager
    def __call__(self, handler: Handler, *, base_s: float) -> Iterator[Scene]:
        with Loopback({HOST: handler}, folder=self.folder) as site:
            job = Job(
                name="",
                url=self.url,
                proxy=site.proxy_url,
                folder=self.folder,
                base_s=base_s,
            )
            yield Scene(site=site, job=job, pool=self.pool)


def fine(_asked: Asked) -> Answer:
    return Answer(body=b"fine")


def test_four_processes_keep_one_rate_and_share_it_fairly(begin: Begin) -> None:
    rate = 10

    with begin(fine, base_s=1 / rate) as scene:
        ends = scene.ends(seconds=5.0)

    assert {end for process in ends for end in process} == {"answered"}
    arrivals = scene.arrivals
    assert [
        (first, count)
        for first in arrivals
        if (count := sum(first <= at < first + 1.0 for at in arrivals)) > rate + 1
    ] == []
    assert set(scene.shares) == {"p0", "p1", "p2", "p3"}
    # A process that the machine keeps from asking has no claim to a share.
    assert max(scene.overtakings) <= 2


def test_a_retry_after_silences_every_process_also_one_that_starts_later(
    begin: Begin,
) -> None:
    wish_s = 5.0
    limited = threading.Event()
    asked_first: list[float] = []

    def site(asked: Asked) -> Answer:
        asked_first.append(asked.at)
        if len(asked_first) != PROCESSES:
            return fine(asked)
        limited.set()
        return Answer(status=429, headers={"Retry-After": f"{wish_s:g}"})

    with begin(site, base_s=0.2) as scene:
        under_way = scene.start(seconds=6.5, attempts=3)
        assert limited.wait(START_LIMIT_S)
        clean = multiprocessing.get_context("forkserver")
        late = clean.Process(target=work, args=(replace(scene.job, name="late"),))
        late.start()
        late.join(START_LIMIT_S)
        ends = [end for process in under_way for end in process.result(60)]

    began = asked_first[PROCESSES - 1]
    assert [at - began for at in scene.arrivals if began < at < began + wish_s] == []
    assert late.exitcode == 0
    assert scene.shares["late"] == 1
    assert set(scene.shares) == {"p0", "p1", "p2", "p3", "late"}
    assert set(ends) == {"answered"}


def test_an_open_circuit_stops_processes_that_had_no_failure(begin: Begin) -> None:
    with begin(lambda _: Answer(status=500), base_s=0.01) as scene:
        ends = scene.ends(times=3)

    assert len(scene.arrivals) in range(3, 3 + PROCESSES)
    failed = [end for process in ends for end in process if end == "TransientError"]
    opened = [end for process in ends for end in process if end == "CircuitOpenError"]
    assert len(failed) == len(scene.arrivals)
    assert len(failed) + len(opened) == 3 * PROCESSES


def test_half_open_lets_exactly_one_probe_through(begin: Begin, url: str) -> None:
    def slow(_asked: Asked) -> Answer:
        time.sleep(0.3)  # so that the others come while the probe is under way
        return Answer(status=500)

    let_the_rest_be_over(url, "redfin/photos")

    with begin(slow, base_s=0.0) as scene:
        ends = scene.ends(kind=RequestKind.PHOTO)

    assert len(scene.arrivals) == 1
    assert sorted(end for process in ends for end in process) == [
        "CircuitOpenError",
        "CircuitOpenError",
        "CircuitOpenError",
        "TransientError",
    ]


def test_a_block_outlives_the_process_that_met_it(begin: Begin) -> None:
    with begin(lambda _: Answer(status=403), base_s=0.01) as scene:
        (scene.job.folder / "go").touch()
        first = scene.pool.submit(work, replace(scene.job, name="first")).result(60)
        second = scene.pool.submit(work, replace(scene.job, name="second")).result(60)

    assert (first, second) == (["BlockedError"], ["CircuitOpenError"])
    assert scene.shares == {"first": 1}


def let_the_rest_be_over(url: str, name: str) -> None:
    """Open the circuit as it was opened long ago."""
    engine = open_engine(url)

    def rested(state: SourceState, now_s: float) -> tuple[SourceState, None]:
        long_ago = replace(state, opened_at=now_s - 400, open_until=now_s - 100)
        return long_ago, None

    CatalogPolicies(engine).change(name, rested)
    engine.dispose()
