"""Counts and outcomes of a property as text; the numbers come from the catalogue."""

from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.tally import PropertyTally

COLUMNS = ("discovered", *(kind.value for kind in VerdictKind))


def tally_counts(tally: PropertyTally) -> dict[str, int]:
    """All counts of a property by name; discovered is the sum of the others."""
    return {
        "discovered": tally.discovered,
        **{kind.value: tally.count(kind) for kind in VerdictKind},
    }


def outcome_table(tally: PropertyTally) -> str:
    """A Markdown table: one line per source."""
    head = ("source", "outcome", *COLUMNS, "detail")
    lines = [_line(head), _line(("---",) * len(head))]
    for source in tally.sources:
        counts = [source.discovered, *(source.count(kind) for kind in VerdictKind)]
        outcome = source.outcome.value if source.outcome else "not asked"
        cells = (source.source.value, outcome, *map(str, counts), source.detail)
        lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
