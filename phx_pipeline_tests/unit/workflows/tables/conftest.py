"""Houses, files in which people keep them, and what is read of those."""

import io
import zipfile

from phx_pipeline.workflows.columns import is_column
from phx_pipeline.workflows.sheets import tables_of
from phx_pipeline.workflows.tables import read_table
from phx_pipeline.workflows.typed import typed_address

DAVIS = "4732 W Davis Rd, Glendale, AZ 85306"
ADAMS = "100 N Adams St, Phoenix, AZ 85003"
FLAT_204 = "1425 E Roosevelt St Unit 204, Phoenix, AZ 85006"
FLAT_205 = "1425 E Roosevelt St Unit 205, Phoenix, AZ 85006"
LINDA = "8800 E Via Linda, Scottsdale, AZ 85258"
ALL = [DAVIS, FLAT_204, FLAT_205, LINDA]


def addresses_in(content: str | bytes, *, name: str = "houses.csv") -> list[str]:
    """Every address of a file, in order; the first bad row raises."""
    body = content.encode() if isinstance(content, str) else content
    rows = read_table(body, name=name, is_column=is_column)
    read = tables_of(rows, name=name)
    texts = (read.columns[row.sheet].address_text(row) for row in read.rows)
    return [str(typed_address(text)) for text in texts]


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


def archive(*names: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as made:
        for name in names:
            made.writestr(zipfile.ZipInfo(name), "<x/>")  # of no time: a case's name
    return body.getvalue()


PLACE = "city,state,zip"
