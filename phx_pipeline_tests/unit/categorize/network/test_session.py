"""The network that runs is the one the weights belong to."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from phx_pipeline.categorize import network as package
from phx_pipeline.categorize.network import weights
from phx_pipeline.categorize.network.installed import PACKAGE, lacking
from phx_pipeline.categorize.network.kept import kept
from phx_pipeline.categorize.network.session import (
    NETWORK,
    Network,
    NetworkError,
)
from phx_pipeline.categorize.registry import BACKENDS, Equipment, equip
from phx_pipeline_tests.bench.houses import InMemory

GRANNY_SMITH = 948


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(tmp_path_factory.mktemp("network"))


def apple() -> NDArray[np.uint8]:
    """Return a green ball on grey: smooth, so that rounding decides nothing."""
    down, across = np.mgrid[0:224, 0:224].astype(np.float64) / 223 * 2 - 1
    inside = np.clip(1.2 - 1.6 * np.hypot(down, across), 0, 1)
    light = 0.6 + 0.4 * np.clip(-(down + across) / 1.5, -1, 1)
    ball = np.stack([120 * light, 200 * light, 40 * light], axis=-1)
    grey = np.full((224, 224, 3), 225.0)
    mixed = ball * inside[..., None] + grey * (1 - inside[..., None])
    return np.asarray(mixed, np.uint8)


def test_it_knows_an_apple_and_gives_the_same_features_again(network: Network) -> None:
    features = network.features(apple())

    words = network.words(features[None])[0]
    assert words.argmax() == GRANNY_SMITH
    assert words[GRANNY_SMITH] == pytest.approx(0.421, abs=0.01)
    assert words.sum() == pytest.approx(1, abs=1e-4)
    assert features.argmax() == 872
    assert features[[872, 2]] == pytest.approx([5.372, 2.581], abs=0.02)
    assert features.mean() == pytest.approx(0.163, abs=0.002)
    assert np.array_equal(network.features(apple()), features)


def test_a_damaged_graph_is_made_anew(network: Network, tmp_path: Path) -> None:
    Network(tmp_path).features(apple())
    (graph,) = tmp_path.glob("*-graph.*")
    body = graph.read_bytes()
    graph.write_bytes(body[:4_000_000] + b"\xff" * 4 + body[4_000_004:])

    again = Network(tmp_path).features(apple())

    assert np.array_equal(again, network.features(apple()))
    assert graph.read_bytes() == body


def test_whole_files_of_something_else_are_made_anew(
    network: Network, tmp_path: Path
) -> None:
    for part, wrong in (("graph", b"no graph"), ("words", b"no table")):
        kept(tmp_path, f"{NETWORK}-{part}", wrong.upper, read=bytes)
    other = Network(tmp_path)

    features = other.features(apple())

    assert np.array_equal(features, network.features(apple()))
    assert np.array_equal(other.words(features[None]), network.words(features[None]))


class Without:
    """A finder that finds all but some packages."""

    def __init__(self, finder: Any, *names: str) -> None:
        self._finder, self._names = finder, names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in self._names:
            return None
        spec: ModuleSpec | None = self._finder.find_spec(name, path, target)
        return spec


def uninstall(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    finders = [Without(it, *names) for it in sys.meta_path]
    monkeypatch.setattr(sys, "meta_path", finders)
    for name in [it for it in sys.modules if it.partition(".")[0] in names]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("name", ["onnxruntime", "onnx", PACKAGE])
def test_without_one_of_its_packages_text_goes_on_alone(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert lacking() is None
    uninstall(monkeypatch, name)

    equipped = equip(BACKENDS, Equipment(cache_dir=tmp_path, features=InMemory()))

    wheel = name.replace("_", "-")
    assert equipped.missing == {
        "embedded": f"{wheel} not installed: `pip install {wheel}`"
    }
    assert [it.name for it in equipped.categorizers] == ["listing_text"]
    assert [it.name for it in equipped.away] == ["embedded"]


@pytest.mark.parametrize("name", ["onnxruntime", "onnx"])
def test_a_library_that_cannot_be_loaded_is_told(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(sys.modules, f"{package.__name__}.graph", raising=False)
    monkeypatch.delattr(package, "graph", raising=False)
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(NetworkError, match=name):
        Network(tmp_path).features(apple())


def test_weights_that_are_others_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other.pth"
    other.write_bytes(b"other")
    monkeypatch.setattr(weights, "find", lambda: other)

    with pytest.raises(NetworkError, match="is not the file of"):
        Network(tmp_path).features(apple())
    assert list(tmp_path.iterdir()) == [other]
