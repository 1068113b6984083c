"""The rows of an Excel workbook, as text; the library for it is an extra."""

import io
import re
import shlex
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from phx_pipeline.errors import InputError

# What a damaged file makes the library raise; a syntax error is that of XML.
_DAMAGED = (
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
_LOOKED_AT = 20  # rows of a sheet for its header
_MAX_UNPACKED = 500_000_000  # bytes
_MAX_AT_ONCE = 20_000_000  # bytes of sheets, unpacked
_SHEETS = "xl/worksheets/"
_ZEROS = re.compile(r"0{2,}(?:\\?-0+)?")  # the format of a ZIP code: 00000


def workbook_rows(
    content: bytes, *, name: str, is_column: Callable[[str], bool]
) -> list[tuple[int, list[str]]]:
    """Return the numbered rows of the first sheet with a known column, or with any.

    Args:
        content: of the file.
        name: of the file, for messages.
        is_column: whether a cell names a column: a cover sheet has none.

    Raises:
        InputError: the library is missing, or the file is damaged.
    """
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(
            f"{name} is an Excel workbook: install openpyxl (`pip install "
            "'phx_pipeline[xlsx]'`), or make a CSV of it, `libreoffice --headless "
            f"--convert-to csv {shlex.quote(name)}`"
        ) from error
    _refuse_bomb(content, name=name)
    try:
        with warnings.catch_warnings(
            action="ignore"
        ):  # about styles, which nobody needs
            book = openpyxl.load_workbook(
                io.BytesIO(content), read_only=not _has_merged(content), data_only=True
            )
            return _chosen(_sheets(book), is_column=is_column)
    except _DAMAGED as error:
        raise InputError(
            f"{name} cannot be read as an Excel workbook: save it again, or as CSV"
        ) from error


def _refuse_bomb(content: bytes, *, name: str) -> None:
    packed = zipfile.ZipFile(io.BytesIO(content)).infolist()
    if sum(part.file_size for part in packed) > _MAX_UNPACKED:
        raise InputError(f"{name} unpacks to more than 500 MB: save it as CSV")


def _has_merged(content: bytes) -> bool:
    """Whether cells are merged, and the book is small enough to be read at once.

    Read row by row, a sheet does not tell of them.
    """
    archive = zipfile.ZipFile(io.BytesIO(content))
    parts = [it for it in archive.infolist() if it.filename.startswith(_SHEETS)]
    if sum(part.file_size for part in parts) > _MAX_AT_ONCE:
        return False
    return any(b"<mergeCell " in archive.read(part) for part in parts)


def _sheets(book: Any) -> Iterator[Any]:
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for sheet in shown or book.worksheets:
        if book.read_only:
            sheet.reset_dimensions()  # some programs state wrong ones
        yield sheet


def _chosen(
    sheets: Iterator[Any], *, is_column: Callable[[str], bool]
) -> list[tuple[int, list[str]]]:
    first: list[tuple[int, list[str]]] = []
    for rows in filter(None, map(_rows, sheets)):
        if any(is_column(cell) for _, cells in rows[:_LOOKED_AT] for cell in cells):
            return rows
        first = first or rows
    return first


def _rows(sheet: Any) -> list[tuple[int, list[str]]]:
    numbered = enumerate(sheet.iter_rows(), start=1)
    filled = ((number, list(map(_text, cells))) for number, cells in numbered)
    rows = {number: cells for number, cells in filled if any(cells)}
    for merged in getattr(getattr(sheet, "merged_cells", None), "ranges", ()):
        _fill_down(rows, merged)
    return list(rows.items())


def _fill_down(rows: dict[int, list[str]], merged: Any) -> None:
    """Give the text of a merged cell to each row it stands for, in its first column."""
    at = merged.min_col - 1
    shown = rows.get(merged.min_row, [])[at : at + 1]
    for number in range(merged.min_row + 1, merged.max_row + 1):
        if shown and number in rows:
            rows[number][at : at + 1] = shown


def _text(cell: Any) -> str:
    """Return what the cell shows, as far as addresses need it."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = str(int(value)) if float(value).is_integer() else str(value)
        if _ZEROS.fullmatch(cell.number_format or ""):
            return whole.zfill(cell.number_format.count("0"))
        return whole
    return str(value)
