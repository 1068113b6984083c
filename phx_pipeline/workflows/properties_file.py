"""The file `data/properties.csv`: a row that is new there is a house to follow.

It is read and never written, a part at a time: whoever calls keeps the `Progress`. A
house that was removed on purpose is not taken up again because its row still stands
there: `phx properties add` does that. How rows are read is told in `intake`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any, Final, Self

from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import PHX, JobRequest, Origin
from phx_pipeline.reads.houses_file import NAME
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.intake import Problem, Reading, file_tables, read_rows
from phx_pipeline.workflows.searches import request_run
from phx_pipeline.workflows.sheets import Tables
from phx_pipeline.workflows.tables import Row

MOST_BYTES: Final = 10_000_000
MOST_LINES: Final = 100_000
MOST_ROWS: Final = 2_000
"""Of one part; about a second of work."""
MOST_CELLS: Final = 200_000
"""Of one part, where rows are wide."""
MOST_CHARACTERS: Final = 1_000_000
"""Of one part, where cells are long."""
MOST_TOLD: Final = 1_000
"""Rows of one file that are told one by one."""

_IF_RIGHT: Final = f"if it is right, `phx properties add data/{NAME} --yes` adds it"
_WHICH: Final = "`phx audit --action file.row` tells which, and what to change"
_MARK: Final = 8  # hex digits by which a problem is known
_MORE: Final = "more"
_TOO_MANY: Final = (
    f"more than {MOST_TOLD} rows cannot be read; those beyond are not told of one by "
    "one: `phx properties add FILE --problems problems.csv` writes them all"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a file was read, and which of its problems were told.

    Attributes:
        rows: how many rows below the header were read.
        digest: of these rows, and of how their columns are read.
        told: the marks of problems that were told and may be there still.
        met: those met since reading began at the first row.
    """

    rows: int = 0
    digest: str = ""
    told: tuple[str, ...] = ()
    met: tuple[str, ...] = ()

    @classmethod
    def of(cls, held: dict[str, Any]) -> Self:
        """Return what `plain` gave."""
        known: dict[str, Any] = {
            it.name: tuple(told) if isinstance(told, list) else told
            for it in fields(cls)
            if (told := held.get(it.name)) is not None
        }
        return cls(**known)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)

    @property
    def left_out(self) -> str:
        """Tell how many of the rows read are not followed; empty if all are."""
        rows = len({*self.met} - {_MORE})
        more = "more than " if _MORE in self.met else ""
        return f"{more}{counted(rows, 'row')} left out: {_WHICH}" if rows else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTaken:
    """What a part of a file gave.

    Attributes:
        added: keys of new houses.
        told: lines about problems that were not told before.
        left: how many rows are left for the next part.
        job_id: of the job that asks for the runs; empty if nothing was added.
    """

    progress: Progress
    added: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    left: int = 0
    job_id: str = ""


def take_part(context: StageContext, content: bytes, before: Progress) -> PartTaken:
    """Add the houses of the next rows and ask for their runs.

    So it does for a house that was added before and never ran: a tick was killed then.
    Rows that were read before, and stand there unchanged, are not read again. A row
    that repeats another is no problem: its house is followed.

    Args:
        context: of the catalogue.
        content: of the file.
        before: how far it was read.

    Raises:
        InputError: the file as a whole cannot be read; says what to change.
    """
    _refuse_large(content)
    tables = file_tables(content, name=NAME)
    is_same = _digest(tables, before.rows) == before.digest
    start = before.rows if is_same else 0
    part = _part(tables.rows[start:])
    reading = read_rows(context, tables, part, name=NAME)
    slugs, added = _added(context, reading)
    # Also those a tick had added that was killed before it could ask for their runs.
    asked = context.catalog.jobs.never_asked(slugs)
    told, lines = _told(reading, before.told)
    met = tuple(dict.fromkeys((*(before.met if is_same else ()), *told)))
    progress = _progress(tables, before, end=start + len(part), met=met)
    return PartTaken(
        progress=progress,
        added=added,
        told=lines,
        left=len(tables.rows) - progress.rows,
        job_id=_asked(context, [it for it in slugs if it in asked]) if asked else "",
    )


def _progress(
    tables: Tables, before: Progress, *, end: int, met: tuple[str, ...]
) -> Progress:
    if end < len(tables.rows):
        told = tuple(dict.fromkeys((*before.told, *met)))
        return Progress(rows=end, digest=_digest(tables, end), told=told, met=met)
    if _MORE in met and len(met) <= MOST_TOLD:
        return Progress(told=met)  # there is room for those that were not told: again
    return Progress(rows=end, digest=_digest(tables, end), told=met, met=met)


def _refuse_large(content: bytes) -> None:
    lines = max(map(content.count, (b"\n", b"\r")))
    for count, most, what in (
        (len(content), MOST_BYTES, "bytes"),
        (lines, MOST_LINES, "lines"),
    ):
        if count > most:
            raise InputError(
                f"{NAME} has more than {most} {what}, and no more are read: cut it "
                "into pieces and add each by `phx properties add FILE`"
            )


def _part(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the first rows, as many as are read at once; at least one."""
    cells = characters = 0
    for count, row in enumerate(rows[:MOST_ROWS]):
        cells += len(row.cells)
        characters += sum(map(len, row.cells))
        if count and (cells > MOST_CELLS or characters > MOST_CHARACTERS):
            return rows[:count]
    return rows[:MOST_ROWS]


def _digest(tables: Tables, count: int) -> str:
    """Return what tells whether the first rows are those that were read before."""
    if count > len(tables.rows):
        return ""
    columns = {str(it): columns.at for it, columns in tables.columns.items()}
    found = sha256(repr(columns).encode(errors="replace"))
    for row in tables.rows[:count]:
        found.update(json.dumps(row.cells).encode())
    return found.hexdigest()


def _added(
    context: StageContext, reading: Reading
) -> tuple[list[str], tuple[str, ...]]:
    """Add the houses that are new; return the keys of all, and of those."""
    houses = [it.house for it in reading.taken]
    slugs = context.catalog.searches.slugs_of([it.address for it in houses])
    new = [it for it, slug in zip(houses, slugs, strict=True) if slug is None]
    known = [slug for slug in slugs if slug is not None]
    if not new:
        return known, ()
    done = context.catalog.houses.add(new, at=context.stamp().at)
    added = tuple(house.slug for house in done.added)
    return [*known, *added], added


def _asked(context: StageContext, slugs: Sequence[str]) -> str:
    request = JobRequest(slugs=tuple(slugs), user=PHX, origin=Origin.SENSOR)
    return request_run(context.catalog, request, at=context.stamp().at)


def _told(reading: Reading, before: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the marks of problems told now or before, and the lines of the new ones.

    Beyond `MOST_TOLD` one line tells of all: what is told is remembered, by who calls.
    """
    known, marks, lines = set(before), [], []
    found = [*reading.unread, *reading.questions(remedy=_IF_RIGHT)]
    for problem in sorted(found, key=lambda it: (it.sheet, it.row)):
        mark, line = _mark(problem), str(problem)
        if mark not in known and len(known - {_MORE}) >= MOST_TOLD:
            mark, line = _MORE, _TOO_MANY
        if mark not in known:
            lines.append(line)
        known.add(mark)
        marks.append(mark)
    return marks, tuple(lines)


def _mark(problem: Problem) -> str:
    """What a problem is known by: its text and reason, wherever its row has gone."""
    text = f"{problem.text}\n{problem.reason}"
    return sha256(text.encode()).hexdigest()[:_MARK]
