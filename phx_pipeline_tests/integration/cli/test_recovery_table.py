"""The recovery table of docs/operations.md, row by row: damage, remedy, all is well."""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.workflows.verify import content_digest
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.damage import (
    HOUSE,
    Break,
    add_stray,
    add_stray_sidecar,
    alter_png,
    change_in_place,
    corrupt_database,
    corrupt_original,
    count_wrongly,
    delete_file,
    delete_original,
    delete_png,
    delete_processed,
    delete_sidecar,
    delete_view,
    forget_category,
    forget_hashes,
    keep_two_of_a_cluster,
    lead_nowhere,
    note_a_publication,
    unpublish,
)
from phx_pipeline_tests.deployment import ROOT, Deployment, collected_whole, slug_of

pytestmark = pytest.mark.xdist_group("recovery")  # all share one store

_HEADING = "### When phx verify finds something"
_SPAN = re.compile(r"`([^`]+)`")

# What each row of the table is about; the first words in backticks name the row.
DAMAGE: dict[str, Break] = {
    "blob is missing": delete_original,
    "raw blob … does not match its name": corrupt_original,
    "standardized/….png is missing": delete_png,
    "standardized/….png has other bytes": alter_png,
    "processed/….png is missing": delete_file,
    "processed/….png has other bytes": change_in_place,
    "….png is listed but not in …": delete_processed,
    "….png is not listed but in …": add_stray,
    "its cluster has … kept photos": keep_two_of_a_cluster,
    "photos kept, … counted": count_wrongly,
    "… kept, … published": unpublish,
    "… is not named as its category says": forget_category,
    "….json shows rows as they were": note_a_publication,
    "….json differs from the catalogue": delete_view,
    "….json is missing": delete_sidecar,
    "….json belongs to no picture in …": add_stray_sidecar,
    "… of the folder views … nowhere": lead_nowhere,
    "original … differs from its rows": forget_hashes,
    "database_is_sound: …": corrupt_database,
}

# What is healed by a photo or a house that goes, so that the store is another one
# afterwards. `unit/stages/test_withdrawn.py` tries the first, by a repair and by the
# next run; `lifecycle/test_remove.py` the second, by both ways.
FOR_GOOD = frozenset(
    {
        "its licence was withdrawn, its bytes have to go",
        "… is removed, and of its files some are gone, …",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A symptom and the ways to remedy it, each some commands one after the other."""

    symptom: str
    is_deep: bool
    ways: tuple[tuple[str, ...], ...]


def rows_of(text: str) -> Iterator[Row]:
    """Read the table below the heading."""
    table = text.partition(_HEADING)[2].partition("\n## ")[0]
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("| `") or len(cells) != 3:
            continue
        ways = tuple(
            tuple(span for span in _SPAN.findall(way) if span.startswith("phx "))
            for way in cells[2].split("; or ")
        )
        spans = _SPAN.findall(cells[0])
        yield Row(symptom=spans[0], is_deep="--deep" in spans, ways=ways)


ROWS = list(rows_of((ROOT / "docs/operations.md").read_text(encoding="utf-8")))
WAYS = [
    pytest.param(row, way, id=f"{row.symptom}: {', '.join(way)}")
    for row in ROWS
    if row.symptom not in FOR_GOOD
    for way in row.ways
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """An installation with one house, which each test leaves as it was."""
    root = collected_whole(tmp_path_factory.mktemp("whole"), HOUSE)
    with Deployment(root, redfin_sites([HOUSE])) as made:
        yield made


@pytest.fixture
def made(shared: Deployment) -> Deployment:
    shared.standin.asked.clear()
    return shared


def test_every_row_of_the_table_is_tried_and_no_other() -> None:
    assert {row.symptom for row in ROWS} == {*DAMAGE, *FOR_GOOD}
    assert all(all(way) for row in ROWS for way in row.ways)


def test_a_row_with_alternatives_and_steps_is_read_as_such() -> None:
    line = "| `a …`, with `--deep` | b | stop, `phx init` and `phx x`; or `phx y KEY` |"

    (row,) = rows_of(f"{_HEADING}\n{line}\n## Next\n| `z` | b | c |\n")

    ways = (("phx init", "phx x"), ("phx y KEY",))
    assert row == Row(symptom="a …", is_deep=True, ways=ways)


@pytest.mark.parametrize(("row", "way"), WAYS)
def test_the_documented_remedy_heals(
    made: Deployment, phx_on: Phx, row: Row, way: tuple[str, ...]
) -> None:
    verify = ["verify", *(["--deep"] if row.is_deep else [])]
    with made.context() as context:
        before = content_digest(context)
    photos = 1 if DAMAGE[row.symptom] in {delete_original, corrupt_original} else 0
    file = made.settings.data_dir / "phx.db"
    backup = shutil.copy(file, made.root / "backup.db")
    with made.context() as context:
        DAMAGE[row.symptom](context)
    symptom = re.escape(row.symptom).replace("…", ".*")
    assert re.search(symptom, phx_on(made, *verify).out)

    if DAMAGE[row.symptom] is corrupt_database:
        shutil.copy(backup, file)
    ended = [
        phx_on(made, *shlex.split(step.replace("KEY", slug_of(HOUSE)))[1:])
        for step in way
    ]

    assert [end.code for end in ended] == [0] * len(way)
    assert phx_on(made, *verify).out == "1 property checked, no problem found\n"
    assert len(made.standin.asked) == len(made.photos_asked()) == photos
    with made.context() as context:
        assert content_digest(context) == before
