"""Two properties that are one house, as an older version left them, made one."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.partners import settle_called
from phx_pipeline.workflows import lifecycle
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment, with_shots
from phx_pipeline_tests.integration.cli.lifecycle.conftest import (
    content,
    problems,
    published,
)
from phx_pipeline_tests.integration.conftest import add_twin

pytestmark = pytest.mark.xdist_group("merge")  # all copy the same store

HOUSE = with_shots(HOUSES[0], 0, 1, 2)
KEEP = Address.parse(HOUSE.address)
TWIN = replace(KEEP, city="Phoenix")
SITES = {**redfin_sites([HOUSE]), **zillow_sites([HOUSE])}
BOTH = (Source.ZILLOW, Source.REDFIN)


@pytest.fixture(scope="session")
def with_twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a house that is there twice: each collected from both sites."""
    root = tmp_path_factory.mktemp("twins")
    with Deployment(root, SITES, sources=BOTH) as made:
        made.add([str(KEEP)])
        with made.context() as context:
            asyncio.run(extract(context, KEEP.slug))
            add_twin(context.catalog, Property.at(TWIN))
            asyncio.run(extract(context, TWIN.slug))
            settle_called(context, [KEEP.slug, TWIN.slug])
        return made.settings.data_dir


@pytest.fixture
def made(tmp_path: Path, with_twins: Path) -> Iterator[Deployment]:
    shutil.copytree(with_twins, tmp_path / "data")
    with Deployment(tmp_path, SITES, sources=BOTH, lease_wait_s=0) as made:
        yield made


@pytest.fixture
def phx(phx: Phx, made: Deployment, use_settings: UseSettings) -> Phx:
    use_settings(made.settings)
    return phx


def verdicts(made: Deployment, slug: str) -> set[Verdict]:
    with made.context() as context:
        return {photo.verdict for photo in context.catalog.photos(slug)}


def folders(made: Deployment) -> set[str]:
    return {Path(name).parent.name for name in published(made)}


def test_status_names_twins_and_merging_frees_what_each_held_because_of_the_other(
    made: Deployment, phx: Phx
) -> None:
    told = phx("status").out
    held = verdicts(made, KEEP.slug) | verdicts(made, TWIN.slug)

    ended = phx("properties", "merge", KEEP.slug, TWIN.slug)

    remedy = f"`phx properties merge {KEEP.slug} {TWIN.slug}`"
    assert [line for line in told.splitlines() if line.startswith("twin: ")]
    assert remedy in told
    assert held == {Verdict.FOREIGN}
    assert (ended.code, ended.err) == (0, "")
    assert verdicts(made, KEEP.slug) == {Verdict.KEPT, Verdict.DUPLICATE}
    assert made.photos_asked() == []
    assert folders(made) == {KEEP.folder_id()}
    assert phx("verify").code == 0
    assert problems(made) == []
    assert "twin:" not in phx("status").out


def test_a_merged_house_is_as_if_it_had_been_there_once(
    made: Deployment, phx: Phx, tmp_path: Path
) -> None:
    phx("properties", "merge", KEEP.slug, TWIN.slug)
    with made.context() as context:
        merged = content(context)

    with Deployment(tmp_path / "new", SITES, sources=BOTH) as new:
        new.add([str(KEEP)])
        with new.context() as context:
            asyncio.run(extract(context, KEEP.slug))
            once = content(context)

    assert merged == once
    assert {Path(n).name for n in published(made)} == {
        Path(n).name for n in published(new)
    }


def test_numbers_of_the_house_that_stays_never_change(
    made: Deployment, phx: Phx
) -> None:
    with made.context() as context:
        for photo in context.catalog.photos(TWIN.slug):
            assert photo.verdict is Verdict.FOREIGN
    phx("properties", "remove", TWIN.slug)
    before = published(made)

    ended = phx("properties", "merge", KEEP.slug, TWIN.slug)

    assert len(before) > 0
    assert ended.code == 0, ended.err
    assert published(made) == before
    assert problems(made) == []


@pytest.mark.parametrize("killed_at", ["guard", "rebuild", "refresh_views"])
def test_a_merge_that_was_killed_is_done_by_running_it_again(
    made: Deployment, phx: Phx, killed_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, made.context() as context:
        patch.setattr(lifecycle, killed_at, killed)
        keep, twin = (context.house(slug) for slug in (KEEP.slug, TWIN.slug))
        with pytest.raises(KeyboardInterrupt):
            lifecycle.merge(context, keep, twin)

    ended = phx("properties", "merge", KEEP.slug, TWIN.slug)
    again = phx("properties", "merge", str(KEEP), TWIN.slug)

    assert (ended.code, again.code) == (0, 0)
    assert "nothing to merge" in again.out
    for name in (TWIN.slug, TWIN.folder_id()):
        told = phx("properties", "merge", KEEP.slug, name)
        assert (told.code, told.out.split(":")[0]) == (0, "nothing to merge"), told.err
    assert verdicts(made, KEEP.slug) == {Verdict.KEPT, Verdict.DUPLICATE}
    assert folders(made) == {KEEP.folder_id()}
    assert phx("verify").code == 0


@pytest.mark.usefixtures("made")
def test_houses_of_other_spellings_are_merged_where_a_person_says_so(phx: Phx) -> None:
    near = replace(KEEP, street=KEEP.street.removeprefix("W "))
    phx("properties", "add", str(near))

    ended = phx("properties", "merge", KEEP.slug, str(near))

    assert ended.code == 0, ended.err
    shown = phx("rulings", "export").out.splitlines()
    assert [json.loads(line)["key"] for line in shown] == [str(near)]
    assert f"known as {KEEP.slug}" in phx("properties", "add", str(near)).out


def test_a_house_that_is_worked_on_is_not_merged(made: Deployment, phx: Phx) -> None:
    with made.context("busy") as context:
        before = content(context)
        with context.holding(TWIN.slug):
            ended = phx("properties", "merge", KEEP.slug, TWIN.slug)
        after = content(context)

    assert ended.code != 0
    assert "is being worked on" in ended.err
    assert before == after


def test_two_houses_of_other_addresses_are_merged_only_if_asked_twice(phx: Phx) -> None:
    for number in (4732, 4733):
        phx("properties", "add", f"{number} W Davis Rd, Glendale, AZ 85306")
    keep, other = (f"{number}-w-davis-rd-glendale-az-85306" for number in (4732, 4733))

    refused = phx("properties", "merge", keep, other)
    merged = phx("properties", "merge", keep, other, "--yes")

    assert refused.code == 2
    assert "is another house than" in refused.err
    assert "add --yes" in refused.err
    assert merged.code == 0
