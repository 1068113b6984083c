"""What people bring to `phx properties add`: files and words, and what they are worth.

Each file names two houses of its own, so what it adds tells whether it was read. How a
file is read in all its variants is the matter of `unit/workflows/tables`.
"""

import io
from collections.abc import Callable, Mapping

import openpyxl

_PARTS = ("street", "unit", "city", "state", "zip_code")
_REDFIN = (
    *("SALE TYPE", "ADDRESS", "CITY", "STATE OR PROVINCE", "ZIP OR POSTAL CODE"),
    "PRICE",
)
_DISCLAIMER = "In accordance with local MLS rules, some MLS listings are not included"

Rows = list[tuple[str, ...]]
Made = Callable[[int], bytes]


def flats(number: int) -> Rows:
    """Two flats of one door, which differ in their unit alone."""
    street = f"{number} E Roosevelt St"
    return [(street, unit, "Phoenix", "AZ", "85006") for unit in ("204", "205")]


def lines(number: int) -> list[str]:
    return [f"{row[0]} Unit {row[1]}, Phoenix, AZ 85006" for row in flats(number)]


def text(rows: Rows, *, by: str = ",", end: str = "\n") -> str:
    return "".join(by.join(row) + end for row in rows)


def redfin_export(number: int) -> bytes:
    told = [
        ("MLS Listing", f"{street} #{unit}", *place, "450000")
        for street, unit, *place in flats(number)
    ]
    return text([_REDFIN, (_DISCLAIMER, "", "", "", "", ""), *told]).encode()


def zip_as_number(number: int) -> bytes:
    rows = [(*row[:-1], "85006.0") for row in flats(number)]
    header = ("Street Address", "Unit #", "City", "State", "ZIP Code")
    return text([header, *rows]).encode()


def delimited(by: str, *, first: str = "", encoding: str = "utf-8") -> Made:
    def make(number: int) -> bytes:
        noted = [(*row, "caf\u00e9") for row in flats(number)]
        return (first + text([(*_PARTS, "note"), *noted], by=by)).encode(encoding)

    return make


def urls(number: int) -> bytes:
    door = f"{number}-E-Roosevelt-St"
    paths = (
        f"www.redfin.com/AZ/Phoenix/{door}-85006/unit-204/home/1?x=1",
        f"www.zillow.com/homedetails/{door}-UNIT-205-Phoenix-AZ-85006/7_zpid/",
    )
    return "".join(f"https://{path}\n" for path in paths).encode()


def workbook(number: int) -> bytes:
    book = openpyxl.Workbook()
    for street, unit, *place, code in [_PARTS, *flats(number)]:
        is_header = street == _PARTS[0]
        numbers = (unit, code) if is_header else (int(unit), float(code))
        book.active.append([street, numbers[0], *place, numbers[1]])
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


FILES: Mapping[str, Made] = {
    "parts.csv": lambda it: text([(*_PARTS[:-1], "zip"), *flats(it)]).encode(),
    "redfin.csv": redfin_export,
    "spelled.csv": zip_as_number,
    "commas.csv": delimited(","),
    "semicolons.csv": delimited(";"),
    "tabs.tsv": delimited("\t"),
    "excel.csv": delimited(";", first="sep=;\n"),
    "unicode.csv": delimited("\t", encoding="utf-16"),
    "western.csv": delimited(";", encoding="cp1252"),
    "no_header.csv": lambda it: text(flats(it)).encode(),
    "lines.txt": lambda it: "\n".join(lines(it)).encode(),
    "plain.txt": lambda it: "\n".join(lines(it)).lower().replace(",", "").encode(),
    "urls.txt": urls,
    "book.xlsx": workbook,
    "-": lambda it: "\n".join(lines(it)).encode(),
}

# One row that names no house and one given twice, among a hundred others; a thousand
# are read in `unit/workflows/test_intake.py`.
MANY = "\n".join(
    [
        "full_address",
        *(f'"{number} W Davis Rd, Mesa, AZ 85201"' for number in range(1, 51)),
        "nowhere",
        *(f'"{number} W Davis Rd, Mesa, AZ 85201"' for number in range(50, 99)),
    ]
)
ADDED_OF_MANY = 98

# Houses that are asked about, with the question.
ODD = {
    "1 W Adams St, Phoenix, AZ 99999": "ZIP 99999 belongs to AK, not to AZ",
    "10400 N De Anza Blvd, Cupertino, CA 95014": "it is outside Arizona, in CA",
}

PROXIES = "\ufeff10.0.0.1:80:anna:hush\nsocks5h://anna:hush@10.0.0.2:1080\n"
