"""Tables and lines the commands print."""

import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import Any, TextIO, TypeVar

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.progress import track
from rich.segment import Segment
from rich.table import Table

from phx_pipeline.cli.folding import folded, width_of
from phx_pipeline.model.counted import counted
from phx_pipeline.model.moments import moment
from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.printable import shown_only
from phx_pipeline.model.tally import PropertyTally, SourceTally

_Item = TypeVar("_Item")


class _InertConsole(Console):
    """Prints text as text: neither Rich's markup nor a terminal's controls are obeyed.

    Whatever is printed, from wherever: tables and older catalogues hold texts too.
    """

    def print(self, *objects: Any, soft_wrap: bool | None = None, **how: Any) -> None:
        """As Rich does, but texts that it is not to wrap are broken between words.

        That is at the width of a terminal, or at what COLUMNS says; elsewhere each
        line of theirs stays one.
        """
        if soft_wrap:
            width = self.asked_width()
            objects = tuple(
                folded(it, width=width) if isinstance(it, str) else it for it in objects
            )
        super().print(*objects, soft_wrap=soft_wrap, **how)

    def asked_width(self) -> int | None:
        """The columns that somebody sees or has asked for; a pipe has none."""
        return self.width if self.is_terminal or width_of(self.file) else None

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        if isinstance(renderable, Table):
            for column in renderable.columns:
                column.overflow = "fold"  # half a name or a path is of no use
        for segment in super().render(renderable, options):
            if segment.control:  # Rich's own, such as those of a live display
                yield segment
            else:
                yield Segment(shown_only(segment.text), segment.style)


class _InertFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return shown_only(super().format(record))

    def formatTime(  # noqa: N802 - logging's own name
        self, record: logging.LogRecord, datefmt: str | None = None
    ) -> str:
        del datefmt
        return moment(record.created)


def _console(*, stderr: bool = False) -> _InertConsole:
    stream = sys.stderr if stderr else sys.stdout
    return _InertConsole(
        stderr=stderr,
        highlight=False,
        markup=False,
        emoji=False,
        # A file or a pipe has no width of its own: tables are as wide as they need.
        width=None if stream.isatty() else get_terminal_size((200, 50)).columns,
    )


console = _console()
errors = _console(stderr=True)

_OURS = "phx_pipeline"  # the root of our loggers
NO_HOUSES = (
    'there are no properties yet: `phx properties add "ADDRESS"` or `phx properties '
    "add FILE` adds some"
)
_ANY_WIDTH = 10_000
_TOLD_OF = 60  # characters of a warning that is told again
_KINDS = tuple(VerdictKind)
_MANY = 100  # properties a table may show whole
_MOST = 50  # rows or lines when there are more


class _FirstOfEach(logging.StreamHandler[TextIO]):
    """Prints the first warning of each kind, and counts those that follow it."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self._seen[str(record.msg)] += 1
        if self._seen[str(record.msg)] == 1:
            self._first[str(record.msg)] = shown_only(record.getMessage())
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        return folded(super().format(record), width=errors.asked_width())

    def tell_rest(self) -> None:
        for kind, first in self._first.items():
            if more := self._seen[kind] - 1:
                told = f"{counted(more, 'more warning')} like {_start(first)!r}"
                errors.print(told, soft_wrap=True)


def _start(text: str) -> str:
    return text if len(text) <= _TOLD_OF else f"{text[:_TOLD_OF]}…"


@contextmanager
def few_warnings() -> Iterator[None]:
    """Have our own parts warn once of each kind, and tell at the end how many more.

    Whoever has set up a log gets them all there.
    """
    if logging.getLogger().handlers:
        yield
        return
    handler = _FirstOfEach()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_InertFormatter("%(message)s"))
    ours = logging.getLogger(_OURS)
    ours.addHandler(handler)
    try:
        yield
    finally:
        ours.removeHandler(handler)
        handler.tell_rest()


def log_to_stderr() -> None:
    """Show what our own parts do; libraries only when something is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(_InertFormatter("%(asctime)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger(_OURS).setLevel(logging.INFO)


def followed(
    items: Iterable[_Item], doing: str, *, hidden: bool = False
) -> Iterable[_Item]:
    """Show on a terminal how far a loop over *items* is; elsewhere nothing."""
    return track(
        items,
        doing,
        console=errors,
        transient=True,
        disable=hidden or not errors.is_terminal,
    )


def print_tallies(
    tallies: Sequence[PropertyTally], *, everything: bool = False
) -> None:
    """Print the counts; of many properties only those that are not complete.

    The sums are those of all properties, whatever is shown.
    """
    shown = tallies
    if len(tallies) > _MANY and not everything:
        shown = [tally for tally in tallies if not tally.is_complete][:_MOST]
    print_table(
        _tally_table(shown, sums_of=tallies),
        lines=_tally_lines(shown, sums_of=tallies),
    )
    if left_out := len(tallies) - len(shown):
        console.print(f"{counted(left_out, 'more property')} counted, not shown")


def print_table(table: Table, *, lines: Iterable[str] | None = None) -> None:
    """Print a table, or lines where it is too wide: no cell is cut.

    Without *lines* each row is its first cell, and below it the others with the heads
    of their columns.
    """
    if fits(table):
        console.print(table)
        return
    for line in _told_rows(table) if lines is None else lines:
        console.print(line, soft_wrap=True)


def fits(table: Table) -> bool:
    """Whether a table goes into the width with no cell broken."""
    anywhere = console.options.update(max_width=_ANY_WIDTH)
    return Measurement.get(console, anywhere, table).maximum <= console.width


def _told_rows(table: Table) -> Iterator[str]:
    if table.title:
        yield str(table.title)
    heads = [" ".join(str(column.header).split()) for column in table.columns]
    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    feet = [tuple(column.footer for column in table.columns)]
    for first, *others in rows + (feet if table.show_footer else []):
        yield str(first)
        cells = zip(heads[1:], others, strict=True)
        told = [f"{head}: {cell}" for head, cell in cells if cell]
        yield from packed(told, width=console.width)


def packed(
    parts: Iterable[str], *, width: int, indent: str = "  ", between: str = ", "
) -> Iterator[str]:
    """Lines of *parts*, as many in one as fit; a part is never broken."""
    line = ""
    for part in parts:
        longer = f"{line}{between}{part}" if line else f"{indent}{part}"
        if line and len(longer) > width:
            yield line
            longer = f"{indent}{part}"
        line = longer
    if line:
        yield line


def print_sentence(text: str, *, indent: str = "") -> None:
    """Print a sentence, broken between words where the console is asked to."""
    console.print(f"{indent}{text}", soft_wrap=True)


def print_lines(lines: Iterable[str], *, everything: bool = False) -> None:
    """Print lines for a person: of very many only the first."""
    told = list(lines)
    shown = told if everything else told[:_MOST]
    for line in shown:
        print_sentence(line)
    if left_out := len(told) - len(shown):
        console.print(f"… and {counted(left_out, 'more such line')} (--all shows all)")


def _tally_table(
    tallies: Sequence[PropertyTally], *, sums_of: Sequence[PropertyTally]
) -> Table:
    table = Table(title="Photos per property and source", show_footer=True)
    table.add_column("property", footer="sum")
    table.add_column("source")
    table.add_column("outcome")
    totals = _totals(sums_of)
    table.add_column("found", justify="right", footer=str(totals.total()))
    for kind in _KINDS:
        table.add_column(kind.value, justify="right", footer=str(totals[kind]))
    for tally in tallies:
        for index, source in enumerate(tally.sources):
            table.add_row(tally.slug if index == 0 else "", *_cells(source))
    return table


def _tally_lines(
    tallies: Sequence[PropertyTally], *, sums_of: Sequence[PropertyTally]
) -> Iterator[str]:
    """The table as lines, without its zeros: for a terminal it is too wide for."""
    for tally in tallies:
        yield tally.slug
        for source in tally.sources:
            outcome = source.outcome.value if source.outcome else "not asked"
            counts = _told_counts(source.discovered, source.counts)
            is_off = source.outcome is ListingOutcome.DISABLED and not source.discovered
            told = outcome if is_off else f"{outcome}, {counts}"
            yield f"  {source.source.value}: {told}"
    totals = _totals(sums_of)
    yield f"sum: {_told_counts(totals.total(), totals)}"


def _told_counts(found: int, counts: Mapping[VerdictKind, int]) -> str:
    told = [f"{counts[k]} {k.value}" for k in _KINDS if counts.get(k)]
    return ", ".join([f"{found} found", *told])


def _totals(tallies: Sequence[PropertyTally]) -> Counter[VerdictKind]:
    totals: Counter[VerdictKind] = Counter()
    for tally in tallies:
        for source in tally.sources:
            totals.update(source.counts)
    return totals


def _cells(tally: SourceTally) -> list[str]:
    outcome = tally.outcome.value if tally.outcome else "not asked"
    counts = [str(tally.count(kind)) for kind in _KINDS]
    return [tally.source.value, outcome, str(tally.discovered), *counts]
