"""The file `data/properties.csv`: a row that is new there is a house to follow.

It is read and never written. A house that was removed on purpose is not taken up again
because its row still stands there: `phx properties add` does that. How rows are read is
told in `intake`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from phx_pipeline.errors import InputError
from phx_pipeline.model.job import JobRequest, Origin
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.intake import Problem, read_file
from phx_pipeline.workflows.searches import PHX, request_run

NAME: Final = "properties.csv"
MOST_BYTES: Final = 10_000_000
_MARK = 8  # hex digits by which a problem is known


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTaken:
    """What a file gave: keys added, problems not told before, marks of all problems."""

    added: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    marks: tuple[str, ...] = ()
    job_id: str = ""


def take_file(
    context: StageContext, content: bytes, *, told: Collection[str]
) -> FileTaken:
    """Add the houses of new rows and ask for their runs.

    Args:
        context: of the catalogue.
        content: of the file.
        told: the marks of the problems that were told before.

    Raises:
        InputError: the file as a whole cannot be read; says what to change.
    """
    if len(content) > MOST_BYTES:
        raise InputError(
            f"{NAME} has {len(content)} bytes: at most {MOST_BYTES} are read, so split "
            "it and add the parts by `phx properties add`"
        )
    reading = read_file(context, content, name=NAME)
    addresses = [it.house.address for it in reading.taken]
    new = set(context.catalog.searches.unknown(addresses))
    houses = [it.house for it in reading.taken if it.house.address in new]
    done = context.catalog.houses.add(houses, at=context.stamp().at)
    added = tuple(house.slug for house in done.added)
    marked = {_mark(problem): problem for problem in reading.problems()}
    return FileTaken(
        added=added,
        problems=tuple(it for mark, it in marked.items() if mark not in told),
        marks=tuple(marked),
        job_id=_asked(context, added) if added else "",
    )


def _asked(context: StageContext, slugs: tuple[str, ...]) -> str:
    request = JobRequest(slugs=slugs, user=PHX, origin=Origin.SENSOR)
    return request_run(context.catalog, request, at=context.stamp().at)


def _mark(problem: Problem) -> str:
    """What a problem is known by: its text and reason, wherever its row has gone."""
    text = f"{problem.text}\n{problem.reason}"
    return sha256(text.encode()).hexdigest()[:_MARK]
