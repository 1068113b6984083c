"""A file people saved as a table, as numbered rows of cells; not what the cells mean.

Text with any usual delimiter and encoding; a workbook goes to `workflows.workbooks`. A
file that is no table is refused with what to do about it.
"""

import csv
import io
import re
import shlex
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from phx_pipeline.errors import InputError
from phx_pipeline.model.encoding import decoded
from phx_pipeline.workflows.workbooks import ONE_SHEET, Sheet, Sheets, workbook_sheets

MAX_BYTES: Final = 50_000_000

_DELIMITERS = ",;\t|"
_SAMPLED = 20  # rows by which the delimiter is found
_MOST_LINES = 50  # of one quoted row: beyond it a quote was left open
_MOST_CELLS = 2_000  # of a row: more than there are fields of a listing
LONGEST_CELL: Final = 500
"""Characters. No address is so long, nor what a URL needs to name a house.

Who reads a row matches patterns, of which some take the square of a cell's length.
"""
_LONGEST_LINE = 100_000
_USUAL = 0.8  # of the sampled lines have their delimiter

_RULE = re.compile(r":?-{2,}:?")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_OTHER_FILES = (
    (b"SQLite format 3", "a database: save the {what} as CSV"),
    (b"%PDF", "a PDF: copy its {what} into a text file, one a line"),
    (b"\x1f\x8b", "compressed: unpack it, and give the file in it"),
    (b"BZh", "compressed: unpack it, and give the file in it"),
    (b"7z\xbc\xaf", "compressed: unpack it, and give the file in it"),
    (b"\xfd7zXZ", "compressed: unpack it, and give the file in it"),
    (b"Rar!", "compressed: unpack it, and give the file in it"),
    (b"{\\rtf", "rich text: save it as plain text"),
)
_NO_TEXT = "not text: save the {what} as CSV"
_OTHER_TEXT = (
    ("<", "a web page or XML: save the table in it as CSV"),
    ("{", "JSON: give the {what} as CSV, or one a line"),
    ("[", "JSON: give the {what} as CSV, or one a line"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The cells of a row, trimmed, and its number: the line it begins on, from 1."""

    number: int
    cells: tuple[str, ...]
    sheet: Sheet = ONE_SHEET


def file_content(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    try:
        if path.is_dir():
            raise InputError(
                f"{path} cannot be read: it is a folder, give a file in it"
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}: check the name") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def read_table(
    content: bytes,
    *,
    name: str,
    is_column: Callable[[str], bool],
    what: str = "addresses",
    longest: int = LONGEST_CELL,
) -> list[Row]:
    """Return the rows of a file that have any cell filled, of all sheets in order.

    Args:
        content: of the file.
        name: of the file, for messages.
        is_column: whether a cell of a header row is known, by which the delimiter is
            found where the file does not say it.
        what: its rows hold, for messages.
        longest: characters of a cell; what has more is cut.

    Raises:
        InputError: it is empty, too large, or no table.
    """
    if len(content) > MAX_BYTES:
        raise InputError(f"{name} is larger than 50 MB: cut it into pieces")
    if content.startswith(b"PK\x03\x04"):
        sheets: Sheets = workbook_sheets(
            _workbook(content, name=name, what=what), name=name
        )
    else:
        text = _text(content, name=name, what=what)
        sheets = [(ONE_SHEET, _text_rows(text, is_column=is_column))]
    rows = [
        Row(number=number, cells=trimmed, sheet=sheet)
        for sheet, numbered in sheets
        for number, cells in numbered
        if any(
            trimmed := tuple(_trimmed(it, most=longest) for it in cells[:_MOST_CELLS])
        )
    ]
    if not rows:
        raise InputError(f"{name} is empty: write one house per line")
    return rows


# --- which kind of file it is ---------------------------------------------------------


def csv_command(name: str) -> str:
    """Return the command that makes a CSV of a spreadsheet."""
    return f"libreoffice --headless --convert-to csv {shlex.quote(name)}"


def _workbook(content: bytes, *, name: str, what: str) -> bytes:
    """Return a workbook of Excel as it is; refuse other archives."""
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise InputError(f"{name} is damaged: copy or save it again") from error
    if "xl/workbook.xml" in names:
        return content
    if "xl/workbook.bin" in names or "content.xml" in names:
        raise InputError(
            f"{name} is a spreadsheet we do not read: make a CSV of it, `"
            f"{csv_command(name)}`"
        )
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise InputError(
            f"{name} is a document: copy its {what} into a text file, one a line"
        )
    if any(it.endswith(".iwa") for it in names):
        raise InputError(f"{name} is of Apple Numbers or Pages: export it as CSV")
    raise InputError(f"{name} is an archive: unpack it, and give the file in it")


def _text(content: bytes, *, name: str, what: str) -> str:
    if content.startswith(_OLD_OFFICE):
        raise InputError(
            f"{name} is of an old or locked Excel: make a CSV of it, `"
            f"{csv_command(name)}`"
        )
    for magic, told in _OTHER_FILES:
        if content.startswith(magic):
            raise InputError(f"{name} is {told.format(what=what)}")
    if (text := decoded(content)) is None:
        raise InputError(f"{name} is {_NO_TEXT.format(what=what)}")
    for begin, told in _OTHER_TEXT:
        if text.lstrip().startswith(begin):
            raise InputError(f"{name} is {told.format(what=what)}")
    return text


# --- rows of text ---------------------------------------------------------------------


def _text_rows(
    text: str, *, is_column: Callable[[str], bool]
) -> Iterator[tuple[int, list[str]]]:
    lines = [_cut(it, most=_LONGEST_LINE) for it in io.StringIO(text, newline=None)]
    said = _said_delimiter(lines[0]) if lines else None
    first = 1 if said else 0
    delimiter = said or _delimiter(lines, is_column=is_column)
    return _records(lines, first=first, delimiter=delimiter)


def _said_delimiter(line: str) -> str | None:
    """Return the delimiter of Excel's line `sep=;`."""
    told = line.rstrip("\r\n").strip(' "')
    if told.lower() in {"sep=", "sep=\\t"}:
        return "\t"
    is_said = told.lower().startswith("sep=") and len(told) == len("sep=,")
    return told[-1] if is_said else None


def _delimiter(lines: Sequence[str], *, is_column: Callable[[str], bool]) -> str:
    """Return what parts the most known columns, else what is in nearly every line."""

    def fitness(delimiter: str) -> tuple[int, bool]:
        rows = [cells for _, cells in islice(_records(lines, delimiter=delimiter), 100)]
        rows = [cells for cells in rows if any(map(str.strip, cells))][:_SAMPLED]
        known = max((sum(map(is_column, set(cells))) for cells in rows), default=0)
        parted = sum(len(cells) > 1 for cells in rows)
        return known, parted >= _USUAL * len(rows) > 0

    return max("\t|;,", key=lambda delimiter: (fitness(delimiter), delimiter == ","))


def _records(
    lines: Sequence[str], *, delimiter: str, first: int = 0
) -> Iterator[tuple[int, list[str]]]:
    at, empty = first, f"{delimiter} \t\r\n"
    while at < len(lines):
        if not lines[at].strip(empty):
            at += 1
            continue
        cells, size = _record(lines, at, delimiter=delimiter)
        yield at + 1, cells
        at += size


def _record(lines: Sequence[str], at: int, *, delimiter: str) -> tuple[list[str], int]:
    """Return the cells of the row that begins at a line, and how many lines it has.

    A row whose quotes do not fit is read as this one line: others are not lost for it.
    """
    several = lines[at : at + _MOST_LINES] if '"' in lines[at] else lines[at : at + 1]
    strict = csv.reader(
        several, delimiter=delimiter, strict=True, skipinitialspace=True
    )
    try:
        return next(strict), strict.line_num
    except csv.Error:
        pass
    plain = csv.reader(several[:1], delimiter=delimiter, skipinitialspace=True)
    try:
        return next(plain), 1
    except csv.Error:
        return [lines[at]], 1


def _cut(text: str, *, most: int) -> str:
    """Return a text that is not longer; what is cut ends like no address does."""
    return text if len(text) <= most else f"{text[:most]}\u2026"


def _trimmed(cell: str, *, most: int) -> str:
    """Return a cell without blanks, nor Excel's ways to keep a number a text.

    Nor are curly quotes part of it, or what marks the lines of a quoted letter. The
    dashes below the header of a table in Markdown are blank too.
    """
    text = _cut(cell.strip().strip("\u200b\ufeff\u201c\u201d"), most=most)
    text = text.lstrip("> ")
    if _RULE.fullmatch(text):
        return ""
    if text.startswith('="') and text.endswith('"'):
        return text[2:-1].strip()
    if text.startswith("'"):
        return text[1:].removesuffix("'").strip()
    return text
