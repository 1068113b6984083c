"""A service of its own for each test, with keys that are looked at each time.

And a house with two pictures, beside one that nobody has asked for; read only.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.service import access, gate
from phx_pipeline.service.reach import Reach
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.stages.extract import extract
from phx_pipeline.wiring.stores import initialise
from phx_pipeline_tests.deployment import SMALLEST, Deployment, slug_of, with_shots
from phx_pipeline_tests.door import (
    PORT,
    Door,
)

HOUSE = with_shots(SMALLEST, 0, 2)
SLUG = slug_of(HOUSE)
NewDoor = Callable[..., Door]
UNASKED = "1-e-unasked-st-mesa-az-85204"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = replace(load_settings({}), data_dir=tmp_path_factory.mktemp("made"))
    initialise(settings)
    return settings


@pytest.fixture
def new_door(made: Settings, tmp_path: Path) -> Iterator[NewDoor]:
    """Make services on the stores of the test; all are closed after it."""
    data = tmp_path / "data"
    with ExitStack() as opened:

        def make(reach: Reach | None = None) -> Door:
            data.mkdir(exist_ok=True)
            (data / "phx.db").write_bytes((made.data_dir / "phx.db").read_bytes())
            settings = replace(made, data_dir=data)
            door = Door(settings=settings, reach=reach or Reach(port=PORT))
            opened.callback(door.close)
            return door

        yield make


@pytest.fixture
def door(new_door: NewDoor, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A service on loopback that looks at its keys for every request."""
    for name in ("_KEPT_S", "_SOON_S"):
        monkeypatch.setattr(access, name, -1.0)
    monkeypatch.setattr(gate, "_AGAIN_S", 0.01)
    return new_door()


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    root = tmp_path_factory.mktemp("collected")
    with Deployment(root, redfin_sites([HOUSE])) as made:
        made.add([HOUSE.address, "1 E Unasked St, Mesa, AZ 85204"])
        with made.context() as context:
            asyncio.run(extract(context, SLUG))
        yield made


@pytest.fixture
def copied(collected: Deployment, tmp_path: Path) -> Settings:
    """The same stores, to be changed."""
    shutil.copytree(collected.settings.data_dir, tmp_path / "data")
    return replace(collected.settings, data_dir=tmp_path / "data")


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Without a house, and so it stays."""
    folder = tmp_path_factory.mktemp("untouched")
    made = load_settings({"PHX_DATA_DIR": str(folder), "PHX_BROWSER": "off"})
    initialise(made)
    return made
