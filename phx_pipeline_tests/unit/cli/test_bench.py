import json
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from phx_pipeline.cli.bench.group import bench
from phx_pipeline.cli.bench.imaging import (
    IMAGEHASH,
    IMG2DATASET,
    PILLOW,
    STEPS,
    WITHOUT_HASHES,
)
from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind

Bench = Callable[..., Result]

_RESIZER = """
class Resizer:
    def __init__(self, image_size, **options):
        self.seen = 0

    def __call__(self, stream):
        print("noise")
        self.seen += 1
        if self.seen == 1:
            return None, 0, 0, 0, 0, "cannot read it"
        return stream.read(), 1, 1, 1, 1, None
"""


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
    """A file that is no picture is left out, and named."""
    (labelled / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    table = labelled / "groups.csv"
    table.write_text(
        "file,group\nkitchen_large.jpg,a\nbroken.jpg,a\npool_large.jpg,b\n", "utf-8"
    )

    done = run("dedup", labelled, "--labels", table, "--json")

    assert json.loads(done.stdout)["rules"]["phx"]["pictures"] == 2
    assert "left out: broken.jpg: " in done.stderr


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


@pytest.mark.parametrize("what", ["dedup", "imaging"])
def test_a_folder_without_pictures_is_refused(
    what: str, run: Bench, tmp_path: Path
) -> None:
    assert "no pictures" in str(run(what, tmp_path).exception)


def test_imaging_is_told_beside_its_peers(run: Bench, labelled: Path) -> None:
    done = run("imaging", labelled, "-n", "2", "--rounds", "2", "--json")

    told = json.loads(done.stdout)
    cpu_ms = told["cpu_ms"]
    assert told["pictures"] == 2
    assert all(cpu_ms[step] > 0 for step in STEPS)
    assert cpu_ms["total"] >= sum(cpu_ms[step] for step in STEPS) * 0.999
    compared = {(tuple(it["steps"]), it["peer"]): it for it in told["compared"]}
    assert {(("hashes",), IMAGEHASH), (WITHOUT_HASHES, PILLOW)} <= set(compared)
    for it in compared.values():
        assert it["ratio"] == pytest.approx(it["ours_ms"] / it["peer_ms"])
    assert told["kib_ratios"][PILLOW] == pytest.approx(
        told["kib"]["PNG"] / told["kib"][PILLOW]
    )


def test_progress_goes_where_it_does_not_disturb(run: Bench, labelled: Path) -> None:
    done = run("imaging", labelled, "-n", "1", "--rounds", "1", "--json")

    assert "measured: 1 of 1" not in done.stdout
    assert json.loads(done.stdout)["pictures"] == 1


def test_people_get_a_table_with_ratios(run: Bench, labelled: Path) -> None:
    done = run("imaging", labelled, "-n", "1", "--rounds", "1")

    assert "ratio" in done.stdout
    assert IMAGEHASH in done.stdout


def test_what_the_pipeline_rejects_is_left_out(run: Bench, labelled: Path) -> None:
    (labelled / "a_broken.jpg").write_bytes(b"\xff\xd8\xff no picture")

    done = run("imaging", labelled, "-n", "2", "--rounds", "1", "--json")

    assert json.loads(done.stdout)["pictures"] == 1


def test_nothing_but_rejects_is_refused(run: Bench, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")

    assert "no picture that all can read" in str(run("imaging", tmp_path).exception)


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    """A Python with nothing installed."""
    folder = tmp_path / "bare"
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


def test_a_python_without_the_peer_is_refused(
    run: Bench, labelled: Path, bare_python: Path
) -> None:
    done = run("imaging", labelled, "--peer-python", bare_python)

    assert "has no img2dataset" in str(done.exception)


def test_a_peer_takes_part_in_the_same_rounds(
    run: Bench, labelled: Path, bare_python: Path
) -> None:
    """Its place is taken by a resizer that hands the picture back."""
    (library,) = bare_python.parents[1].glob("lib/python*/site-packages")
    (library / "img2dataset").mkdir()
    (library / "img2dataset/__init__.py").write_text("print('hello')\n", "utf-8")
    (library / "img2dataset/resizer.py").write_text(_RESIZER, "utf-8")

    done = run("imaging", labelled, "--peer-python", bare_python, "--json")

    told = json.loads(done.stdout)
    assert told["pictures"] == 3  # it could not read one
    assert told["kib"][IMG2DATASET] == pytest.approx(told["kib"]["read"])
    assert {
        (*it["steps"],) for it in told["compared"] if it["peer"] == IMG2DATASET
    } == {
        STEPS,
        WITHOUT_HASHES,
    }


def test_a_peer_that_dies_is_told(
    run: Bench, labelled: Path, bare_python: Path
) -> None:
    bare_python.unlink()
    bare_python.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    bare_python.chmod(0o755)

    done = run("imaging", labelled, "--peer-python", bare_python)

    assert "ended before its time" in str(done.exception)
