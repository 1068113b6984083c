"""A service of its own for each test, with keys that are looked at each time."""

from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.service import access, gate
from phx_pipeline.service.reach import Reach
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.wiring import initialise
from phx_pipeline_tests.door import (
    PORT,
    Door,
)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = replace(load_settings({}), data_dir=tmp_path_factory.mktemp("made"))
    initialise(settings)
    return settings


@pytest.fixture
def door(made: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A service on loopback that looks at its keys for every request."""
    for name in ("_KEPT_S", "_SOON_S"):
        monkeypatch.setattr(access, name, -1.0)
    monkeypatch.setattr(gate, "_AGAIN_S", 0.01)
    return new_door(made, tmp_path)


def new_door(made: Settings, folder: Path, *, reach: Reach | None = None) -> Door:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    (data / "phx.db").write_bytes((made.data_dir / "phx.db").read_bytes())
    settings = replace(made, data_dir=data)
    return Door(settings=settings, reach=reach or Reach.on_loopback(PORT))
