"""Houses of sites that refuse plain HTTP, collected by a real Chromium under Xvfb.

URLs are the real ones, through the proxy that maps them to stand-ins. What a single
page may do to a browser is tested beside the browser's code.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import SourceTally
from phx_pipeline.sources.zillow import Zillow
from phx_pipeline.sources.zillow.standin_photos import uploads
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.workflows.verify import verify_property, verify_views
from phx_pipeline_tests.browser_site import FOREIGN, Act, BrowserSite, blocking, several
from phx_pipeline_tests.browsers import (
    browsers,
    processes,
    profiles,
    started_by,
    wait_until_gone,
    watched,
)
from phx_pipeline_tests.chromium import find_chromium
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment, slug_of, with_shots
from phx_pipeline_tests.forked import ended, start_phx
from phx_pipeline_tests.served import up, wait_for

pytestmark = [
    pytest.mark.skipif(
        find_chromium() is None or shutil.which("Xvfb") is None,
        reason="Chromium or Xvfb is not installed",
    ),
]

# Zillow answers the search for the first with its page, for the second with a list.
PAIR = tuple(with_shots(house, 0, 1, 2, 3) for house in HOUSES[:2])
FIRST, SECOND = PAIR
BOTH = (Source.REDFIN, Source.ZILLOW)
_PATIENCE_S = 120.0

Records = Callable[[str, object], None]


def site_of(source: Source, *acts: Act, **changed: object) -> BrowserSite:
    return BrowserSite(source=source, houses=PAIR, acts=acts, **changed)  # type: ignore[arg-type]  # named by each test


def deployed(root: Path, *sites: BrowserSite, **changed: object) -> Deployment:
    """An installation that asks these sites, with a browser."""
    sources = tuple(site.source for site in sites)
    settings = {"browser": "auto", "sources": sources} | changed
    return Deployment(root, several(*sites), **settings)


def tally_of(made: Deployment, house: House, source: Source) -> SourceTally:
    with made.context() as context:
        sources = context.tally(slug_of(house)).sources
    return next(tally for tally in sources if tally.source is source)


def gallery_of(house: House, source: Source) -> int:
    """How many photos the site shows of a house."""
    shown = house.record.shots if source is Source.REDFIN else uploads(house)
    return len(shown)


def circuits(phx_on: Phx, made: Deployment) -> Mapping[str, str]:
    """The state of each circuit, by its name."""
    rows = phx_on(made, "sources", "--json").json
    return {row["name"]: row["state"] for row in rows}


# --- the whole path, of two houses, from both sources


class Collected:
    """What one `phx extract --all --sync` did."""

    def __init__(self, root: Path) -> None:
        self.sites = {source: site_of(source, Act.LAZY, Act.FOREIGN) for source in BOTH}
        self.made = deployed(root, *self.sites.values())

    def run(self) -> None:
        self.made.add_houses(PAIR)
        with watched(self.made) as self.seen:
            self.done = self.made.phx("extract", "--all", "--sync")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collected]:
    collected = Collected(tmp_path_factory.mktemp("whole"))
    with collected.made:
        collected.run()
        yield collected


# All that looks at one collection is run by one worker.
on_the_collection = pytest.mark.xdist_group("browser")


@on_the_collection
@pytest.mark.parametrize("source", BOTH)
@pytest.mark.parametrize("house", PAIR, ids=["first", "second"])
def test_the_whole_gallery_comes_through_the_browser(
    collected: Collected, house: House, source: Source
) -> None:
    tally = tally_of(collected.made, house, source)

    assert collected.done.returncode == 0, collected.done.stdout
    assert (tally.outcome, tally.wanting) == (ListingOutcome.LISTED, 0)
    assert tally.discovered == gallery_of(house, source)
    assert tally.count(VerdictKind.KEPT) + tally.count(VerdictKind.DUPLICATE) > 2
    with collected.made.context() as context:
        assert list(verify_property(context, slug_of(house))) == []


@on_the_collection
def test_plain_http_is_asked_once_and_the_second_house_starts_in_the_browser(
    collected: Collected,
) -> None:
    for site in collected.sites.values():
        assert site.pages["refused plain"] == 1
        assert site.pages["served plain"] == 0
        assert site.pages["served browser"] >= 4
        assert site.told.count("rest") == 2


@on_the_collection
def test_nothing_is_let_through_to_foreign_hosts(collected: Collected) -> None:
    """The proxy writes down every host that it is asked for and has no site of."""
    tried = [told for site in collected.sites.values() for told in site.told]

    assert tried.count(f"refused {' '.join(FOREIGN)}") == 4
    assert collected.made.standin.refused == []


@on_the_collection
def test_the_browser_says_nothing_that_marks_it(collected: Collected) -> None:
    visits = [visit for site in collected.sites.values() for visit in site.visits]

    assert {visit["webdriver"] for visit in visits} == {"false"}
    assert {visit["zone"] for visit in visits} == {"America/Phoenix"}
    assert {visit["languages"] for visit in visits} == {"en-US,en"}
    assert {visit["hidden"] for visit in visits} == {"false"}
    assert all("Headless" not in visit["agent"] for visit in visits)


@on_the_collection
def test_the_browsers_are_few_and_leave_nothing(collected: Collected) -> None:
    assert 1 <= collected.seen.most_at_once <= len(BOTH)
    wait_until_gone(collected.made)
    assert profiles(collected.made) == []


@on_the_collection
def test_the_commands_tell_which_way_each_source_is_asked(
    collected: Collected, phx_on: Phx
) -> None:
    found = circuits(phx_on, collected.made)
    status = phx_on(collected.made, "status")

    for source in BOTH:
        assert found[source] == "open"
        assert found[f"{source}/browser"] == "closed"
        assert found[f"{source}/photos"] == "closed"
    assert "2 of 2 properties complete" in status.out


@pytest.mark.soak
def test_the_queue_collects_by_the_browser_too(tmp_path: Path) -> None:
    sites = [site_of(source, Act.LAZY) for source in BOTH]
    with deployed(tmp_path, *sites, webserver_port=free_port()) as made:
        made.add_houses([FIRST])
        with up(made):
            done = made.phx("extract", "--all")

        assert done.returncode == 0, done.stdout
        for source in BOTH:
            tally = tally_of(made, FIRST, source)
            assert (tally.outcome, tally.wanting) == (ListingOutcome.LISTED, 0)
            assert tally.discovered == gallery_of(FIRST, source)
        assert processes(made) == []
        assert profiles(made) == []


# --- what a source may do


def outcomes(made: Deployment, source: Source) -> list[ListingOutcome | None]:
    """How the pair ended, in the order in which it was asked for."""
    with made.context() as context:
        slugs = context.catalog.slugs()
    by_slug = {slug_of(house): house for house in PAIR}
    return [tally_of(made, by_slug[slug], source).outcome for slug in slugs]


def test_photos_under_an_overlay_are_taken_and_the_source_stops(
    tmp_path: Path, phx_on: Phx
) -> None:
    site = site_of(Source.ZILLOW, Act.OVERLAY)
    with deployed(tmp_path, site) as made:
        first, _ = made.add_houses(PAIR)

        made.phx("extract", "--all", "--sync")

        assert outcomes(made, Source.ZILLOW) == [
            ListingOutcome.LISTED,
            ListingOutcome.CIRCUIT_OPEN,
        ]
        house = next(house for house in PAIR if slug_of(house) == first)
        tally = tally_of(made, house, Source.ZILLOW)
        assert (tally.discovered, tally.wanting) == (
            gallery_of(house, Source.ZILLOW),
            0,
        )
        assert circuits(phx_on, made)["zillow/browser"] == "open"


def test_a_hard_block_stores_nothing_and_starts_no_second_browser(
    tmp_path: Path, shared_dir: Path, phx_on: Phx
) -> None:
    page = (shared_dir / "samples/zillow/block_px_2025-04.html").read_bytes()
    site = site_of(Source.ZILLOW, block=blocking(page))
    with deployed(tmp_path, site) as made:
        made.add_houses(PAIR)

        with watched(made) as seen:
            made.phx("extract", "--all", "--sync")
            again = made.phx("extract", "--all", "--sync")

        assert outcomes(made, Source.ZILLOW)[1] is ListingOutcome.CIRCUIT_OPEN
        assert site.pages["blocked plain"] == site.pages["blocked browser"] == 1
        assert seen.started == 1
        assert circuits(phx_on, made)["zillow/browser"] == "open"
        assert "phx ingest" in again.stdout
        asked = {place.removesuffix(":443") for place in made.standin.refused}
        assert all(host.endswith(Zillow.browser_hosts) for host in asked), asked
        with made.context() as context:
            assert not any(map(context.catalog.photos, context.catalog.slugs()))
            assert list(verify_views(context)) == []


def test_runs_that_wait_for_the_browser_ask_nothing_after_a_refusal(
    tmp_path: Path, shared_dir: Path
) -> None:
    page = (shared_dir / "samples/zillow/block_px_2025-04.html").read_bytes()
    site = site_of(Source.ZILLOW, block=blocking(page))
    with deployed(tmp_path, site) as made:
        slugs = made.add_houses(PAIR)
        with watched(made) as seen:
            runs = [
                start_phx("extract", "--address", slug, "--sync", env=made.env)
                for slug in slugs
            ]
            codes = [ended(run, patience_s=_PATIENCE_S) for run in runs]

        assert None not in codes
    assert site.pages["blocked browser"] == seen.started == 1


# --- what may end a run or a browser


def until_endless(site: BrowserSite) -> None:
    """Wait until a page holds its browser up."""
    wait_for(lambda: "endless" in site.told or None, patience_s=_PATIENCE_S)


def test_a_run_ended_amid_a_page_leaves_no_browser(
    tmp_path: Path, record_property: Records
) -> None:
    site = site_of(Source.ZILLOW, Act.ENDLESS)
    with deployed(tmp_path, site, lease_ttl_s=2) as made:
        made.add_houses([FIRST])
        left: list[Path] = []
        for number in (signal.SIGKILL, signal.SIGTERM):
            site.told.clear()
            run = start_phx("extract", "--all", "--sync", env=made.env)
            until_endless(site)
            assert run.pid is not None
            started, swept = started_by(run.pid), left
            left = profiles(made)
            assert len(browsers(made)) == len(left) == 1
            assert set(left).isdisjoint(swept)
            os.kill(run.pid, number)
            took_s = wait_until_gone(made, started)
            record_property(f"{number.name}_gone_after_s", round(took_s, 1))
            assert ended(run, patience_s=_PATIENCE_S) not in {None, 0}

        site.acts = ()
        done = made.phx("extract", "--all", "--sync")

        assert done.returncode == 0, done.stdout
        assert profiles(made) == []
        assert outcomes(made, Source.ZILLOW) == [ListingOutcome.LISTED]


@pytest.mark.parametrize(
    "part",
    [
        "browser",
        pytest.param("renderer", marks=pytest.mark.soak),
        pytest.param("screen", marks=pytest.mark.soak),
    ],
)
def test_a_browser_that_dies_amid_a_page_is_started_again(
    part: str, tmp_path: Path
) -> None:
    site = site_of(Source.ZILLOW, Act.ENDLESS)
    with deployed(tmp_path, site) as made, watched(made) as seen:
        made.add_houses([FIRST])
        run = start_phx("extract", "--all", "--sync", env=made.env)
        until_endless(site)
        site.acts = ()
        for process in victims(made, part):
            process.kill()

        assert ended(run, patience_s=_PATIENCE_S) == 0
        assert tally_of(made, FIRST, Source.ZILLOW).outcome is ListingOutcome.LISTED
        wait_until_gone(made)
    assert (seen.started, seen.most_at_once) == (2, 1)


def victims(made: Deployment, part: str) -> list[psutil.Process]:
    first = browsers(made)
    if part == "browser":
        return first
    if part == "screen":
        beside = first[0].parent().children()
        return [process for process in beside if process.name() == "Xvfb"]
    return [
        process
        for process in first[0].children(recursive=True)
        if "--type=renderer" in process.cmdline()
    ]


def test_two_runs_of_one_source_have_one_browser_at_a_time(tmp_path: Path) -> None:
    site = site_of(Source.ZILLOW)
    with deployed(tmp_path, site) as made:
        slugs = made.add_houses(PAIR)
        with watched(made) as seen:
            runs = [
                start_phx("extract", "--address", slug, "--sync", env=made.env)
                for slug in slugs
            ]
            codes = [ended(run, patience_s=_PATIENCE_S) for run in runs]

        assert codes == [0, 0]
        assert outcomes(made, Source.ZILLOW) == [ListingOutcome.LISTED] * 2
    assert (seen.started, seen.most_at_once) == (2, 1)


# --- what a machine may lack


def without(tmp_path: Path, *names: str) -> str:
    """A PATH with every program of this machine but some."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).glob("*"):
            link = folder / program.name
            link.unlink(missing_ok=True)
            if not program.name.startswith(names):
                link.symlink_to(program)
    return str(folder)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder for data whose place for profiles has one megabyte."""
    place = tmp_path / "installed" / "data" / "browser"
    place.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:  # noqa: S603 - the tests' own command
        pytest.skip("file systems can be mounted by root alone")
    yield place
    subprocess.run(["umount", str(place)], check=True)  # noqa: S603, S607 - the tests' own command


LACKS = {
    "Xvfb": ("Xvfb",),
    "Chromium": ("chromium", "google-chrome"),
}


@pytest.mark.parametrize("lack", LACKS)
def test_what_the_machine_lacks_is_named_and_holds_nothing_else_up(
    lack: str, tmp_path: Path
) -> None:
    path = without(tmp_path, *LACKS[lack])
    sites = site_of(Source.ZILLOW), site_of(Source.REDFIN, guarded=False)
    with deployed(tmp_path / "installed", *sites, attempts=1) as made:
        refused_for_lack(made, lack, env=made.env | {"PATH": path})


def test_a_full_disk_is_named_and_holds_nothing_else_up(
    full_disk: Path, tmp_path: Path
) -> None:
    sites = site_of(Source.ZILLOW), site_of(Source.REDFIN, guarded=False)
    with deployed(tmp_path / "installed", *sites, attempts=1) as made:
        refused_for_lack(made, str(full_disk), env=made.env)


def refused_for_lack(made: Deployment, lack: str, *, env: Mapping[str, str]) -> None:
    """Collect the pair; Zillow names what is missing, and Redfin gives all it has."""
    made.add_houses(PAIR)
    run = start_phx("extract", "--all", "--sync", env=env)

    assert ended(run, patience_s=_PATIENCE_S) not in {None, 0}
    for house in PAIR:
        zillow = tally_of(made, house, Source.ZILLOW)
        assert zillow.outcome not in {ListingOutcome.LISTED, None}
        redfin = tally_of(made, house, Source.REDFIN)
        assert (redfin.outcome, redfin.wanting) == (ListingOutcome.LISTED, 0)
    told = tally_of(made, FIRST, Source.ZILLOW).detail
    assert lack in told
    assert processes(made) == []
