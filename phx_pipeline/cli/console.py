"""Tables and lines the commands print."""

import logging
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.tally import PropertyTally, SourceTally

# A file or a pipe has no width of its own; keys and paths should stay on one line.
_WIDTH = None if sys.stdout.isatty() else 200

# No markup: brackets in file names and in what a site said are to be shown, not obeyed.
console = Console(highlight=False, markup=False, emoji=False, width=_WIDTH)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False, width=_WIDTH)

_KINDS = tuple(VerdictKind)


def log_to_stderr() -> None:
    """Show what our own parts do; libraries only when something is wrong."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("phx_pipeline").setLevel(logging.INFO)


def tally_table(tallies: Sequence[PropertyTally]) -> Table:
    """A table with one line per property and source, and a line of sums."""
    table = Table(title="Photos per property and source", show_footer=True)
    table.add_column("property", footer="sum", overflow="fold")
    table.add_column("source")
    table.add_column("outcome")
    found = sum(tally.discovered for tally in tallies)
    table.add_column("found", justify="right", footer=str(found))
    for kind in _KINDS:
        total = sum(tally.count(kind) for tally in tallies)
        table.add_column(kind.value, justify="right", footer=str(total))
    for tally in tallies:
        for index, source in enumerate(tally.sources):
            table.add_row(tally.slug if index == 0 else "", *_cells(source))
    return table


def _cells(tally: SourceTally) -> list[str]:
    outcome = tally.outcome.value if tally.outcome else "not asked"
    counts = [str(tally.count(kind)) for kind in _KINDS]
    return [tally.source.value, outcome, str(tally.discovered), *counts]
