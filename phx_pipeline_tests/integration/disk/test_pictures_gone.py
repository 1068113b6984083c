"""All pictures out of reach: what stops all stops at once, the rest is one line."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment, with_shots

NOBODY = 65534
COMMANDS = ["repair", "extract --all --sync --fresh", "rebuild"]
TWO = [with_shots(house, 0, 1, 2) for house in HOUSES[:2]]


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with two houses that are complete."""
    root = tmp_path_factory.mktemp("complete")
    with Deployment(root, redfin_sites(TWO)) as made:
        slugs = made.add_houses(TWO)
        with made.context() as context:
            for slug in slugs:
                asyncio.run(extract(context, slug))
            refresh_views(context)
    return root


@pytest.fixture
def made(complete: Path, use_settings: UseSettings) -> Iterator[Deployment]:
    """A copy of it where other users may get to: not below `tmp_path`."""
    with TemporaryDirectory() as folder:
        root = Path(shutil.copytree(complete, folder, dirs_exist_ok=True))
        with Deployment(root, redfin_sites(TWO)) as made:
            use_settings(made.settings)
            yield made


@pytest.fixture
def images(made: Deployment) -> Path:
    """The folder of their pictures."""
    return made.settings.data_dir / "property_images"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_that_is_not_mounted_is_one_line(
    images: Path, phx: Phx, command: str
) -> None:
    shutil.rmtree(images)
    images.symlink_to("/mnt/photos-of-nobody")

    ended = phx(*command.split())

    assert (ended.code, ended.err.count("\n")) == (1, 1), ended.err
    assert "/mnt/photos-of-nobody: not found" in ended.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_without_permission_is_one_line(
    images: Path, phx: Phx, command: str
) -> None:
    for path in (images.parents[1], *images.parents[1].rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    os.chown(images, 0, 0)
    images.chmod(0o700)
    phx(*command.split())  # all is imported, from where others may not read

    with without_rights():
        ended = phx(*command.split())

    assert (ended.code, ended.err.count("\n")) == (1, 1), ended.err
    assert ended.err.startswith(f"phx: {images}")
    assert ": permission denied; run it as the user who owns it" in ended.err


@contextmanager
def without_rights() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_of_many_pictures_that_are_gone_the_first_is_told_and_how_many(
    made: Deployment, images: Path, phx: Phx
) -> None:
    phx("sources", "disable", "redfin")  # else they are downloaded again
    shutil.rmtree(images)

    ended = made.phx("extract", "--all", "--sync")  # where nobody else logs

    warned = ended.stderr.splitlines()
    assert sum("no PNG can be made of it now" in line for line in warned) == 1
    assert sum("there is no PNG to show" in line for line in warned) == 1
    assert any("(2 more such)" in line for line in warned)
    assert sum(line.startswith("1 more warning like '") for line in warned) == 2
