"""Another size or format of the files: made of the originals, without a request."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.imaging.decode import decode
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.sheet import MAX_BYTES, property_sheet
from phx_pipeline.workflows.verify import content_digest
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import (
    SMALLEST,
    Deployment,
    collected_whole,
    slug_of,
    with_shots,
)

# Large ones, one turned by its EXIF tag, one damaged, a copy, and one of 1024 pixels.
HOUSE = with_shots(SMALLEST, 0, 2, 3, 4, 6, 9, 11)
SLUG = slug_of(HOUSE)
pytestmark = pytest.mark.xdist_group("image_format")  # all copy the same store

OTHERS = {"original size": {"image_format": "original"}, "smaller": {"max_side": 300}}
TIMES = ("processed_at", "created_by_run_id")

other_size = pytest.mark.parametrize("change", OTHERS.values(), ids=list(OTHERS))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation: one house, published with the default settings."""
    return collected_whole(tmp_path_factory.mktemp("published"), HOUSE)


@pytest.fixture
def collected(published: Path, tmp_path: Path) -> Iterator[Deployment]:
    """A copy of that installation."""
    root = shutil.copytree(published, tmp_path / "copy")
    with Deployment(root, redfin_sites([HOUSE])) as made:
        yield made


def change_settings(made: Deployment, **changes: object) -> None:
    made.settings = replace(made.settings, **changes)  # type: ignore[arg-type]  # named by each test


def pictures(made: Deployment) -> dict[str, bytes]:
    """The published files by name."""
    files = made.files()
    return {name: body for name, body in files.items() if name.endswith(".png")}


def manifest_rows(made: Deployment) -> list[dict[str, object]]:
    """The rows of the manifest, but for when and by which run they were written."""
    manifest = json.loads(made.files()["metadata/image_manifest.json"])
    (rows,) = manifest["properties"].values()
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


def sizes(made: Deployment) -> dict[str, tuple[int, int]]:
    found = {}
    for name, body in pictures(made).items():
        with Image.open(BytesIO(body)) as image:
            found[name] = image.size
    return found


def original_sizes(made: Deployment) -> dict[str, tuple[int, int]]:
    """The size of the upright original that each published file was made of."""
    with made.context() as context:
        folder = context.house(SLUG).folder
        found = {}
        for row in context.catalog.publications(SLUG):
            picture = decode(context.blobs.read_raw(row.sha256))
            size = (picture.width, picture.height)
            found[f"processed/{folder}/{row.file_name}"] = size
        return found


def recipes(made: Deployment) -> set[str]:
    """The recipes of all published files."""
    with made.context() as context:
        return {row.recipe for row in context.catalog.publications(SLUG) if row.active}


def stored_recipes(made: Deployment) -> set[str]:
    """The recipes of all PNGs on the disk."""
    with made.context() as context:
        pngs = (context.layout.images / "standardized").rglob("*.png")
        return {png.parent.parent.name for png in pngs}


def digest(made: Deployment) -> str:
    with made.context() as context:
        return content_digest(context)


def test_files_of_original_size_have_all_pixels_and_no_metadata(
    collected: Deployment, phx_on: Phx
) -> None:
    before = original_sizes(collected)
    change_settings(collected, image_format="original")

    assert phx_on(collected, "rebuild").code == 0

    assert sizes(collected) == before
    assert max(max(size) for size in before.values()) > 1024
    for body in pictures(collected).values():
        with Image.open(BytesIO(body)) as image:
            assert image.format == "PNG"
            assert not image.info
            assert not image.getexif()


@other_size
def test_rebuild_makes_all_files_anew_and_back_again_without_a_request(
    collected: Deployment, phx_on: Phx, change: dict[str, object]
) -> None:
    default = collected.settings
    before, rows = pictures(collected), manifest_rows(collected)
    content, asked = digest(collected), len(collected.standin.asked)

    change_settings(collected, **change)
    there = phx_on(collected, "rebuild")
    changed, made_by = pictures(collected), recipes(collected)
    assert stored_recipes(collected) == made_by
    between = digest(collected)
    clean = phx_on(collected, "verify")
    collected.settings = default
    back = phx_on(collected, "rebuild")

    assert (there.code, back.code) == (0, 0), there.err + back.err
    assert clean.code == 0, clean.out
    assert set(changed) == set(before)
    assert any(changed[name] != before[name] for name in before)
    assert len(made_by) == 1
    assert made_by != recipes(collected)
    assert between != content
    assert pictures(collected) == before
    assert manifest_rows(collected) == rows
    assert digest(collected) == content
    assert phx_on(collected, "verify").code == 0
    assert len(collected.standin.asked) == asked


@other_size
def test_resume_notices_files_of_another_size_and_status_tells(
    collected: Deployment, phx_on: Phx, change: dict[str, object]
) -> None:
    asked, files = len(collected.standin.asked), len(pictures(collected))
    before = recipes(collected)
    change_settings(collected, **change)

    told = phx_on(collected, "status").out
    resumed = phx_on(collected, "extract", "--all", "--sync")

    assert "0 of 1 property complete" in told
    assert f"open: {SLUG}: {files} files made otherwise than now" in told
    assert resumed.code == 0, resumed.out + resumed.err
    assert len(recipes(collected)) == 1
    assert recipes(collected) != before
    assert "1 of 1 property complete" in phx_on(collected, "status").out
    assert "left out: complete" in phx_on(collected, "extract", "--all", "--sync").out
    assert len(collected.standin.asked) == asked


def test_an_unreadable_original_keeps_the_file_it_has(
    collected: Deployment, phx_on: Phx
) -> None:
    before = pictures(collected)
    with collected.context() as context:
        lost = next(
            photo
            for photo in context.catalog.photos(SLUG)
            if photo.verdict is Verdict.KEPT
        )
        context.layout.raw(str(lost.sha256)).unlink()
    change_settings(collected, max_side=300)

    assert phx_on(collected, "rebuild").code == 0

    after = pictures(collected)
    assert set(after) == set(before)
    assert sum(after[name] == before[name] for name in before) == 1
    assert (
        f"open: {SLUG}: 1 file made otherwise than now"
        in phx_on(collected, "status").out
    )
    asked = len(collected.photos_asked())
    assert phx_on(collected, "extract", "--all", "--sync").code == 0
    assert len(collected.photos_asked()) == asked + 1
    assert not any(pictures(collected)[name] == before[name] for name in before)
    assert phx_on(collected, "verify").code == 0


def test_publishing_alone_before_the_new_pictures_are_made_loses_no_file(
    collected: Deployment,
) -> None:
    before = pictures(collected)
    change_settings(collected, image_format="original")

    with collected.context() as context:
        report = publish(context, SLUG)

    assert (report.changed, report.removed) == (0, 0)
    assert pictures(collected) == before


def test_a_bundle_and_the_contact_sheet_show_the_files_of_original_size(
    collected: Deployment, phx_on: Phx, tmp_path: Path
) -> None:
    change_settings(collected, image_format="original")
    assert phx_on(collected, "rebuild").code == 0
    target = tmp_path / "house.zip"

    exported = phx_on(collected, "export", SLUG, "--to", str(target))
    with collected.context() as context:
        sheet = property_sheet(context, SLUG)

    assert exported.code == 0, exported.err
    with ZipFile(target) as archive:
        held = {
            f"processed/{name}": archive.read(name)
            for name in archive.namelist()
            if name.endswith(".png")
        }
    assert held == pictures(collected)
    assert sheet is not None
    assert len(sheet) <= MAX_BYTES
