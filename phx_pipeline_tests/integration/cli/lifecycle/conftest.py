"""Two collected houses, the first under a wrong address, and what is left of them."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.address import Address
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.verify import verify_property, verify_views
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment, with_shots

FIRST, OTHER = (with_shots(house, 0, 1, 2, 3) for house in HOUSES[:2])
RIGHT = Address.parse(FIRST.address)
WRONG = replace(RIGHT, city="Surprise")  # the same door, as the source sees it


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two houses collected, the first under the wrong address."""
    root = tmp_path_factory.mktemp("collected")
    with Deployment(root, redfin_sites([FIRST, OTHER])) as made:
        for slug in made.add([str(WRONG), OTHER.address]):
            with made.context() as context:
                asyncio.run(extract(context, slug))
                refresh_views(context)  # in case a run had no time for it
        return made.settings.data_dir


@pytest.fixture
def made(tmp_path: Path, collected: Path) -> Iterator[Deployment]:
    """Those houses in stores of their own, and the sites still up."""
    shutil.copytree(collected, tmp_path / "data")
    with Deployment(tmp_path, redfin_sites([FIRST, OTHER]), lease_wait_s=0) as made:
        yield made


@pytest.fixture
def phx(phx: Phx, made: Deployment, use_settings: UseSettings) -> Phx:
    """Run a command line on the deployment."""
    use_settings(made.settings)
    return phx


def content(context: StageContext) -> str:
    """All content rows, with the folders of the houses put alike."""
    text = json.dumps(list(context.catalog.content_rows()))
    for house in context.catalog.properties():
        text = text.replace(house.folder, f"folder of {house.slug}")
    return text


def problems(made: Deployment) -> list[str]:
    with made.context() as context:
        found = [
            p for s in context.catalog.slugs() for p in verify_property(context, s)
        ]
        return [problem.text for problem in [*found, *verify_views(context)]]


def published(made: Deployment) -> dict[str, bytes]:
    """The published pictures, by relative path; their sidecars name the house."""
    return {name: body for name, body in made.files().items() if name.endswith(".png")}
