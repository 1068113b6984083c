"""`phx export` and `phx rebuild` on a really collected house."""

import asyncio
import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import (
    SMALLEST,
    Deployment,
    slug_of,
    with_shots,
)

# Two pictures, one of them upright, a damaged one, and a copy of the first.
HOUSE = with_shots(SMALLEST, 2, 4, 6, 9)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    root = tmp_path_factory.mktemp("collected")
    with Deployment(root, redfin_sites([HOUSE])) as made:
        made.add_houses([HOUSE])
        with made.context() as context:
            asyncio.run(extract(context, slug_of(HOUSE)))
            refresh_views(context)  # in case a run had no time for it
        yield made


@pytest.fixture
def phx(phx: Phx, collected: Deployment, use_settings: UseSettings) -> Phx:
    """Run a command line on the deployment."""
    use_settings(collected.settings)
    return phx


def test_a_bundle_holds_every_picture_its_manifest_and_a_table(
    collected: Deployment, phx: Phx, tmp_path: Path
) -> None:
    target = tmp_path / "house.zip"

    done = phx("export", slug_of(HOUSE), "--to", str(target))

    assert done.code == 0, done.err
    pictures = {
        name.removeprefix("processed/"): body
        for name, body in collected.files().items()
        if name.endswith(".png")
    }
    with ZipFile(target) as archive:
        held = {
            name: archive.read(name)
            for name in archive.namelist()
            if name.endswith(".png")
        }
        rows = list(csv.DictReader(io.StringIO(archive.read("photos.csv").decode())))
        manifest = json.loads(archive.read("manifest.json"))
    assert held == pictures
    assert [row["file"] for row in rows] == sorted(pictures)
    assert {row["address"] for row in rows} == set(manifest["properties"])
    told = [row["local_path"] for it in manifest["properties"].values() for row in it]
    assert sorted(told) == sorted(pictures)


def test_equal_content_gives_equal_bundles(phx: Phx, tmp_path: Path) -> None:
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"

    for target in (one, two):
        phx("export", slug_of(HOUSE), "--to", str(target))

    assert one.read_bytes() == two.read_bytes()


def test_the_table_can_be_parquet(phx: Phx, tmp_path: Path) -> None:
    target = tmp_path / "house.zip"

    phx("export", slug_of(HOUSE), "--to", str(target), "--table", "parquet")

    with ZipFile(target) as archive:
        table = pd.read_parquet(io.BytesIO(archive.read("photos.parquet")))
        pictures = [name for name in archive.namelist() if name.endswith(".png")]
    assert list(table["file"]) == pictures


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ([], "--job ID"),
        (["--job", "nothing"], "unknown job 'nothing'"),
        (["1-nowhere-st-mesa-az-85204"], "phx properties list"),
    ],
    ids=["neither", "unknown job", "unknown house"],
)
def test_what_cannot_be_exported_is_one_clear_line(
    phx: Phx, arguments: list[str], remedy: str
) -> None:
    done = phx("export", *arguments)

    assert done.code == 2
    assert done.err.count("\n") == 1
    assert remedy in done.err


def test_rebuild_makes_deleted_folders_and_views_anew_without_a_request(
    collected: Deployment, phx: Phx
) -> None:
    before, asked = collected.files(), len(collected.standin.asked)
    images = collected.root / "data" / "property_images"
    shutil.rmtree(images / "processed")
    shutil.rmtree(images / "metadata")

    done = phx("rebuild")

    assert done.code == 0, done.err
    assert collected.files() == before
    assert len(collected.standin.asked) == asked
    assert phx("verify").code == 0
