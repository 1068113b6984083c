"""Files that are no table are told in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import InputError
from phx_pipeline.workflows import tables
from phx_pipeline.workflows.columns import is_column
from phx_pipeline.workflows.tables import read_table
from phx_pipeline_tests.unit.workflows.tables.conftest import (
    DAVIS,
    addresses_in,
    archive,
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n \r\n", "is empty"),
        (b"\xef\xbb\xbf\n", "is empty"),
        ("\n".encode("utf-16"), "is empty"),
        (b",,\n,\n", "is empty"),
        (b"full_address\n", "no rows below the header"),
        (b"full_address\n,,\n\n", "no rows below the header"),
        (b"%PDF-1.7\n", "is a PDF: copy its addresses"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or locked Excel.*libreoffice"),
        (archive("a.csv"), "is an archive: unpack it"),
        (archive("content.xml"), "a spreadsheet we do not read.*libreoffice"),
        (archive("xl/workbook.bin"), "a spreadsheet we do not read.*libreoffice"),
        (b"PK\x03\x04cut off", "is damaged"),
        (b"\x1f\x8b\x08\0", "is compressed: unpack it"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not text"),
        (b"{\\rtf1\\ansi 4732 W Davis Rd}", "is rich text"),
        (b"<!DOCTYPE html><table>", "is a web page or XML"),
        (b'[{"address": "x"}]', "is JSON"),
        (b"street,city,zip\n1 A St,Mesa,85201\n", "missing column state: give"),
        (b"street\n1 A St\n", "missing column city, state, zip"),
        (b"City,ZIP\nMesa,85201\n", r"column street, state.*found: city, zip\)"),
    ],
)
def test_a_file_that_is_no_table_is_told_in_one_line(content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told) as raised:
        addresses_in(content, name="houses.csv")

    assert str(raised.value).startswith("houses.csv")
    assert "\n" not in str(raised.value)


def test_a_damaged_workbook_is_told_in_one_line() -> None:
    pytest.importorskip("openpyxl", reason="the extra xlsx is not installed")

    with pytest.raises(InputError, match="cannot be read as an Excel workbook"):
        addresses_in(archive("xl/workbook.xml"), name="houses.xlsx")


def test_a_huge_file_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_BYTES", 100)

    with pytest.raises(InputError, match="larger than 50 MB: cut it into pieces"):
        addresses_in(f"{DAVIS}\n" * 3)


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_there_is_a_row_or_a_message(content: bytes) -> None:
    told = None
    try:
        rows = read_table(content, name="x", is_column=is_column)
    except InputError as error:
        told = str(error)
    else:
        assert all(any(row.cells) for row in rows)

    assert told is None or "\n" not in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("word/document.xml", "is a document"),
        ("Index/Document.iwa", "export it as CSV"),
    ],
)
def test_a_document_is_told_for_what_it_is(name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        addresses_in(archive(name), name="houses.docx")
