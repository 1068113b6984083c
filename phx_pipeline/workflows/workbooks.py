"""The rows of an Excel workbook, as text; the library for it is an extra."""

import io
import re
import shlex
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from phx_pipeline.errors import InputError
from phx_pipeline.model.printable import printable

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
_MAX_UNPACKED = 500_000_000  # bytes
_MAX_AT_ONCE = 20_000_000  # bytes of sheets, unpacked
_SHEETS = "xl/worksheets/"
_ZEROS = re.compile(r"0{2,}(?:\\?-0+)?")  # the format of a ZIP code: 00000


Sheets = Sequence[tuple["Sheet", Iterable[tuple[int, list[str]]]]]
"""Sheets with their numbered rows."""


class Sheet(NamedTuple):
    """A sheet of a workbook that has several: its place among them, its name."""

    at: int
    name: str
    is_hidden: bool = False

    def __str__(self) -> str:
        """Return what follows the name of a file to mean the sheet."""
        return f", sheet {printable(self.name)!r}" if self.name else ""


ONE_SHEET: Final = Sheet(at=0, name="")
"""That of text, and of a workbook that has no other."""


def workbook_sheets(content: bytes, *, name: str) -> Sheets:
    """Return the sheets that have anything in them.

    Args:
        content: of the file.
        name: of the file, for messages.

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
            return _filled(book)
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


def _filled(book: Any) -> Sheets:
    found = []
    for at, sheet in enumerate(book.worksheets):
        if book.read_only:
            sheet.reset_dimensions()  # some programs state wrong ones
        if rows := _rows(sheet):
            is_hidden = sheet.sheet_state != "visible"
            found.append((Sheet(at=at, name=sheet.title, is_hidden=is_hidden), rows))
    return found if len(found) > 1 else [(ONE_SHEET, rows) for _, rows in found]


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
