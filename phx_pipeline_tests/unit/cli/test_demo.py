"""The demo on a busy machine, and what it leaves behind."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.cli import demo, enqueue
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.demo import gallery, redfin_photos, zillow_photos
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Loopback
from phx_pipeline.demo.morning import next_morning
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.standins import STANDINS, all_sites
from phx_pipeline.errors import InputError
from phx_pipeline.fetch.groups import group_names
from phx_pipeline.model.address import Address
from phx_pipeline.model.event import EventKind
from phx_pipeline.model.look import Found
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.reads.history import find_events
from phx_pipeline.settings import exported, load_settings
from phx_pipeline.sources.zillow.standin_photos import uploads
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract as collect
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline.wiring.reads import build_reads
from phx_pipeline.wiring.stores import initialise
from phx_pipeline.workflows.look import Look
from phx_pipeline_tests.commands import environment_put_back
from phx_pipeline_tests.deployment import SMALLEST, Deployment, slug_of

SLUGS = [slug_of(SMALLEST)]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[StageContext]:
    with Deployment(tmp_path, redfin_sites([SMALLEST])) as made:
        made.add_houses([SMALLEST])
        with made.context() as opened:
            yield opened


@pytest.fixture
def ends_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Exit]]:
    """Let the rounds of the demo end so, one after the other; those still to come."""

    def prepare(*codes: Exit) -> list[Exit]:
        left = list(codes)
        monkeypatch.setattr(enqueue, "enqueue", lambda *_, **__: left.pop(0))
        return left

    return prepare


@pytest.mark.parametrize(
    ("load", "downloads", "ttl_s"),
    [(0.0, 12, 120), (1.0, 12, 120), (3.0, 4, 120), (10.0, 2, 300), (500.0, 2, 3600)],
)
def test_what_takes_longer_is_given_more_time(
    load: float, downloads: int, ttl_s: int
) -> None:
    settings = demo.patient(load_settings({}), load=load)

    assert (settings.downloads, settings.lease_ttl_s) == (downloads, ttl_s)


def test_what_a_busy_machine_left_open_is_asked_for_again(
    context: StageContext, ends_with: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    left = ends_with(Exit.PARTIAL, Exit.COMPLETE, Exit.ERROR)
    _open_circuit(context, "redfin/photos")

    code = demo._collected(context, load_settings({}), SLUGS)

    assert code is Exit.COMPLETE
    assert left == [Exit.ERROR]
    assert "this machine is busy" in capsys.readouterr().out
    assert not any(state.open_until for state in _states(context))


def test_what_a_stand_in_refused_is_not_asked_for_again(
    tmp_path: Path, ends_with: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    left = ends_with(Exit.PARTIAL, Exit.COMPLETE)
    refusing = redfin_sites([SMALLEST], blocked=frozenset({"www.redfin.com"}))
    with Deployment(tmp_path, refusing) as made, made.context() as context:
        (slug,) = made.add_houses([SMALLEST])
        asyncio.run(collect(context, slug))

        assert demo._collected(context, load_settings({}), SLUGS) is Exit.PARTIAL

    assert left == [Exit.COMPLETE]
    assert "busy" not in capsys.readouterr().out


def test_it_takes_stores_and_sizes_from_the_environment_and_no_way_out(
    tmp_path: Path,
) -> None:
    tokens = ("MARICOPA_TOKEN", "RESO_TOKEN", "SPARK_TOKEN", "WEBSHARE_TOKEN")
    ways = {f"PHX_{name}": "real" for name in (*tokens, "WEBHOOK_TOKEN", "KEY")}
    ways |= {f"PHX_{it}": "https://real.example" for it in ("WEBHOOK_URL", "SERVER")}
    ways |= {"PHX_SMTP_HOST": "real.example", "PHX_PUBLIC_URL": "https://real.example"}
    ways |= {"PHX_SMTP_FROM": "me@real.example", "PHX_SMTP_TO": "me@real.example"}
    own = load_settings({**ways, "PHX_MAX_SIDE": "800", "PHX_USER": "ada"})
    with Loopback({}, folder=tmp_path) as standin:
        settings = demo._settings(own, root=tmp_path, standin=standin)

    assert not [it for it in exported(settings).values() if "real" in it]
    assert (settings.channels, dict(settings.secrets)) == ((), {})
    assert (settings.max_side, settings.user) == (800, "ada")
    assert "PHX_SMTP_HOST= " in demo._look_around(own, tmp_path, postgres=False)


def test_it_does_not_try_for_ever(context: StageContext, ends_with: Any) -> None:
    left = ends_with(*[Exit.PARTIAL] * 4)

    assert demo._collected(context, load_settings({}), SLUGS) is Exit.PARTIAL
    assert left == [Exit.PARTIAL]


def test_its_sources_are_off_for_all_but_its_own_processes_whatever_is_killed(
    tmp_path: Path,
) -> None:
    folders = {"data_dir": tmp_path / "demo", "dagster_dir": tmp_path / "demo/dagster"}
    look_around = replace(load_settings({}), **folders)  # type: ignore[arg-type]  # both are paths
    at = "http://127.0.0.1:9"
    own = replace(look_around, proxy=at, standins=at)

    with environment_put_back():
        demo._prepare(own)

    with opened_catalog(own) as of_demo, opened_catalog(look_around) as of_others:
        ours, others = of_demo.policies, of_others.policies
        assert ours.switched_off() == frozenset()
        ours.reset(demo._groups())
        ours.change("redfin", lambda state, _now_s: (replace(state, failures=1), None))
        assert others.switched_off() == set(STANDINS)
    for proxy in (None, "http://127.0.0.1:10"):  # not the stand-ins'
        with opened_catalog(replace(own, proxy=proxy)) as without:
            assert without.policies.switched_off() == set(STANDINS)


def test_it_may_be_repeated_with_more_houses_and_takes_no_other_catalogue(
    tmp_path: Path,
) -> None:
    folders = {"data_dir": tmp_path / "demo", "dagster_dir": tmp_path / "demo/dagster"}
    files = replace(load_settings({}), **folders)  # type: ignore[arg-type]  # both are paths
    own = replace(files, catalog_url=f"sqlite:///{tmp_path / 'demo' / 'phx.db'}")
    stranger = Property.at(Address.parse("4732 W Davis Rd, Glendale, AZ 85306"))
    initialise(own)
    with opened_catalog(own) as catalog:
        catalog.houses.add([stranger], at=utc_now())

    with environment_put_back():
        with pytest.raises(InputError, match="holds other houses, and not the demo's"):
            demo._prepare(own)
        demo._prepare(files)  # a folder that a demo has made holds what it holds
        demo._prepare(own)

    with opened_catalog(own) as catalog:
        assert len(catalog.slugs()) == len(HOUSES) + 1


def test_over_night_a_price_a_status_and_a_gallery_change(
    tmp_path: Path,
) -> None:
    changing = HOUSES[:3]
    with Deployment(tmp_path, all_sites(), sources=tuple(STANDINS)) as made:
        made.add_houses(changing)
        with made.context() as context:
            slugs = context.catalog.slugs()
            first = list(Look(context, most_pages=1_000).houses(slugs))
            made.standin.show(all_sites(next_morning()))
            second = list(Look(context, most_pages=1_000).houses(slugs))
            events = Counter(
                (it.slug, it.kind)
                for it in find_events(
                    build_reads(made.settings, catalog=context.catalog)
                )
            )

    assert {it.found for it in (*first, *second)} == {Found.CHANGED}
    cut, sold, shown = map(slug_of, changing)
    assert events == {
        (cut, EventKind.PRICE_CUT): 3,
        (sold, EventKind.STATUS): 3,
        (shown, EventKind.PHOTOS_ADDED): 2,  # Zillow's leaves out some of all photos
    }


def test_a_morning_that_was_seen_before_is_not_told_as_news(
    context: StageContext, ends_with: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_with(Exit.COMPLETE)
    with Loopback({}, folder=context.layout.root / "more") as standin:
        for told in ("over night the stand-ins changed", "name a new --folder"):
            demo._next_morning(context, load_settings({}), standin)
            assert told in capsys.readouterr().out


def test_every_photo_is_drawn_before_it_is_asked_for() -> None:
    drawn = gallery.draw_all([SMALLEST])

    for draws in (redfin_photos._uploaded, zillow_photos._uploaded):
        assert draws.cache_info().currsize
    before = redfin_photos._uploaded.cache_info().misses
    for shot in SMALLEST.record.shots:
        redfin_photos._uploaded(shot)
    assert redfin_photos._uploaded.cache_info().misses == before
    assert drawn >= len(SMALLEST.record.shots)


def test_what_is_drawn_is_kept() -> None:
    shots = sum(len(house.record.shots) + len(house.earlier.shots) for house in HOUSES)
    anew = sum(len(uploads(house)) for house in HOUSES)

    for draws, count in (
        (redfin_photos._uploaded, shots),
        (zillow_photos._uploaded, anew),
    ):
        assert count <= (draws.cache_info().maxsize or 0)


def _open_circuit(context: StageContext, name: str) -> None:
    assert name in group_names(Source.REDFIN)
    context.catalog.policies.change(
        name, lambda state, now_s: (replace(state, open_until=now_s + 300.0), None)
    )


def _states(context: StageContext) -> Any:
    return context.catalog.policies.source_states()[1]
