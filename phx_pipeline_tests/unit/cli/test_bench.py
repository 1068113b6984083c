import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from phx_pipeline.cli.bench import bench
from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind

Bench = Callable[..., Result]


@pytest.fixture
def run() -> Bench:
    return lambda *words: CliRunner().invoke(bench, list(map(str, words)))


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two photos, each with a smaller copy."""
    for kind in (RoomKind.KITCHEN, RoomKind.POOL):
        photo = rooms.draw(kind, seed=1, size=(800, 600))
        (tmp_path / f"{kind}_large.jpg").write_bytes(photo)
        (tmp_path / f"{kind}_small.jpg").write_bytes(rooms.copy(photo, width=500))
    return tmp_path


def test_pictures_grouped_by_their_names_are_scored(run: Bench, labelled: Path) -> None:
    done = run("dedup", labelled, "--json")

    rules = json.loads(done.stdout)["rules"]
    assert len(rules) == 4
    assert (rules["phx"]["precision"], rules["phx"]["recall"]) == (1, 1)
    assert (rules["phx"]["photos"], rules["phx"]["lost"]) == (2, 0)


def test_pictures_may_be_grouped_by_a_table(run: Bench, labelled: Path) -> None:
    table = labelled / "groups.csv"
    table.write_text("file,group\nkitchen_large.jpg,a\npool_large.jpg,b\n", "utf-8")

    done = run("dedup", labelled, "--labels", table, "--json")

    assert json.loads(done.stdout)["rules"]["phx"]["pictures"] == 2


def test_people_get_a_table(run: Bench, labelled: Path) -> None:
    done = run("dedup", labelled)

    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("name,group\nx.jpg,a\n", "needs the columns file and group"),
        ("file,group\nx.jpg,a\n", "no such file"),
    ],
)
def test_a_wrong_table_is_refused(
    lines: str, complaint: str, run: Bench, tmp_path: Path
) -> None:
    table = tmp_path / "groups.csv"
    table.write_text(lines, "utf-8")

    done = run("dedup", tmp_path, "--labels", table)

    assert complaint in str(done.exception)


def test_a_folder_without_pictures_is_refused(run: Bench, tmp_path: Path) -> None:
    assert "no pictures" in str(run("dedup", tmp_path).exception)


def test_the_lookup_finds_what_plain_numpy_finds(run: Bench) -> None:
    done = run("lookup", "-n", "2000", "--json")

    figures = json.loads(done.stdout)
    assert figures["stored"] == 2000
    assert figures["found"] >= figures["found_by_bands"] > 0
