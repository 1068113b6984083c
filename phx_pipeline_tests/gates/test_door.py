"""Photo rows are written behind one door, where changes are noted and counted."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.gate

DOOR = "phx_pipeline/catalog/door.py"

# A table's name, or what a module calls it; and SQL in a string.
_WRITES = re.compile(
    r"\b(?:insert|update)\(\s*(?:\w+\.)*(?:photo|photo_count|change|_PHOTO|_COUNT)\s*\)"
    r"|\b(?:update|insert\s+into)\s+(?:photo|photo_count|change)\b",
    re.IGNORECASE,
)


def writes_in(source: str) -> list[str]:
    """Return what in a source text writes rows of these tables."""
    return [found[0] for found in _WRITES.finditer(source)]


@pytest.mark.parametrize(
    "source",
    [
        "sa.update(tables.photo).where(this)",
        "sa.insert(\n    _PHOTO\n)",
        "sqlite.insert(photo_count)",
        'text("update photo set verdict = 1")',
        'text("INSERT INTO change (slug) values (1)")',
    ],
)
def test_a_write_beside_the_door_is_found(source: str) -> None:
    assert len(writes_in(source)) == 1


@pytest.mark.parametrize(
    "source",
    ["sa.select(tables.photo)", "sa.update(tables.listing)", "sa.update(table)"],
)
def test_reads_and_other_tables_are_nobodys_business(source: str) -> None:
    assert writes_in(source) == []


def test_only_the_door_writes_photo_rows(repo_dir: Path) -> None:
    found = {
        path.relative_to(repo_dir).as_posix(): writes
        for path in sorted((repo_dir / "phx_pipeline").rglob("*.py"))
        if "versions" not in path.parts  # a migration knows the tables of its day
        and (writes := writes_in(path.read_text(encoding="utf-8")))
    }

    assert set(found) == {DOOR}
