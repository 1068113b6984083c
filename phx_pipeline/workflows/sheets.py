"""Which sheets of a workbook are read, each by its own header, and which are told.

Text has one sheet without a name. What the columns of a sheet mean is for `columns`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from phx_pipeline.errors import InputError
from phx_pipeline.workflows.columns import Columns, columns_of, is_column
from phx_pipeline.workflows.tables import Row
from phx_pipeline.workflows.workbooks import Sheet

_LOOKED_AT = 20  # rows of a sheet for its header
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The rows below the headers of all sheets that are read, in order.

    `columns` has how those of a sheet are read. `left_out` says in one line which
    sheets are not read and why; it is empty if all are.
    """

    columns: Mapping[Sheet, Columns]
    rows: Sequence[Row]
    left_out: str = ""


def tables_of(rows: Sequence[Row], *, name: str) -> Tables:
    """Read every sheet that has a header with a column of an address.

    Where none has, the first is read. A hidden sheet is not read beside another.

    Raises:
        InputError: no sheet can be read; says why the first that is meant cannot.
    """
    sheets = {sheet: list(of_it) for sheet, of_it in groupby(rows, lambda it: it.sheet)}
    shown = [it for it in sheets if not it.is_hidden] or list(sheets)
    meant = [it for it in shown if _has_header(sheets[it])] or shown[:1]
    columns: dict[Sheet, Columns] = {}
    read: list[Row] = []
    failed: dict[Sheet, InputError] = {}
    for sheet in meant:
        try:
            columns[sheet], below = columns_of(sheets[sheet], name=f"{name}{sheet}")
        except InputError as error:
            failed[sheet] = error
        else:
            read += below
    if not columns:
        raise next(iter(failed.values()))
    told = {
        it: str(error).removeprefix(f"{name}{it}: ") for it, error in failed.items()
    }
    for sheet in sheets.keys() - {*meant}:
        if not sheet.is_hidden:
            told[sheet] = "no header with a column of an address"
        elif _has_header(sheets[sheet]):
            told[sheet] = "it is hidden"
    return Tables(columns=columns, rows=read, left_out=_left_out(told, name=name))


def _has_header(rows: Sequence[Row]) -> bool:
    return any(is_column(cell) for row in rows[:_LOOKED_AT] for cell in row.cells)


def _left_out(told: Mapping[Sheet, str], *, name: str) -> str:
    if not told:
        return ""
    listed = [f"{sheet} ({why})" for sheet, why in sorted(told.items())]
    more = len(listed) - _SHOWN
    tail = f", and {more} more" if more > 0 else ""
    return f"not read of {name}{''.join(listed[:_SHOWN])}{tail}"
