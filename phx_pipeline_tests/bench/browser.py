#!/usr/bin/env python
"""What the browser costs: minutes, pictures a minute, processor time, memory.

    .venv/bin/python -m phx_pipeline_tests.bench.browser [--houses 5] [--json]

Made-up properties with full galleries are collected from both sources at the default
pace by `phx extract --all --sync`: once by plain HTTP from open sites, once from sites
whose guard lets only a browser through. The sites answer late, as those far away do.
Their photos are drawn before the clock starts; each round has fresh stores.
"""

import json
import os
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click
import psutil

from phx_pipeline.demo.houses import House
from phx_pipeline.demo.loopback import Asked, Handler
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.standin_photos import photo_url
from phx_pipeline.sources.zillow.standin_photos import uploads
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.bench.throughput import FarAway, Remembering, full_houses
from phx_pipeline_tests.browser_site import Act, BrowserSite, several
from phx_pipeline_tests.browsers import MOST_PSS_MB, pss_mb, watched
from phx_pipeline_tests.deployment import ROOT, Deployment, slug_of

MOST_MINUTES = 12.0
TARGET_PER_MINUTE = 48.0

_SOURCES = (Source.REDFIN, Source.ZILLOW)
_ACTS = (Act.LAZY,)
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One way through all properties.

    Attributes:
        minutes: from the start of the command to its end.
        kept: pictures.
        cpu_s: processor time of `phx`, its downloads and pictures.
        browser_cpu_s: of the browsers and their screens.
        pss_mb: the most memory that browsers had together, in 10^6 bytes.
        at_once: the most browsers at once.
        browsers: that were started.
        pages: answers of the page hosts, by how and to whom.
    """

    minutes: float
    kept: int
    cpu_s: float
    browser_cpu_s: float
    pss_mb: float
    at_once: int
    browsers: int
    pages: dict[str, int]

    @property
    def per_minute(self) -> float:
        """Kept pictures a minute."""
        return self.kept / self.minutes


@click.command()
@click.option("--houses", "count", default=5, show_default=True, help="At most 5.")
@click.option("--latency-ms", default=150, show_default=True, help="Of each answer.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def main(*, count: int, latency_ms: int, as_json: bool) -> None:
    """Measure plain HTTP and the browser beside it."""
    with tempfile.TemporaryDirectory() as place:
        bench = _Bench(full_houses()[:count], late_s=latency_ms / 1000, at=Path(place))
        rounds = {
            "plain HTTP": bench.measure("plain", guarded=False),
            "browser": bench.measure("browser", guarded=True),
        }
    if as_json:
        click.echo(json.dumps({name: asdict(it) for name, it in rounds.items()}))
        return
    click.echo("\n".join(_table(list(rounds), list(rounds.values()), houses=count)))


class _Bench:
    """What both rounds share: houses, drawn photos, latency, a folder."""

    def __init__(self, houses: Sequence[House], *, late_s: float, at: Path) -> None:
        self._houses = houses
        self._late_s = late_s
        self._folder = at
        self._photos: dict[str, Remembering] = {}

    def measure(self, name: str, *, guarded: bool) -> Round:
        sites = [
            BrowserSite(
                source=source,
                houses=self._houses,
                guarded=guarded,
                acts=_ACTS if guarded else (),
            )
            for source in _SOURCES
        ]
        with self._deployment(name, sites, browser="auto" if guarded else "off") as it:
            it.add_houses(self._houses)
            return _timed(it, sites)

    def _deployment(
        self, name: str, sites: Sequence[BrowserSite], **changed: object
    ) -> Deployment:
        handlers = self._with_drawn_photos(several(*sites))
        root = self._folder / name
        made = Deployment(root, handlers, sources=_SOURCES, pace_percent=100, **changed)
        made.standin = FarAway(handlers, folder=root / "sites", late_s=self._late_s)
        return made

    def _with_drawn_photos(self, handlers: dict[str, Handler]) -> dict[str, Handler]:
        for url in _photo_urls(self._houses):
            parts = urlsplit(url)
            host = parts.netloc
            photos = self._photos.setdefault(host, Remembering(handlers[host]))
            photos(Asked(host=host, method="GET", target=parts.path, headers={}, at=0))
        return handlers | self._photos


def _photo_urls(houses: Sequence[House]) -> Iterator[str]:
    for house in houses:
        for position in range(len(house.record.shots)):
            yield photo_url(house.record, position=position)
        yield from (upload.url() for upload in uploads(house))


def _timed(made: Deployment, sites: Sequence[BrowserSite]) -> Round:
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - the tests' own command
        made.command("extract", "--all", "--sync"),
        env=made.env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    with watched(made) as seen, _accounted(process.pid, made) as spent:
        code = process.wait()
    minutes = (time.monotonic() - began) / 60
    if code:
        raise click.ClickException(f"phx extract ended with {code}")
    for lost in _lost(made, sites[0].houses):
        click.echo(lost, err=True)
    return Round(
        minutes=minutes,
        kept=_kept(made),
        cpu_s=spent.cpu_s(of_browsers=False),
        browser_cpu_s=spent.cpu_s(of_browsers=True),
        pss_mb=spent.pss_mb,
        at_once=seen.most_at_once,
        browsers=seen.started,
        pages=dict(sum((site.pages for site in sites), Counter[str]())),
    )


def _lost(made: Deployment, houses: Sequence[House]) -> Iterator[str]:
    """Tell of galleries that did not come whole."""
    with made.context() as context:
        for house in houses:
            shown = {
                Source.REDFIN: len(house.record.shots),
                Source.ZILLOW: len(uploads(house)),
            }
            for tally in context.tally(slug_of(house)).sources:
                if tally.discovered != (most := shown[tally.source]):
                    yield (
                        f"{tally.slug}: {tally.source} gave {tally.discovered} photos "
                        f"of {most}"
                    )


def _kept(made: Deployment) -> int:
    with made.context() as context:
        slugs = context.catalog.slugs()
        for slug in slugs:
            if problems := verify_property(context, slug):
                raise click.ClickException(problems[0].text)
        return sum(context.tally(slug).count(VerdictKind.KEPT) for slug in slugs)


class _Spent:
    """Processor seconds by process, as last seen; what ends between looks is lost."""

    def __init__(self, pid: int) -> None:
        self._first = psutil.Process(pid)
        self._own: dict[int, float] = {}
        self._browsers: dict[int, float] = {}
        self.pss_mb = 0.0

    def look(self) -> None:
        """See what each process of the command has used up to now."""
        with suppress(psutil.Error):
            self._note(self._first, self._own)
            for process in self._first.children(recursive=True):
                self._note(process, self._browsers)

    def _note(self, process: psutil.Process, seconds: dict[int, float]) -> None:
        with suppress(psutil.Error):
            times = process.cpu_times()
            seconds[process.pid] = times.user + times.system

    def cpu_s(self, *, of_browsers: bool) -> float:
        """What all of one kind have used."""
        return sum((self._browsers if of_browsers else self._own).values())


@contextmanager
def _accounted(pid: int, made: Deployment) -> Iterator[_Spent]:
    spent, over = _Spent(pid), threading.Event()

    def look() -> None:
        looks = 0
        while not over.wait(_LOOK_S):
            spent.look()
            looks += 1
            if looks % 10 == 0:
                spent.pss_mb = max(spent.pss_mb, pss_mb(made))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield spent
    finally:
        over.set()
        watch.join()


def _table(
    names: Sequence[str], rounds: Sequence[Round], *, houses: int
) -> Iterator[str]:
    def line(label: str, tell: Callable[[Round], str]) -> str:
        return f"{label:38}" + "".join(f"{tell(found):>16}" for found in rounds)

    yield f"{houses} properties, {os.cpu_count()} processors"
    yield " " * 38 + "".join(f"{name:>16}" for name in names)
    yield line("minutes", lambda it: f"{it.minutes:.1f}")
    yield line("pictures kept", lambda it: str(it.kept))
    yield line("pictures kept a minute", lambda it: f"{it.per_minute:.0f}")
    yield line("CPU of phx a property, s", lambda it: f"{it.cpu_s / houses:.1f}")
    yield line(
        "CPU of browsers a property, s", lambda it: f"{it.browser_cpu_s / houses:.1f}"
    )
    yield line("memory of the browsers, MB (PSS)", lambda it: f"{it.pss_mb:.0f}")
    yield line("browsers at once", lambda it: str(it.at_once))
    yield line("browsers started", lambda it: str(it.browsers))
    for how in sorted({how for it in rounds for how in it.pages}):
        yield line(f"pages {how}", lambda it, how=how: str(it.pages.get(how, 0)))  # type: ignore[misc]  # binds the loop's value
    yield (
        f"target: at most {MOST_MINUTES:.0f} minutes, {TARGET_PER_MINUTE:.0f} pictures "
        f"a minute, {MOST_PSS_MB:.0f} MB a browser"
    )


if __name__ == "__main__":
    main()
