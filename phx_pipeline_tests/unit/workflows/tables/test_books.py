"""Workbooks, their sheets and cells."""

import io
import sys
from collections.abc import Callable, Sequence

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.workflows.columns import is_column
from phx_pipeline.workflows.sheets import tables_of
from phx_pipeline.workflows.tables import read_table
from phx_pipeline_tests.unit.workflows.tables.conftest import (
    ADAMS,
    ALL,
    DAVIS,
    FLAT_204,
    FLAT_205,
    KINDS,
    addresses_in,
    archive,
)

FLAT_ROW = ["85006", "AZ", "Phoenix", "1425 E Roosevelt St", "204"]


def _plain(cell: object) -> object:
    """A cell without the formula that keeps a number a text in CSV."""
    return cell.strip('="') if isinstance(cell, str) else cell


def workbook(
    rows: Sequence[Sequence[object]], *, formats: dict[str, str] | None = None
) -> bytes:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra xlsx is not installed")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([_plain(cell) for cell in row])
    for place, number_format in (formats or {}).items():
        book.active[place].number_format = number_format
    book.create_sheet("Notes").append(["4732 W Davis Rd"])
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_workbook_is_read_like_text(kind: Callable[[], list[list[str]]]) -> None:
    assert addresses_in(workbook(kind()), name="houses.xlsx") == ALL


def test_numbers_in_a_workbook_are_what_they_show() -> None:
    content = workbook(
        [
            ("street", "unit", "city", "state", "zip"),
            ("1425 E Roosevelt St", 204, "Phoenix", "AZ", 85006),
            ("1425 E Roosevelt St", 205.0, "Phoenix", "AZ", 85006.0),
            (None, None, None, None, None),
            ("5 Main St", None, "Boston", "MA", 2108),
        ],
        formats={"E5": "00000"},
    )

    found = addresses_in(content, name="houses.xlsx")

    assert found == [FLAT_204, FLAT_205, "5 Main St, Boston, MA 02108"]


def test_rows_of_a_workbook_keep_their_numbers() -> None:
    content = workbook([["address"], [None], [DAVIS]])

    rows = read_table(content, name="x.xlsx", is_column=is_column)

    assert [row.number for row in tables_of(rows, name="x.xlsx").rows] == [3]


def test_without_the_library_the_command_that_makes_a_csv_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = archive("xl/workbook.xml")
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    with pytest.raises(InputError) as raised:
        addresses_in(content, name="my houses.xlsx")

    told = str(raised.value)
    assert "pip install 'phx_pipeline[xlsx]'" in told
    assert "libreoffice --headless --convert-to csv 'my houses.xlsx'" in told
    assert "\n" not in told


def test_a_merged_cell_stands_for_each_of_its_rows() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Our houses", None, None, None, None])
    sheet.append(["Street", "Unit", "City", "State", "ZIP"])
    sheet.append(["1425 E Roosevelt St", 204, "Phoenix", "AZ", 85006])
    sheet.append([None, 205, None, None, None])
    sheet.append(["4732 W Davis Rd", None, "Glendale", "AZ", 85306])
    for cells in ("A1:E1", "A3:A4", "C3:C4", "D3:D4", "E3:E4", "A6:A9"):
        sheet.merge_cells(cells)
    file = io.BytesIO()
    book.save(file)

    assert addresses_in(file.getvalue()) == [FLAT_204, FLAT_205, DAVIS]


def test_a_cover_sheet_is_passed_over() -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra xlsx is not installed")
    book, body = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Houses we like"])
    sheet = book.create_sheet("Houses")
    sheet.append(["Full Address"])
    sheet.append([DAVIS])
    book.save(body)

    assert addresses_in(body.getvalue(), name="houses.xlsx") == [DAVIS]


# The cells of the sheets of a workbook by name; "~" begins a hidden one.
HEADER = ["street", "city", "state", "zip"]

SHEETS: dict[str, tuple[dict[str, list[list[str]]], list[str], str]] = {
    "two": (
        {"Phoenix": [["Full Address"], [ADAMS]], "Glendale": [["Address"], [DAVIS]]},
        [ADAMS, DAVIS],
        "",
    ),
    "of other columns": (
        {
            "One": [["Ours"], HEADER, ["100 N Adams St", "Phoenix", "AZ", "85003"]],
            "Two": [["ZIP", "State", "City", "Street", "Unit"], FLAT_ROW],
        },
        [ADAMS, FLAT_204],
        "",
    ),
    "without a header": (
        {"Phoenix": [["address"], [ADAMS]], "More": [[DAVIS]]},
        [ADAMS],
        "not read of x, sheet 'More' (no header with a column of an address)",
    ),
    "none with a header": (
        {"Phoenix": [[ADAMS]], "More": [[DAVIS]]},
        [ADAMS],
        "not read of x, sheet 'More' (no header with a column of an address)",
    ),
    "sums and a form": (
        {
            "Sums": [["City", "Count"], ["Mesa", "7"]],
            "Form": [HEADER],
            "Houses": [["address"], [DAVIS]],
        },
        [DAVIS],
        (
            "not read of x, sheet 'Sums' (missing column street, state, zip: give a "
            "column full_address, or street, city, state, zip (found: city, count)), "
            "sheet 'Form' (no rows below the header; add one house per line)"
        ),
    ),
    "hidden": (
        {
            "~Old": [["address"], [ADAMS]],
            "~Lists": [["cheap", "dear"]],
            "Houses": [["address"], [DAVIS]],
        },
        [DAVIS],
        "not read of x, sheet 'Old' (it is hidden)",
    ),
    "empty": ({"Houses": [["address"], [DAVIS]], "Sheet2": []}, [DAVIS], ""),
}


@pytest.mark.parametrize("kind", SHEETS)
def test_every_sheet_with_a_header_is_read_or_told(kind: str) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra xlsx is not installed")
    book, body = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    sheets, addresses, left_out = SHEETS[kind]
    for name, lines in sheets.items():
        sheet = book.create_sheet(name.strip("~"))
        sheet.sheet_state = "hidden" if name.startswith("~") else "visible"
        for line in lines:
            sheet.append(line)
    book.save(body)

    assert addresses_in(body.getvalue(), name="x") == addresses
    rows = read_table(body.getvalue(), name="x", is_column=is_column)
    assert tables_of(rows, name="x").left_out == left_out
