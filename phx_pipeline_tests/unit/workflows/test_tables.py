"""The files people bring, read to addresses: delimiters, encodings, headers."""

import csv
import io
import sys
import zipfile
from collections.abc import Callable, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import InputError
from phx_pipeline.workflows import tables
from phx_pipeline.workflows.columns import Part, is_column, part_named
from phx_pipeline.workflows.sheets import tables_of
from phx_pipeline.workflows.tables import read_table
from phx_pipeline.workflows.typed import typed_address

DAVIS = "4732 W Davis Rd, Glendale, AZ 85306"
ADAMS = "100 N Adams St, Phoenix, AZ 85003"
FLAT_204 = "1425 E Roosevelt St Unit 204, Phoenix, AZ 85006"
FLAT_205 = "1425 E Roosevelt St Unit 205, Phoenix, AZ 85006"
FLAT_ROW = ["85006", "AZ", "Phoenix", "1425 E Roosevelt St", "204"]
LINDA = "8800 E Via Linda, Scottsdale, AZ 85258"
ALL = [DAVIS, FLAT_204, FLAT_205, LINDA]


def addresses_in(content: str | bytes, *, name: str = "houses.csv") -> list[str]:
    """Every address of a file, in order; the first bad row raises."""
    body = content.encode() if isinstance(content, str) else content
    rows = read_table(body, name=name, is_column=is_column)
    read = tables_of(rows, name=name)
    texts = (read.columns[row.sheet].address_text(row) for row in read.rows)
    return [str(typed_address(text)) for text in texts]


# --- every delimiter, encoding and kind of header -------------------------------------

PARTS = (
    ("4732 W Davis Rd", "", "Glendale", "AZ", "85306"),
    ("1425 E Roosevelt St", "204", "Phoenix", "AZ", "85006.0"),
    ("1425 E. Roosevelt Street", "#205", "phoenix", "Arizona", "85006-1234"),
    ("8800 E V\u00eda Linda", "", "Scottsdale", "AZ", '="85258"'),
)
WHOLE = tuple(
    f"{street}{' Unit ' * bool(unit)}{unit.strip('#')}, {city}, {state} {code[:5]}"
    for street, unit, city, state, code in (
        *PARTS[:3],
        (*PARTS[3][:4], "85258"),
    )
)
REDFIN_HEADER = (
    "SALE TYPE,SOLD DATE,PROPERTY TYPE,ADDRESS,CITY,STATE OR PROVINCE,"
    "ZIP OR POSTAL CODE,PRICE,BEDS,LOCATION,URL (SEE https://www.redfin.com/buy-a-home/"
    "comparative-market-analysis FOR INFO ON PRICING),SOURCE,MLS#"
)
REDFIN = REDFIN_HEADER.split(",")
DISCLAIMER = (
    "In accordance with local MLS rules, some MLS listings are not included in the "
    "download"
)


def whole_column() -> list[list[str]]:
    return [["Full Address"], *([line] for line in WHOLE)]


def whole_between_others() -> list[list[str]]:
    rows = [["1,5", line, "nice; | \t roof"] for line in WHOLE]
    return [["Price", "full_address", "note"], *rows]


def snake_parts() -> list[list[str]]:
    return [["street", "unit", "city", "state", "zip_code"], *map(list, PARTS)]


def spelled_parts() -> list[list[str]]:
    header = ["Beds", " ZIP Code ", "STATE", "City", "Unit #", "Street Address"]
    rows = [["3", code, st, city, unit, line] for line, unit, city, st, code in PARTS]
    return [header, *rows]


def two_address_lines() -> list[list[str]]:
    header = ["Address 1", "Address 2", "City/Town", "State/Province", "Postal Code"]
    return [header, *map(list, PARTS)]


def redfin_export() -> list[list[str]]:
    rows = []
    for street, unit, city, state, code in PARTS:
        line = f"{street} #{unit.strip('#')}" if unit else street
        told = [line, city, state, code, "450000", "3", "Midtown"]
        rows.append(["MLS Listing", "", "Condo", *told, "https://x.example", "A", "1"])
    return [REDFIN, [DISCLAIMER, *[""] * (len(REDFIN) - 1)], *rows]


def zillow_export() -> list[list[str]]:
    header = ["zpid", "address/streetAddress", "address/city", "address/state"]
    rows = [
        ["7", f"{line} {unit}".strip(), city, state, code]
        for (line, unit, city, state, code) in (
            PARTS[0],
            (PARTS[1][0], "APT 204", *PARTS[1][2:]),
            PARTS[2],
            PARTS[3],
        )
    ]
    return [[*header, "address/zipcode"], *rows]


def mls_export() -> list[list[str]]:
    header = ["House Number", "Compass", "Street Name", "St Suffix", "Unit #"]
    return [
        [*header, "City/Town Code", "State/Province", "Zip Code"],
        ["4732", "W", "Davis", "Rd", "", "Glendale", "AZ", "85306"],
        ["1425", "E", "Roosevelt", "St", "204", "Phoenix", "AZ", "85006"],
        ["1425.0", "E", "Roosevelt", "St", "205.0", "Phoenix", "AZ", "85006.0"],
        ["8800", "E", "V\u00eda Linda", "", "", "Scottsdale", "AZ", "85258"],
    ]


def title_and_empty_rows() -> list[list[str]]:
    parts = snake_parts()
    return [["Houses to see"], [], *parts[:3], ["", "", "", "", "", ""], *parts[3:], []]


def no_header() -> list[list[str]]:
    return list(map(list, PARTS))


def no_header_reversed() -> list[list[str]]:
    return [
        [*(["Apt 204"] if unit == "204" else [unit]), code, state, city, line]
        for line, unit, city, state, code in PARTS
    ]


KINDS = (
    whole_column,
    whole_between_others,
    snake_parts,
    spelled_parts,
    two_address_lines,
    redfin_export,
    zillow_export,
    mls_export,
    title_and_empty_rows,
    no_header,
    no_header_reversed,
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")


def written(rows: Sequence[Sequence[str]], *, delimiter: str, end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_variant_of_a_file_gives_the_same_houses(
    kind: Callable[[], list[list[str]]],
) -> None:
    for delimiter, encoding in product(",;\t|", ENCODINGS):
        content = written(kind(), delimiter=delimiter).encode(encoding)

        assert addresses_in(content) == ALL, (delimiter, encoding)


@given(st.permutations(range(4)), st.sampled_from(KINDS), st.sampled_from(",;\t|"))
def test_the_order_of_the_rows_is_kept(
    order: list[int], kind: Callable[[], list[list[str]]], delimiter: str
) -> None:
    rows = kind()
    body = [row for row in rows if any("85" in cell for cell in row)]
    mixed = [*(row for row in rows if row not in body), *(body[at] for at in order)]

    found = addresses_in(written(mixed, delimiter=delimiter))

    assert found == [ALL[at] for at in order]


# --- what else text files hold --------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        f"{DAVIS}\n{ADAMS}\n",
        f"full_address\n{DAVIS}\n{ADAMS}\n",
        f"full_address;price\n{DAVIS};1,5\n{ADAMS};2,5\n",
        f'sep=;\nfull_address;note\n{DAVIS};a\n"{ADAMS}";"b;c"\n',
        f'"sep=,"\nfull_address\n"{DAVIS}"\n"{ADAMS}"\n',
        f"sep=^\nnote^address\n,;^{DAVIS}\n^{ADAMS}\n",
        f"full_address\r{DAVIS}\r{ADAMS}\r",
        f'full_address\n"{DAVIS}" , x\n"{ADAMS}",y,z\n',
        f'full_address\n"4732 W Davis Rd\nGlendale, AZ 85306"\n"{ADAMS}"\n',
        f'full_address\n"{DAVIS}\n"{ADAMS}"\n',
        f"full_address\n{DAVIS}\nfull_address\n{ADAMS}\n",
        f'full_address\n"{DAVIS}"\n'
        + ",,\n\n" * 5000
        + f'"{ADAMS}"\n'
        + ",,,\n" * 5000,
        f"# ;-)\n{DAVIS}\n{ADAMS}\n",
        "4732 west davis road glendale az 85306\n100 n adams st phoenix az 85003",
        "4732-w-davis-rd-glendale-az-85306\n100-n-adams-st-phoenix-az-85003\n",
        (
            "url\nhttps://www.redfin.com/AZ/Glendale/4732-W-Davis-Rd-85306/home/1?x=1\n"
            "https://www.zillow.com/homedetails/100-N-Adams-St-Phoenix-AZ-85003/7_zpid/\n"
        ),
        (
            "1\t4732 W Davis Rd\tGlendale\tAZ\t85306\t450000\n"
            "2\t100 N Adams St\tPhoenix\tAZ\t85003\t12345\n"
        ),
        (
            "Property Address,City State Zip,Owner City\n"
            '4732 W Davis Rd,"Glendale, AZ 85306",Mesa\n'
            "100 N Adams St,Phoenix AZ 85003,\n"
        ),
        (
            "Number,Street,City,ST,ZIP\n4732,W Davis Rd,Glendale,AZ,85306\n"
            "100,N Adams St,Phoenix,AZ,85003\n"
        ),
        (
            "street,city,state,zip\n4732 W Davis Rd,Glendale,AZ,'85306\n"
            '100 N Adams St,Phoenix,AZ,"85,003"\n'
        ),
        (
            "| Street | City | State | ZIP |\n|---|---|:--:|---|\n"
            "| 4732 W Davis Rd | Glendale | AZ | 85306 |\n"
            "| 100 N Adams St | Phoenix | AZ | 85003 |\n"
        ),
        f"# mine\n- {DAVIS}\n# yours\n2) {ADAMS}\n",
        (
            "2026 wish list\n"
            "Mailing City,Situs Address,Situs City,Situs State,Situs ZIP\n"
            "Mesa,4732 W Davis Rd,Glendale,AZ,85306\n"
            "Mesa,100 N Adams St,Phoenix,AZ,85003\n"
        ),
        (
            'Address,City,State,Zip\n4732 W Davis Rd,"Glendale, AZ",AZ,AZ 85306\n'
            "100 N Adams St,Phoenix,AZ,85003,,,\n"
        ),
        (
            'Address,Zip\n"4732 W Davis Rd, Glendale, AZ",85306\n'
            "100 N Adams St Phoenix AZ,85003.0\n"
        ),
        (
            'address,city,state,zip\n"4732 W Davis Rd, Glendale",Glendale,AZ,85306\n'
            f'"{ADAMS}",,,\n'
        ),
    ],
    ids=[
        "one address a line",
        "commas without quotes below a header",
        "semicolons and commas",
        "sep=;",
        "quoted sep=",
        "sep= of its own",
        "old line ends",
        "blanks behind quotes",
        "a quoted line break",
        "an open quote",
        "the header again",
        "thousands of empty rows",
        "a line of no use",
        "no commas",
        "keys",
        "urls",
        "numbered, without a header",
        "city, state and ZIP in one",
        "number apart",
        "ZIP codes as text and as numbers",
        "a table in Markdown",
        "a list",
        "the place of the house and that of its owner",
        "the state in every cell",
        "the ZIP code apart",
        "the city twice",
    ],
)
def test_odd_files_are_read(content: str) -> None:
    assert addresses_in(content) == [DAVIS, ADAMS]


@pytest.mark.parametrize(
    ("cells", "address"),
    [
        ("1425 E Roosevelt St,204,,", FLAT_204),
        ("1425 E Roosevelt St,Apt 204,,", FLAT_204),
        ("1425 E Roosevelt St,# 204,,", FLAT_204),
        ("1425 E Roosevelt St,204.0,,", FLAT_204),
        ("1425 E Roosevelt St #204,204,,", FLAT_204),
        ("1425 E Roosevelt St Unit 204,#204,,", FLAT_204),
        ('"1425 E Roosevelt St, Phoenix, AZ 85006",204,,', FLAT_204),
        ("1425 E Roosevelt St Phoenix AZ 85006,204,,", FLAT_204),
        ("5 Avenue B,B,,", "5 Ave B Unit B, Phoenix, AZ 85006"),
        ("5 Avenue B,-,,", "5 Ave B, Phoenix, AZ 85006"),
        ("5 Avenue B,n/a,,", "5 Ave B, Phoenix, AZ 85006"),
        ("5 Avenue B,Bldg 2 Unit 4,,", "5 Ave B Bldg 2 Unit 4, Phoenix, AZ 85006"),
    ],
)
def test_a_unit_of_its_own_column_counts_once(cells: str, address: str) -> None:
    content = f"address,unit,city,state,zip\n{cells[:-2]},Phoenix,AZ,85006\n"

    assert addresses_in(content) == [address]


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (
            Part.WHOLE,
            "Full Address|FULL_ADDRESS|fullAddress|Full-Address:|full address",
        ),
        (Part.LINE, "Address|streetAddress|Property Address|SITE_ADDRESS|Home address"),
        (Part.LINE, "Physical Address|Address (full)|Situs Address|addresses"),
        (Part.STREET, "street|Address 1|Address Line 1|Addr. 1|Street Name and Number"),
        (Part.SECOND, "Address 2|Address Line 2|address_2"),
        (Part.NUMBER, "House Number|Street #|House No.|StreetNumber"),
        (Part.UNIT, "Unit|UNIT #|Unit No.|Apt|Apt.|Apt #|Apt/Unit|Suite|Apt or Suite"),
        (Part.UNIT, "Unit (if any)|Condo #|Space #|unit_number|UnitNumber|Apartment"),
        (Part.BUILDING, "Bldg|Bldg #|Building Number"),
        (Part.CITY, "City|city name|CITY/TOWN|Property City|address.city"),
        (Part.STATE, "State|ST|STATE OR PROVINCE|State/Province|state_code"),
        (
            Part.ZIP,
            "ZIP|Zip Code|zip_code|ZIP OR POSTAL CODE|Postal Code|Postcode|Zip+4",
        ),
        (Part.ZIP, "addressZipcode|Situs ZIP|ZIP/Postal"),
        (Part.PLACE, "City State Zip|City, State, ZIP|CityStateZip"),
        (
            Part.URL,
            "URL|Link|Listing URL|detailUrl|URL (SEE https://x.example FOR INFO)",
        ),
        (
            None,
            "#|id|No comment|Price|Beds|Lot|Lot #|Lot Size|Unit Type|Units|Unit Count",
        ),
        (
            None,
            "Owner City|Mailing Address|Email Address|IP address|LOCATION|Home Type",
        ),
    ],
)
def test_columns_are_known_by_any_usual_name(part: Part | None, names: str) -> None:
    assert {name: part_named(name) for name in names.split("|")} == dict.fromkeys(
        names.split("|"), part
    )


def test_a_building_and_a_unit_of_their_own_columns_both_count() -> None:
    content = "Unit #,Bldg #,Street,City,State,Zip\n4,2,5 Avenue B,Mesa,AZ,85201\n"

    assert addresses_in(content) == ["5 Ave B Bldg 2 Unit 4, Mesa, AZ 85201"]


def test_a_unit_nobody_understands_is_refused_not_dropped() -> None:
    content = "street,unit,city,state,zip\n5 Main St,first door,Phoenix,AZ,85006\n"

    with pytest.raises(InputError, match="first door"):
        addresses_in(content)


def test_a_number_that_may_be_a_unit_is_asked_for() -> None:
    content = "4732 W Davis Rd|450000|4|Glendale|AZ|85306\n"

    with pytest.raises(InputError, match="'4' may be a unit: add a line that names"):
        addresses_in(content)


def test_rows_are_numbered_by_the_line_they_begin_on() -> None:
    content = 'full_address\n"1 A St\nMesa, AZ 85201"\n\n"2 A St"\n'.encode("utf-16")

    rows = read_table(content, name="x", is_column=is_column)

    assert [row.number for row in rows] == [1, 2, 5]


# --- workbooks ------------------------------------------------------------------------


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


def archive(*names: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as made:
        for name in names:
            made.writestr(zipfile.ZipInfo(name), "<x/>")  # of no time: a case's name
    return body.getvalue()


# --- files that are no table ----------------------------------------------------------


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


# --- notes, letters and the exports of agents -----------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        (
            "4732 W Davis Rd",
            "Glendale, AZ 85306",
            "",
            "100 N Adams St",
            "Phoenix AZ 85003",
        ),
        ("> 4732 W Davis Rd", "> Glendale, AZ 85306", f"> {ADAMS}"),
        (f"\u2610 {DAVIS}", f"[x] {ADAMS}"),
        (f"\U0001f4cd{DAVIS}", f">> 3) {ADAMS}"),
        (f"\u201c{DAVIS}\u201d", f"[ ] {ADAMS}"),
    ],
    ids=["two lines", "quoted", "ticked", "marked", "in quotes"],
)
def test_addresses_of_notes_and_letters_are_read(lines: Sequence[str]) -> None:
    assert addresses_in("\n".join(lines), name="notes.txt") == [DAVIS, ADAMS]


def test_a_unit_on_a_line_of_its_own_belongs_to_the_street_above() -> None:
    lines = ("To see", "1425 E Roosevelt St", "Unit 204", "Phoenix, AZ 85006", DAVIS)

    assert addresses_in("\n".join(lines)) == [FLAT_204, DAVIS]


@pytest.mark.parametrize(
    "content",
    [
        f"full_address\n4732 W Davis Rd{',Mesa' * 9},AZ 85306",
        f"4732 W Davis Rd{',Mesa' * 9},AZ 85306",
        "\n".join(("4732 W Davis Rd", *["Unit 4"] * 9, "Glendale, AZ 85306")),
    ],
)
def test_one_address_is_never_put_together_of_many_pieces(content: str) -> None:
    # A row may have thousands of cells: to join ever more of them takes for ever.
    rows = read_table(content.encode(), name="x", is_column=is_column)
    read = tables_of(rows, name="x")
    with pytest.raises(InputError):
        typed_address(read.columns[read.rows[0].sheet].address_text(read.rows[0]))


def test_a_street_without_a_place_does_not_take_the_next_ones() -> None:
    lines = ("4734 W Davis Rd", "100 N Adams St", "Phoenix, AZ 85003")
    rows = read_table("\n".join(lines).encode(), name="x", is_column=is_column)

    read = tables_of(rows, name="x")

    texts = [read.columns[row.sheet].address_text(row) for row in read.rows]
    assert texts == ["4734 W Davis Rd", ADAMS]


@pytest.mark.parametrize(
    "before", ["Dir", "Direction", "Pre Dir", "Str Dir", "Dir Prefix"]
)
@pytest.mark.parametrize("suffix", ["Suffix", "Str Type", "Street Sfx"])
def test_the_direction_in_a_column_of_its_own_is_not_left_out(
    before: str, suffix: str
) -> None:
    header = f"Str No,{before},Street Name,{suffix},Dir Suffix,City,State,Zip"
    rows = "4732,W,Davis,Rd,,Glendale,AZ,85306\n4410,,Main,St,NE,Mesa,AZ,85203"

    assert addresses_in(f"{header}\n{rows}") == [
        DAVIS,
        "4410 Main St NE, Mesa, AZ 85203",
    ]


def test_the_commas_of_a_url_do_not_cut_it() -> None:
    url = "https://www.zillow.com/homes/4732-W-Davis-Rd-Glendale,-AZ-85306_rb/"

    assert addresses_in(f"{url}\n{ADAMS}") == [DAVIS, ADAMS]


# --- what would make another house of a row -------------------------------------------

PLACE = "city,state,zip"


@pytest.mark.parametrize(
    ("content", "address"),
    [
        # The kind of a street beside its name.
        (
            f"Number,Dir,Street Name,Type,{PLACE}\n4732.0,W,Davis,Rd,Glendale,AZ,85306",
            DAVIS,
        ),
        # A column that counts, not one of street numbers.
        (f"No,Street,{PLACE}\n7,4732 W Davis Rd,Glendale,AZ,85306", DAVIS),
        (f"#,Address,{PLACE}\n7,4732 W Davis Rd,Glendale,AZ,85306", DAVIS),
        (f"No,Street,{PLACE}\n4732,W Davis Rd,Glendale,AZ,85306", DAVIS),
        # The end of a number in a column of its own.
        (
            (
                f"House Number,House Number Suffix,Street Name,{PLACE}\n"
                "2417,1/2,W Adams St,Phoenix,AZ,85009"
            ),
            "2417 1/2 W Adams St, Phoenix, AZ 85009",
        ),
        (
            (
                f"House Number,House Number Suffix,Street Name,{PLACE}\n"
                "4732,B,W Davis Rd,Glendale,AZ,85306"
            ),
            "4732B W Davis Rd, Glendale, AZ 85306",
        ),
        # A building, and a building's name.
        (
            f"Street,Building,Unit,{PLACE}\n1425 E Roosevelt St,2,204,Phoenix,AZ,85006",
            "1425 E Roosevelt St Bldg 2 Unit 204, Phoenix, AZ 85006",
        ),
        (
            (
                f"Street,Building,Unit,{PLACE}\n"
                "1425 E Roosevelt St,Sun Towers,204,Phoenix,AZ,85006"
            ),
            FLAT_204,
        ),
        # Numbers as a spreadsheet writes them, with no digit lost.
        (
            f"street,unit,{PLACE}\n1425 E Roosevelt St,2.04E+02,Phoenix,AZ,8.5006E+04",
            FLAT_204,
        ),
        (f"street,{PLACE}\n4732 W Davis Rd,Glendale,,85306", DAVIS),
        (
            f"Number,Direction,Street,Type,{PLACE}\n4732,W,Davis,Rd,Glendale,AZ,85306",
            DAVIS,
        ),
        (
            "STREET_ADDRESS,CITY,STATE_CD,ZIP_CD\n4732 W Davis Rd,Glendale,AZ,85306",
            DAVIS,
        ),
        (
            "'street','city','state','zip'\n'4732 W Davis Rd','Glendale','AZ','85306'",
            DAVIS,
        ),
    ],
)
def test_no_part_of_an_address_is_left_out(content: str, address: str) -> None:
    assert addresses_in(content) == [address]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"street,unit,{PLACE}\n1 A St,2-Jan,Mesa,AZ,85201", "'2-Jan' was made a date"),
        (f"street,unit,{PLACE}\n1 A St,1/2/2026,Mesa,AZ,85201", "was made a date"),
        (f"street,unit,{PLACE}\n1 A St,2026-01-02 00:00:00,Mesa,AZ,85201", "a date"),
        (f"street number,street name,{PLACE}\n20-Oct,A St,Mesa,AZ,85201", "a date"),
        (f"street,{PLACE}\n1 A St,Mesa,AZ,8.52E+04", "has lost digits"),
        (
            f"street number,street,{PLACE}\n9,4732 W Davis Rd,Mesa,AZ,85201",
            "two street",
        ),
        (f'address,{PLACE}\n"{DAVIS}",Mesa,AZ,85201', "has ZIP 85306, but the column"),
    ],
)
def test_a_row_that_may_mean_another_house_is_refused(content: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        addresses_in(content)


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


@pytest.mark.parametrize(
    ("encoding", "note"), [("mac-roman", "cosy"), ("cp1252", "bed\u2013bath")]
)
def test_letters_of_an_old_macintosh_are_no_dashes(encoding: str, note: str) -> None:
    content = f"street,{PLACE},note\n100 E Ca\u00f1ada Dr,Phoenix,AZ,85003,{note}\n"

    found = addresses_in(content.encode(encoding))

    assert found == ["100 E Canada Dr, Phoenix, AZ 85003"]


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman", "cp437"])
def test_no_letter_of_an_older_encoding_is_left_out(encoding: str) -> None:
    content = f"street,{PLACE}\n8800 E V\u00eda Linda,Scottsdale,AZ,85258\n"

    assert addresses_in(content.encode(encoding)) == [LINDA]


def test_a_letter_nothing_tells_is_asked_for() -> None:
    row = b"100 E Lu\x92s Dr,Phoenix,AZ,85003\n"

    with pytest.raises(
        InputError, match=r"does not tell which letter .* save the file"
    ):
        addresses_in(f"street,{PLACE}\n".encode() + row)


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
