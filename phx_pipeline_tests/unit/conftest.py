"""One house that the stages themselves have collected, and copies of it."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring.runs import build_context
from phx_pipeline_tests.damage import HOUSE
from phx_pipeline_tests.deployment import collected_whole


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store of one complete house."""
    root = collected_whole(tmp_path_factory.mktemp("healthy"), HOUSE)
    own = load_settings({"PHX_CATEGORIZERS": "listing_text"})
    return replace(own, data_dir=root / "data")


@pytest.fixture
def collected(healthy: Settings, tmp_path: Path) -> Iterator[StageContext]:
    """A copy of the store that may be broken."""
    shutil.copytree(healthy.data_dir, tmp_path / "data")
    made = build_context(replace(healthy, data_dir=tmp_path / "data"), run_id="test")
    yield made
    made.catalog.close()
