"""`phx export` and `phx rebuild` on a really collected house."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline_tests.deployment import Deployment, slug_of

HOUSE = min(HOUSES, key=lambda house: len(house.record.shots))


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    root = tmp_path_factory.mktemp("collected")
    with Deployment(root, redfin_sites()) as made:
        made.add_houses([HOUSE])
        assert made.phx("extract", "--all", "--sync").returncode == 0
        yield made


def test_a_bundle_holds_every_picture_its_manifest_and_a_table(
    collected: Deployment, tmp_path: Path
) -> None:
    target = tmp_path / "house.zip"

    done = collected.phx("export", slug_of(HOUSE), "--to", str(target))

    assert done.returncode == 0, done.stderr
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


def test_equal_content_gives_equal_bundles(
    collected: Deployment, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"

    for target in (one, two):
        collected.phx("export", slug_of(HOUSE), "--to", str(target))

    assert one.read_bytes() == two.read_bytes()


def test_the_table_can_be_parquet(collected: Deployment, tmp_path: Path) -> None:
    target = tmp_path / "house.zip"

    collected.phx("export", slug_of(HOUSE), "--to", str(target), "--table", "parquet")

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
    collected: Deployment, arguments: list[str], remedy: str
) -> None:
    done = collected.phx("export", *arguments)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert remedy in done.stderr


def test_rebuild_makes_deleted_folders_and_views_anew_without_a_request(
    collected: Deployment,
) -> None:
    before, asked = collected.files(), len(collected.standin.asked)
    images = collected.root / "data" / "property_images"
    shutil.rmtree(images / "processed")
    shutil.rmtree(images / "metadata")

    done = collected.phx("rebuild")

    assert done.returncode == 0, done.stderr
    assert collected.files() == before
    assert len(collected.standin.asked) == asked
    assert collected.phx("verify").returncode == 0
