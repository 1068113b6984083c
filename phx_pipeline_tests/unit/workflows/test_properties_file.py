"""A file of houses is read a part at a time, and each fault is told once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows import properties_file
from phx_pipeline.workflows.intake import file_tables
from phx_pipeline.workflows.properties_file import PartTaken, Progress, take_part
from phx_pipeline_tests.deployment import Deployment


@pytest.fixture
def context(tmp_path: Path) -> Iterator[StageContext]:
    with Deployment(tmp_path, {}) as made, made.context() as opened:
        yield opened


def content(*rows: str) -> bytes:
    return "\n".join(("full_address", *(f'"{row}"' for row in rows))).encode()


def house(number: int) -> str:
    return f"{number} W Davis Rd, Glendale, AZ 85306"


def test_a_long_file_is_read_to_its_end_while_it_grows(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(properties_file, "MOST_ROWS", 3)
    rows = [house(number) for number in range(100, 106)]
    taken = [take_part(context, content(*rows), Progress())]
    while taken[-1].left:
        rows.append(house(100 + len(rows)))  # at its end, before each part
        held = taken[-1].progress.plain()
        taken.append(take_part(context, content(*rows), Progress.of(held)))
    assert [len(it.added) for it in taken] == [3, 3, 2]
    assert [bool(it.job_id) for it in taken] == [True] * 3
    assert len(context.catalog.slugs()) == len(rows) == 8

    again = take_part(context, content(house(99), *rows), taken[-1].progress)
    assert (again.added, again.left) == (
        ("99-w-davis-rd-glendale-az-85306",),
        len(rows) + 1 - 3,
    )


def test_of_many_bad_rows_some_are_told_and_none_twice(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(properties_file, "MOST_TOLD", 3)
    monkeypatch.setattr(properties_file, "MOST_ROWS", 2)

    def read(*rows: str, after: Progress) -> tuple[Progress, list[str]]:
        lines: list[str] = []
        taken = PartTaken(progress=after, left=1)
        while taken.left:
            taken = take_part(context, content(*rows), taken.progress)
            lines += taken.told
        return taken.progress, lines

    bad = [f"{letter} nonsense" for letter in "abcde"]
    known, told = read(*bad, house(1), house(1), after=Progress())
    assert [it.split(":")[0] for it in told[:3]] == ["row 2", "row 3", "row 4"]
    assert told[3].startswith("more than")
    assert len(told) == 4
    known, told = read(house(2), *bad, house(1), after=known)
    assert told == []
    known, told = read(house(2), *bad[2:], after=known)
    assert [it.split(":")[0] for it in told] == ["row 4", "row 5"]
    known, told = read(*bad[2:], after=known)
    assert told == []
    assert len(context.catalog.slugs()) == 2


def test_a_wide_file_is_read_in_smaller_parts(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(properties_file, "MOST_CELLS", 5)
    taken = take_part(context, content(*map(house, range(1, 8))), Progress())
    assert (len(taken.added), taken.left) == (5, 2)


def test_a_file_that_is_too_long_is_refused_as_a_whole(context: StageContext) -> None:
    with pytest.raises(InputError, match="more than 100000 lines"):
        take_part(context, b"x\n" * 100_001, Progress())


LONG = 1_900  # characters of a run within a cell or a word


@pytest.mark.parametrize(
    "inside",
    [" ", ",", " ,", "\u00a0", "1", "#", "# ", ".", "-", "(", "a", "a-", "/", ";"],
)
def test_a_cell_is_cut_before_it_is_read(context: StageContext, inside: str) -> None:
    run = inside * (LONG // len(inside))
    file = content(*(f"{number} W Elm St{run}x, {house(1)}" for number in (2, 3)))
    rows = file_tables(file, name="long.csv").rows
    assert max(len(cell) for row in rows for cell in row.cells) <= 501
    assert take_part(context, file, Progress()).added == ()


def test_long_cells_are_read_in_smaller_parts(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(properties_file, "MOST_CHARACTERS", 80)
    rows = content(*map(house, range(1, 5)))
    assert take_part(context, rows, Progress()).left == 2


def test_a_house_that_was_added_by_a_tick_that_was_killed_gets_its_run(
    context: StageContext,
) -> None:
    killed = Property.at(Address.parse(house(1)))
    context.catalog.houses.add([killed], at=context.stamp().at)
    taken = take_part(context, content(house(1), house(2)), Progress())
    job = context.catalog.jobs.job(taken.job_id)
    assert job is not None
    assert [it.slug for it in job.items] == [killed.slug, *taken.added]
    again = take_part(context, content(house(2), house(1)), Progress())
    assert (again.added, again.job_id) == ((), "")
