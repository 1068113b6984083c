#!/usr/bin/env python
"""How many pictures a minute come out of the whole pipeline, and what bounds it.

    .venv/bin/python -m phx_pipeline_tests.bench.throughput [--json]
    .venv/bin/python -m phx_pipeline_tests.bench.throughput --overhead \\
        --houses 10 --photos 45 --peer PYTHON

Five made-up properties with full galleries go through daemon and queue with the
default settings, three at once and then one at a time. The stand-in sites answer late,
as sites far away do, but with all the bandwidth there is. Their photos are drawn before
the clock starts, by an extraction that is not counted; every round has fresh stores.

With `--overhead` the same properties are collected by `phx extract --all --sync` and
through the queue, and through the queue once more, with nothing new; the processor time
of all processes is compared. A Python that has gallery-dl, imagehash and Pillow is
compared with them (`predecessor`).
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import cycle
from math import ceil
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import click
import dagster as dg

from phx_pipeline.demo.houses import HOUSES, Flaw, House, Shot
from phx_pipeline.demo.loopback import Answer, Asked, Handler, Loopback
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.job import JobState
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.settings import parse_sources
from phx_pipeline.sources.redfin.standin_photos import photo_url
from phx_pipeline.sources.zillow.standin_photos import uploads
from phx_pipeline.stages.extract import extract
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.bench.predecessor import PYTHON, collect
from phx_pipeline_tests.dagster_runs import item_runs
from phx_pipeline_tests.deployment import ROOT, Deployment
from phx_pipeline_tests.jobs import ask_job
from phx_pipeline_tests.served import Served, serving, wait_for

TARGET_PER_MINUTE = 64.0

_GALLERIES = (48, 44, 41, 50, 45)
_SEEDS = 10_000  # of the drawings of one house
_SIZE = (1280, 853)
_NEXT_BLOCK = 100  # house numbers
_LIMIT = "max_concurrent_runs: 3"  # as dagster.yaml has it
_SITES = {Source.REDFIN: redfin_sites, Source.ZILLOW: zillow_sites}
_PATIENCE_S = 1800.0
_REST_S = 3.0
_AT_REST = 0.1  # of a processor: more means that something is being started
_FULL = 0.8  # of the processors: more means that they bound it
_STEPS = (
    "discovered_urls",
    "raw_images",
    "deduped_images",
    "categorized_images",
    "manifest",
)
_LABELS = {
    "deduped_images": "comparing and encoding",
    "categorized_images": "categorizing",
    "manifest": "publishing and checking",
}
_WAITING = "waiting for a place in the queue"


@click.command()
@click.option("--sources", default="redfin", show_default=True, help="Comma-separated.")
@click.option("--latency-ms", default=150, show_default=True, help="Of each answer.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--houses", default=5, show_default=True, help="How many properties.")
@click.option("--photos", type=int, help="Of each; by default 41 to 50.")
@click.option("--overhead", is_flag=True, help="What the queue costs beside --sync.")
@click.option("--peer", type=PYTHON, help="A Python that has gallery-dl.")
def main(
    *,
    sources: str,
    latency_ms: int,
    as_json: bool,
    houses: int,
    photos: int | None,
    overhead: bool,
    peer: Path | None,
) -> None:
    """Measure three properties at once, and one at a time beside it."""
    with tempfile.TemporaryDirectory() as place:
        bench = _bench(
            full_houses(houses, photos=photos),
            parse_sources(sources, by="--sources"),
            latency_ms / 1000,
            folder=Path(place),
        )
        expected = bench.rehearse()
        if overhead:
            click.echo(json.dumps(bench.overhead(peer=peer)))
            return
        rounds = [bench.measure(at_once=at_once) for at_once in (3, 1)]
    if lost := [found.kept for found in rounds if found.kept != expected]:
        raise click.ClickException(f"{lost[0]} pictures were kept, not {expected}")
    report = _report(bench, rounds)
    if as_json:
        click.echo(json.dumps(report))
        return
    for name in ("sources", "latency_ms", "photo_kib", "processors"):
        click.echo(f"{name}: {report[name]}")
    click.echo("\n".join(_table(rounds)))
    click.echo(
        f"target: {TARGET_PER_MINUTE:.0f} a minute; three at once are "
        f"{report['speedup']} times as fast; bound by {report['bound']}"
    )


def _bench(
    houses: Sequence[House],
    sources: tuple[Source, ...],
    late_s: float,
    *,
    folder: Path,
) -> "_Bench":
    sites = {
        host: Remembering(handler)
        for source in sources
        for host, handler in _SITES[source](houses).items()
    }
    return _Bench(
        houses=houses, sites=sites, sources=sources, late_s=late_s, folder=folder
    )


# --- the properties and the sites


def full_houses(
    count: int = len(_GALLERIES), *, photos: int | None = None
) -> list[House]:
    """Houses like the demo's with galleries as long as real ones, no photo twice."""
    return [
        _full_house(number, photos=photos or _GALLERIES[number % len(_GALLERIES)])
        for number in range(count)
    ]


def _full_house(number: int, *, photos: int) -> House:
    turn, at = divmod(number, len(_GALLERIES))
    house = HOUSES[at]
    record = replace(
        house.record,
        shots=_shots(number + 1, photos),
        mls_id=f"{house.record.mls_id}{turn or ''}",
        first_photo_id=house.record.first_photo_id + _SEEDS * turn,
    )
    return replace(
        house,
        number=str(int(house.number) + _NEXT_BLOCK * turn),
        home_id=house.home_id + turn,
        listing_id=house.listing_id + turn,
        apn=f"{house.apn}{turn or ''}",
        record=record,
    )


def _shots(number: int, count: int) -> tuple[Shot, ...]:
    patterns = [
        shot
        for house in HOUSES
        for shot in house.record.shots
        if not shot.copied
        and shot.flaw is Flaw.NONE
        and shot.kind is not RoomKind.FLOOR_PLAN
    ]
    return tuple(
        replace(pattern, seed=_SEEDS * number + at, size=_SIZE, orientation=1)
        for at, pattern in zip(range(count), cycle(patterns))
    )


class Remembering:
    """Gives an answer a second time without making it again."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.answers: dict[str, Answer] = {}

    def __call__(self, asked: Asked) -> Answer:
        if asked.target not in self.answers:
            self.answers[asked.target] = self._handler(asked)
        return self.answers[asked.target]


class _Late:
    """A reader that hands on each request, and each CONNECT, after some time."""

    def __init__(self, reader: asyncio.StreamReader, *, by_s: float) -> None:
        self._reader = reader
        self._by_s = by_s

    async def readuntil(self, separator: bytes) -> bytes:
        head = await self._reader.readuntil(separator)
        await asyncio.sleep(self._by_s)
        return head

    async def readexactly(self, count: int) -> bytes:
        return await self._reader.readexactly(count)


class FarAway(Loopback):
    """Stand-in sites that answer late; requests on other connections do not wait."""

    def __init__(
        self, sites: Mapping[str, Handler], *, folder: Path, late_s: float
    ) -> None:
        super().__init__(sites, folder=folder)
        self._late_s = late_s

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        late = _Late(reader, by_s=self._late_s)
        await super()._talk(late, writer)  # type: ignore[arg-type]  # all that is used of a reader


# --- one round


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One way through the queue, from submitting to the end of the last run.

    Attributes:
        at_once: runs at once.
        kept: pictures.
        wall_s: from the written job to the end of the last run.
        busy: share of all processors' time that was used, stand-ins included.
        others: share that other work on this computer used meanwhile.
        pipeline_cpu_s: processor time of all processes of the pipeline.
        sites_cpu_s: of the stand-ins and of this program.
        phases_s: seconds of each phase, summed over the properties.
        requests: to pages and to photo hosts.
    """

    at_once: int
    kept: int
    wall_s: float
    busy: float
    others: float
    pipeline_cpu_s: float
    sites_cpu_s: float
    phases_s: Mapping[str, float]
    requests: Mapping[str, int]

    @property
    def per_minute(self) -> float:
        """Kept pictures per minute of wall time."""
        return self.kept / self.wall_s * 60

    @property
    def bound(self) -> str:
        """What holds it up: the processors, or the longest phase of a property."""
        if self.busy + self.others >= _FULL:
            return f"the processors: {self.busy + self.others:.0%} busy"
        own = {phase: s for phase, s in self.phases_s.items() if phase != _WAITING}
        return max(own, key=lambda phase: own[phase])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What all rounds share."""

    houses: Sequence[House]
    sites: Mapping[str, Remembering]
    sources: tuple[Source, ...]
    late_s: float
    folder: Path

    def deployment(self, name: str, **changed: object) -> Deployment:
        made = Deployment(
            self.folder / name, self.sites, sources=self.sources, **changed
        )
        made.standin = FarAway(
            self.sites, folder=made.root / "standin", late_s=self.late_s
        )
        return made

    def rehearse(self) -> int:
        """Have all answers made; return how many pictures are to be kept.

        Photos are drawn outside of requests: those would not wait that long.
        """
        for url in self._photo_urls():
            place = urlsplit(url)
            self.sites[place.netloc](
                Asked(
                    host=place.netloc, method="GET", target=place.path, headers={}, at=0
                )
            )
        with self.deployment("rehearsal") as made, made.context() as context:
            made.add_houses(self.houses)
            tallies = [
                asyncio.run(extract(context, slug)) for slug in context.catalog.slugs()
            ]
            return sum(tally.count(VerdictKind.KEPT) for tally in tallies)

    def _photo_urls(self) -> Iterator[str]:
        for house in self.houses:
            if Source.REDFIN in self.sources:
                for position in range(len(house.record.shots)):
                    yield photo_url(house.record, position=position)
            if Source.ZILLOW in self.sources:
                yield from (upload.url() for upload in uploads(house))

    def measure(self, *, at_once: int) -> Round:
        home = self.folder / f"home{at_once}"
        home.mkdir()
        (home / "dagster.yaml").write_text(_with_limit(at_once))
        with self.deployment(
            f"round{at_once}",
            pace_percent=100,
            dagster_home=home,
            webserver_port=free_port(),
        ) as made:
            made.add_houses(self.houses)
            with serving(made) as running:
                return _timed(running, at_once=at_once, late_s=self.late_s)

    def overhead(self, *, peer: Path | None) -> dict[str, float]:
        """Processor seconds of the same work without and with the queue."""
        sync_s = self._sync_cpu_s()
        queue_s, again_s = self._queue_cpu_s()
        return {
            "--sync, CPU s": round(sync_s, 2),
            "queue, CPU s": round(queue_s, 2),
            "ratio": round(queue_s / sync_s, 2),
            "queue, nothing new, CPU s of a run": round(again_s / len(self.houses), 2),
            **({"gallery-dl, CPU s": self._peer_cpu_s(peer)} if peer else {}),
        }

    def _sync_cpu_s(self) -> float:
        with self.deployment("sync", pace_percent=100) as made:
            made.add_houses(self.houses)
            before_s = children_cpu_s()
            # A child of its own: the forks that tests make are another process's.
            done = subprocess.run(  # noqa: S603 - our own command
                made.command("extract", "--all", "--sync"),
                env=made.env,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=_PATIENCE_S,
                check=False,
            )
            if done.returncode:
                raise click.ClickException(done.stderr)
            return children_cpu_s() - before_s

    def _queue_cpu_s(self) -> list[float]:
        given = {"pace_percent": 100, "webserver_port": free_port()}
        with self.deployment("queue", **given) as made:
            made.add_houses(self.houses)
            with serving(made) as running:
                wait_for(_is_at_rest, patience_s=_PATIENCE_S)
                return [_through_queue(running) for _ in range(2)]

    def _peer_cpu_s(self, python: Path) -> float:
        with self.deployment("peer") as made:
            before_s = children_cpu_s()
            collect(
                python,
                list(self._photo_urls()),
                folder=made.root / "photos",
                settings=made.settings,
            )
            return round(children_cpu_s() - before_s, 2)


def children_cpu_s() -> float:
    """Processor seconds of the children of this process that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _is_at_rest() -> bool | None:
    """Whether all processes of the service have started, and wait for work."""
    before_s = _descendants_cpu_s()
    time.sleep(_REST_S)
    return _descendants_cpu_s() - before_s < _AT_REST * _REST_S or None


def _through_queue(running: Served) -> float:
    """What all processes of the service spend until a job has ended and is shown."""
    before_s = _descendants_cpu_s()
    job_id, slugs = _submit(running)
    wait_for(lambda: _ended(running, job_id, slugs=slugs), patience_s=_PATIENCE_S)
    with running.deployment.context() as context:
        is_stale = context.catalog.views.is_stale
        wait_for(lambda: None if is_stale() else True, patience_s=_PATIENCE_S)
    return _descendants_cpu_s() - before_s


def _with_limit(at_once: int) -> str:
    text = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
    if _LIMIT not in text:
        raise click.ClickException(f"dagster.yaml has no `{_LIMIT}`")
    return text.replace(_LIMIT, f"max_concurrent_runs: {at_once}")


def _timed(running: Served, *, at_once: int, late_s: float) -> Round:
    pipeline_s, sites_s = _descendants_cpu_s(), time.process_time()
    all_s, began = _all_cpu_s(), time.time()
    job_id, slugs = _submit(running)
    runs = wait_for(
        lambda: _ended(running, job_id, slugs=slugs), patience_s=_PATIENCE_S
    )
    pipeline_s = _descendants_cpu_s() - pipeline_s
    sites_s = time.process_time() - sites_s
    spent_s, took_s = pipeline_s + sites_s, time.time() - began
    all_s = _all_cpu_s() - all_s
    processors = os.cpu_count() or 1
    ends = [_phases(running.instance, run, began=began) for run in runs]
    wall_s = max(end for end, _ in ends) - began
    return Round(
        at_once=at_once,
        kept=_kept(running, slugs),
        wall_s=wall_s,
        busy=spent_s / (took_s * processors),
        others=(all_s - spent_s) / (took_s * processors),
        pipeline_cpu_s=pipeline_s,
        sites_cpu_s=sites_s,
        phases_s=_explained(
            _summed([phases for _, phases in ends]), running=running, late_s=late_s
        ),
        requests=_requests(running.deployment),
    )


def _submit(running: Served) -> tuple[str, list[str]]:
    """Write a job for all properties, as `phx extract --all` does."""
    job_id = uuid4().hex[:12]
    with running.deployment.context() as context:
        slugs = context.catalog.slugs()
        ask_job(context.catalog, job_id, slugs, sources=(), at=context.stamp().at)
    return job_id, slugs


def _ended(
    running: Served, job_id: str, *, slugs: Sequence[str]
) -> list[dg.DagsterRun] | None:
    runs = item_runs(running.instance, job_id)
    if set(runs) < set(slugs) or not all(run.state.is_final for run in runs.values()):
        return None
    if lost := [slug for slug in slugs if runs[slug].state is not JobState.COMPLETED]:
        raise click.ClickException(f"not every run succeeded: {', '.join(lost)}")
    ids = [run.run_id for run in runs.values()]
    return list(running.instance.get_runs(dg.RunsFilter(run_ids=ids)))


def _phases(
    instance: dg.DagsterInstance, run: dg.DagsterRun, *, began: float
) -> tuple[float, dict[str, float]]:
    """Return when a run ended, and its seconds by phase since the job was written."""
    at: dict[tuple[str | None, dg.DagsterEventType], float] = {}
    for record in instance.all_logs(run.run_id):
        if (event := record.dagster_event) is not None:
            at.setdefault((event.step_key, event.event_type), record.timestamp)
    launched = at[None, dg.DagsterEventType.PIPELINE_STARTING]
    started = at[None, dg.DagsterEventType.PIPELINE_START]
    ended = at[None, dg.DagsterEventType.PIPELINE_SUCCESS]
    steps = {
        step: at[step, dg.DagsterEventType.STEP_SUCCESS]
        - at[step, dg.DagsterEventType.STEP_START]
        for step in _STEPS
    }
    around = ended - started - sum(steps.values())
    waits = {_WAITING: launched - began, "starting the worker": started - launched}
    return ended, {**waits, **steps, "Dagster around the steps": around}


def _summed(all_phases: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {
        phase: sum(phases[phase] for phases in all_phases) for phase in all_phases[0]
    }


def _explained(
    phases: dict[str, float], *, running: Served, late_s: float
) -> dict[str, float]:
    """Split asking and downloading into the latency they cannot avoid and the rest."""
    settings = running.deployment.settings
    with running.deployment.context() as context:
        galleries = [
            len(context.catalog.photos(slug)) for slug in context.catalog.slugs()
        ]
    connects = len(galleries) * len(settings.sources)
    asked = _requests(running.deployment)["pages"] + connects
    turns = connects + sum(ceil(count / settings.downloads) for count in galleries)
    waits, steps = dict(list(phases.items())[:2]), dict(list(phases.items())[2:])
    asking_s, downloading_s = steps.pop("discovered_urls"), steps.pop("raw_images")
    return {
        **waits,
        "latency of the pages": asked * late_s,
        "pace of the pages, and reading them": asking_s - asked * late_s,
        "latency of the photos, at least": turns * late_s,
        "receiving and examining the photos": downloading_s - turns * late_s,
        **{_LABELS.get(step, step): seconds for step, seconds in steps.items()},
    }


def _kept(running: Served, slugs: Sequence[str]) -> int:
    """How many pictures were kept; what does not agree ends the measurement."""
    with running.deployment.context() as context:
        for slug in slugs:
            if problems := verify_property(context, slug):
                raise click.ClickException(problems[0].text)
        return sum(context.tally(slug).count(VerdictKind.KEPT) for slug in slugs)


def _requests(deployment: Deployment) -> dict[str, int]:
    hosts = [asked.host for asked in deployment.standin.asked]
    pages = sum(host.startswith("www.") for host in hosts)
    return {"pages": pages, "photos": len(hosts) - pages}


def _all_cpu_s() -> float:
    """Processor seconds that were used on this computer since it started."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def _descendants_cpu_s() -> float:
    """Processor seconds of all processes below this one, those that ended included."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended, so its parent has its time
            continue
        pid = int(stat.parent.name)
        parents[pid] = int(fields[1])
        spent[pid] = sum(map(int, fields[11:15]))
    ticks = sum(spent[pid] for pid in parents if _is_below(pid, parents))
    return ticks / os.sysconf("SC_CLK_TCK")


def _is_below(pid: int, parents: Mapping[int, int]) -> bool:
    while (pid := parents.get(pid, 0)) > 1:
        if pid == os.getpid():
            return True
    return False


# --- telling


def _report(bench: _Bench, rounds: Sequence[Round]) -> dict[str, object]:
    photos = [
        len(answer.body)
        for site in bench.sites.values()
        for answer in site.answers.values()
        if answer.headers.get("content-type") == "image/jpeg"
    ]
    return {
        "sources": [source.value for source in bench.sources],
        "latency_ms": round(bench.late_s * 1000),
        "properties": len(bench.houses),
        "photo_kib": round(statistics.median(photos) / 1024),
        "processors": os.cpu_count(),
        "target_per_minute": TARGET_PER_MINUTE,
        "bound": rounds[0].bound,
        "speedup": round(rounds[0].per_minute / rounds[-1].per_minute, 2),
        "rounds": [
            {**asdict(found), "per_minute": found.per_minute} for found in rounds
        ],
    }


def _table(rounds: Sequence[Round]) -> Iterator[str]:
    def line(label: str, tell: Callable[[Round], str]) -> str:
        return f"{label:38}" + "".join(f"{tell(found):>18}" for found in rounds)

    yield line("properties at once", lambda found: str(found.at_once))
    yield line("pictures kept", lambda found: str(found.kept))
    yield line("wall time, s", lambda found: f"{found.wall_s:.1f}")
    yield line("pictures kept per minute", lambda found: f"{found.per_minute:.0f}")
    yield line("page requests", lambda found: str(found.requests["pages"]))
    yield line("photo requests", lambda found: str(found.requests["photos"]))
    yield line("CPU of the pipeline, s", lambda found: f"{found.pipeline_cpu_s:.1f}")
    yield line("CPU of the stand-ins, s", lambda found: f"{found.sites_cpu_s:.1f}")
    yield line("processors busy", lambda found: f"{found.busy:.0%}")
    yield line("processors busy with other work", lambda found: f"{found.others:.0%}")
    for phase in rounds[0].phases_s:
        yield line(phase, lambda found, phase=phase: _share(found, phase))  # type: ignore[misc]  # binds the loop's value


def _share(found: Round, phase: str) -> str:
    seconds = found.phases_s[phase]
    return f"{seconds:.1f} s {seconds / sum(found.phases_s.values()):4.0%}"


if __name__ == "__main__":
    main()
