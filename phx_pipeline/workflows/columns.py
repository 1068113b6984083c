"""Which cells of a table's rows make an address, by a header or by what they hold.

What an address means is for `model.address`; here it is put together as a line of text.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum
from itertools import takewhile
from typing import Self

from phx_pipeline.errors import InputError
from phx_pipeline.model.places import is_place, with_commas
from phx_pipeline.model.printable import printable
from phx_pipeline.model.states import state_code, states_of
from phx_pipeline.workflows.tables import Row


class Part(Enum):
    """What a column holds; the value says which names it goes by, without blanks.

    WHOLE is an address for sure. LINE is one, or only its street if there are columns
    for the rest. PLACE is city, state and ZIP code in one.
    """

    WHOLE = "fulladdress wholeaddress completeaddress addressfull formattedaddress"
    LINE = (
        "address addresses streetaddress addressline situsaddress siteaddress addr "
        "unparsedaddress propertyaddress homeaddress listingaddress propertyaddr"
    )
    STREET = (
        "street streetline streetline1 streetaddress1 address1 addressline1 addr1 "
        "line1 addressstreet addressstreetaddress streetfull fullstreet"
    )
    SECOND = "address2 addressline2 streetaddress2 streetline2 addr2 line2"
    NUMBER = (
        "streetnumber housenumber streetno houseno streetnum housenum streetnr "
        "housenr addressnumber streetnumbernumeric stnumber stno stnum hsenumber "
        "number num no nr"
    )
    BEFORE = (
        "streetdirprefix stdirprefix predir predirection streetpredirection compass "
        "streetdirection stdirection streetdir stdir stdirpfx directionprefix"
    )
    NAME = "streetname stname"
    SUFFIX = "streetsuffix stsuffix streettype sttype"
    AFTER = (
        "streetdirsuffix stdirsuffix stdirsfx postdir postdirection directionsuffix "
        "streetpostdirection"
    )
    UNIT = (
        "unit unitnumber unitno unitnum unitnr apt aptnumber aptno aptnum apartment "
        "apartmentnumber apartmentno suite suitenumber suiteno ste aptunit unitapt "
        "aptsuite aptsuiteunit unitsuite addressunit secondaryunit condounit door "
        "aptsteunit unitaptnumber aptunitnumber"
    )
    FRACTION = (
        "housenumbersuffix housenumsuffix streetnumbersuffix numbersuffix fraction "
        "streetnumberfraction numberfraction housefraction housenumberfraction"
    )
    BUILDING = "bldg building"
    CITY = (
        "city town cityname citytown citytowncode municipality postalcity addresscity "
        "citymunicipality addresslocality locality"
    )
    STATE = (
        "state st stateorprovince stateprovince statecode province stateabbr "
        "stateabbreviation addressstate addressregion statecd"
    )
    ZIP = (
        "zip zipcode zipcodes zip5 zippostalcode ziporpostalcode postalcode postal "
        "postcode addresszip addresszipcode addresspostalcode zippostal zipcode5 "
        "zipplus4 zip4code zipcd postalcd"
    )
    PLACE = (
        "citystatezip citystatezipcode citystzip citystate cityst cityandstate "
        "lastline csz citystatepostalcode cityzip"
    )
    URL = (
        "url link listingurl detailurl propertyurl hdpurl zillowurl redfinurl "
        "listinglink zillowlink redfinlink homeurl webpage website propertylink "
        "zillow redfin"
    )


_PARTS = {name: part for part in Part for name in part.value.split()}
_OWNERS = re.compile(r"^(?:the|property|listing|site|situs|home|house|address)+")
_FILLING = frozenset({"or", "and", "the", "of", "if", "any", "for", "a"})
_NUMBERS = frozenset({"number", "no", "num", "nr", "#", "id"})
_DIRECTION = frozenset({"dir", "direction", "directional"})
_STREET_WORDS = frozenset({"street", "str", "st"})
# Sets of words of each of which one must be there, and those that may stand beside it.
_WORDED: Sequence[tuple[Part, Sequence[AbstractSet[str]], AbstractSet[str]]] = (
    (
        Part.UNIT,
        ({"apt", "apartment", "unit", "suite", "ste", "condo", "flat", "door"},),
        _NUMBERS | {"property", "address", "secondary", "space"},
    ),
    (Part.UNIT, ({"space", "spc", "trailer"}, _NUMBERS), frozenset()),
    (Part.BUILDING, ({"bldg", "building"}, _NUMBERS), frozenset()),
    (Part.ZIP, ({"zip", "zipcode", "postal"},), {"code", "plus"}),
    (
        Part.LINE,
        ({"address"},),
        {"location", "residence", "physical", "street", "property", "home", "house"}
        | {"site", "subject", "listing", "display", "current", "full", "real"},
    ),
    (Part.NUMBER, (_STREET_WORDS, _NUMBERS - {"id"}), frozenset()),
    (Part.STREET, ({"street"},), {"name", "number", "no", "line", "house", "property"}),
    (Part.AFTER, (_DIRECTION, {"suffix", "sfx", "post"}), _STREET_WORDS),
    (Part.BEFORE, (_DIRECTION,), _STREET_WORDS | {"prefix", "pfx", "pre"}),
    (Part.SUFFIX, ({"suffix", "sfx"},), _STREET_WORDS),
    (Part.SUFFIX, ({"type"}, _STREET_WORDS), frozenset()),
)
_REST = (Part.CITY, Part.STATE, Part.ZIP)
_LINES = (Part.WHOLE, Part.LINE, Part.STREET)

_EMPTY = frozenset({"", "-", "--", "n/a", "none", "null", "nan", "#n/a", "false"})
_COUNTS = frozenset({"no", "nr", "num", "number", "#"})  # names of a column that may
_OWN_NUMBER = re.compile(r"\d+[a-z]?\s+\S+\s+\S", re.IGNORECASE)  # "4732 W Davis"
_HOUSE_AND_STREET = re.compile(r"\d{3,}[a-z]?\s+\S+\s+\S", re.IGNORECASE)
_AS_NUMBER = re.compile(r"(?<!\d)(\d+)\.0*$")
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d+))?E\+0*([1-9])", re.IGNORECASE)
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE = re.compile(
    rf"\d{{1,2}}-{_MONTH}(?:-\d{{2,4}})?|{_MONTH}-\d{{1,2}}|\d{{1,2}}/\d{{1,2}}/\d{{2,4}}"
    r"|\d{4}-\d{2}-\d{2}(?: [\d:]+)?|\d\d:\d\d:\d\d",
    re.IGNORECASE,
)
_LAST_CODE = re.compile(
    r"(?<!\d)(\d{5})(?:\.0+|[- ]?\d{4})?\W*+(?:u\.?s\.?a?\.?)?\W*+$", re.IGNORECASE
)
_WHOLE_ZIP = re.compile(r"[^\W\d_]\W*(?<!\d)\d{5}(?:\.0+|[- ]?\d{4})?$")
_STREET_CELL = re.compile(r"\d\S*\s+\S*[^\W\d_].*", re.DOTALL)
_ZIP_CELL = re.compile(r"(\d{5})(?:\.0*|[- ]?\d{4})?")
_SHORT_UNIT = re.compile(r"[A-Za-z]?-?\d{1,4}(?:\.0+)?(?:-?[A-Za-z])?|[A-Za-z]")
_SITE_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_NAMES_ONE = re.compile(r"\d\d|\b(?:apt|bldg|ste|unit)\W*\d", re.IGNORECASE)
_REST_OF_URL = re.compile(r"-[\w/-]+")
# The look behind lets a search begin once in a run of blanks, not at each of them.
_COUNTRY = re.compile(
    r"(?<![\s,])[\s,]+(?:u\.?s\.?a?\.?|united states)[\s,.]*$", re.IGNORECASE
)
# USPS Publication 28, appendix C2; the last ones need no number.
_UNIT_WORD = (
    r"(?:apt|apartment|bldg|building|condo|fl|floor|hngr|key|lot|no|number|pier|rm|room"
    r"|slip|spc|space|ste|stop|suite|trlr|trailer|unit)"
)
_SAYS_UNIT = re.compile(
    rf"#|{_UNIT_WORD}\b|(?:basement|bsmt|front|frnt|lobby|lbby|lower|lowr|office|ofc|ph"
    r"|penthouse|rear|side|upper|uppr)\b",
    re.IGNORECASE,
)
_STANDING_UNIT = re.compile(
    rf"(?:(?<!#)#|\b{_UNIT_WORD}\b)[\s.#]*([^\s,#]+)(?=[\s,]|$)", re.IGNORECASE
)
_DISCLAIMER = "in accordance with local mls rules"  # a row of Redfin's own
_LOOKED_AT = 10  # rows among which the header is
_LONGEST_NAME = 100  # characters of a column's name; a longer cell is none
# Cells or lines that one address may stand in: street, two units, city, state, ZIP
# code, country, and one in reserve. More are never joined: a row may have thousands.
_PIECES = 8


def part_named(name: str) -> Part | None:
    """Return what a column of this name holds, however it is spelled; else None."""
    return _part_for_sure(name) or _part_by_words(name)


def _part_for_sure(name: str) -> Part | None:
    if len(name) > _LONGEST_NAME:
        return None
    plain = re.sub(r"\(.*?\)", "", name.lower())
    plain = re.sub(r"(?<=\w)\s*#", " number", plain)
    key = re.sub(r"[^a-z0-9]", "", plain)
    return _PARTS.get(key) or _PARTS.get(_OWNERS.sub("", key))


def _part_by_words(name: str) -> Part | None:
    """Read a name nobody listed, such as "Apt or Suite" or "Physical address"."""
    if len(name) > _LONGEST_NAME or _NAMES_ONE.search(name):
        return None
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"\(.*?\)", "", name))
    words = set(re.findall(r"[a-z]+|#", parted.lower())) - _FILLING
    for part, needed, allowed in _WORDED:
        if all(words & some for some in needed) and words <= set(allowed).union(
            *needed
        ):
            return part
    return None


def is_column(name: str) -> bool:
    """Whether a cell of this text names a column of an address."""
    return part_named(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where the parts of an address stand in a row; `at` is None without a header."""

    at: Mapping[Part, int] | None
    width: int = 0

    @classmethod
    def of(cls, header: Sequence[str]) -> Self:
        """Read a header row; of two columns of one meaning the first counts."""
        at: dict[Part, int] = {}
        for read in (_part_for_sure, _part_by_words):
            for index, name in enumerate(header):
                if index not in at.values() and (part := read(name)):
                    at.setdefault(part, index)
        behind = at.get(Part.NAME, at.get(Part.STREET, len(header))) + 1
        of_street = header[behind : behind + 1] and Part.NUMBER in at
        if of_street and header[behind].strip().lower() == "type":  # not of the house
            at.setdefault(Part.SUFFIX, behind)
        return cls(at=at, width=len(header))

    def only_counts(self, header: Sequence[str], rows: Sequence[Row]) -> bool:
        """Whether the column of numbers counts rows, whose streets have their own."""
        found = self.at or {}
        street = next((found[part] for part in _LINES if part in found), None)
        if street is None or Part.NUMBER not in found:
            return False
        if header[found[Part.NUMBER]].strip(" .:").lower() not in _COUNTS:
            return False
        streets = (row.cells[street] for row in rows if street < len(row.cells))
        return all(_OWN_NUMBER.match(cell) for cell in streets if cell)

    def without(self, part: Part) -> Mapping[Part, int]:
        """Return where the other parts stand."""
        return {it: index for it, index in (self.at or {}).items() if it is not part}

    def missing(self) -> list[str]:
        """Return the columns without which no row can be an address."""
        found = self.at or {}
        if self.at is None or {Part.WHOLE, Part.LINE, Part.URL} & found.keys():
            return []
        lacking = [part for part in _REST if part not in found]
        if Part.PLACE in found:
            lacking = []
        named = {Part.STREET, Part.NAME, Part.NUMBER} & found.keys()
        return ([] if named else ["street"]) + [part.name.lower() for part in lacking]

    def address_text(self, row: Row) -> str:
        """Return the address in a row as one line, or the URL of its listing.

        Raises:
            InputError: there is none in it.
        """
        if self.at is None:
            return _by_content(row.cells)
        parts = {
            part: cell
            for part, index in self.at.items()
            if index < len(row.cells)
            and (cell := row.cells[index]).lower() not in _EMPTY
        }
        if text := _put_together(self._with_rest(row, parts)):
            return text
        if Part.URL in parts:
            return parts[Part.URL]
        raise InputError("there is no address in it")

    def _with_rest(self, row: Row, parts: dict[Part, str]) -> dict[Part, str]:
        """Join cells beyond the header to the address that its commas cut."""
        last = self.width - 1
        at_end = {part for part, index in (self.at or {}).items() if index == last}
        part = next((it for it in _LINES if it in at_end & parts.keys()), None)
        joined = _whole_of(row.cells[last : last + _PIECES]) if part else ""
        return parts | {part: joined} if part and joined else parts


def _whole_of(cells: Sequence[str]) -> str:
    """Return the first cells that together are a whole address; empty if none are."""
    for end in range(1, len(cells) + 1):
        joined = ", ".join(filter(None, cells[:end]))
        if is_whole(joined):
            return joined
    return ""


def columns_of(rows: Sequence[Row], *, name: str) -> tuple[Columns, list[Row]]:
    """Return how the rows of a table are read, and those below its header.

    Raises:
        InputError: its header lacks a column, or nothing stands below it.
    """
    columns, at = _header(rows, name=name)
    if columns.at is None:
        rows = _each_on_one(rows)
    header = rows[at].cells if columns.at is not None else None
    below = [
        row
        for row in rows[at + (columns.at is not None) :]
        if row.cells != header and not _is_remark(row, columns)
    ]
    if not below:
        raise InputError(f"{name}: no rows below the header; add one house per line")
    if header and columns.only_counts(header, below):
        columns = replace(columns, at=columns.without(Part.NUMBER))
    return columns, below


def _is_remark(row: Row, columns: Columns) -> bool:
    """Whether a row is about the file: Redfin's own, or a comment among lines."""
    text = " ".join(row.cells).lower()
    return _DISCLAIMER in text or (columns.at is None and text.startswith("# "))


def _each_on_one(rows: Sequence[Row]) -> list[Row]:
    """Return rows in which a street, and the lines below it up to its place, are one.

    So addresses stand in notes and letters.
    """
    joined: list[Row] = []
    for row in rows:
        above = joined[-1] if joined else None
        if above and _goes_on(above, row):
            joined[-1] = replace(above, cells=above.cells + row.cells)
        else:
            joined.append(row)
    return joined


def _goes_on(above: Row, row: Row) -> bool:
    """Whether the address that begins in the row *above* goes on in *row*."""
    if len(above.cells) + len(row.cells) > _PIECES:
        return False
    street, rest = ", ".join(above.cells), ", ".join(filter(None, row.cells))
    if row.number > above.number + len(above.cells) or is_whole(street):
        return False
    is_next = _SAYS_UNIT.match(rest) or (rest[:1].isalpha() and is_whole(rest))
    return bool(is_next and _STREET_CELL.fullmatch(street))


def is_whole(text: str) -> bool:
    """Whether a text ends with a ZIP code that something stands before."""
    return bool(_WHOLE_ZIP.search(_COUNTRY.sub("", text.strip(" ,"))))


def _header(rows: Sequence[Row], *, name: str) -> tuple[Columns, int]:
    """Return what the header says and at which row it stands, past any title."""
    best = Columns(at=None)
    best_at = 0
    for at, row in enumerate(rows[:_LOOKED_AT]):
        if any(_is_value(cell) for cell in row.cells):
            break
        columns = Columns.of(row.cells)
        if columns.at and len(columns.at) > len(best.at or {}):
            best, best_at = columns, at
    if lacking := best.missing():
        found = ", ".join(cell.lower() for cell in rows[best_at].cells if cell)
        raise InputError(
            f"{name}: missing column {', '.join(lacking)}: give a column full_address, "
            f"or street, city, state, zip (found: {printable(found) or 'none'})"
        )
    if best.at is None and len(rows) > 1 and not _has_digit(rows[0]):
        return best, 1  # a header in words we do not know, or a title
    return best, best_at


def _is_value(cell: str) -> bool:
    """Whether a cell belongs to a house, so that no header can follow it."""
    is_address = bool(_STREET_CELL.match(cell)) and is_whole(cell)
    return is_address or bool(_SITE_URL.match(cell) or _ZIP_CELL.fullmatch(cell))


def _has_digit(row: Row) -> bool:
    return any(character.isdigit() for cell in row.cells for character in cell)


# --- a row under a header -------------------------------------------------------------


def _put_together(parts: Mapping[Part, str]) -> str:
    second = parts.get(Part.SECOND, "")
    building = _number(parts.get(Part.BUILDING, ""))
    building = f"Bldg {building}" if _SHORT_UNIT.fullmatch(building) else ""
    units = [parts.get(Part.UNIT, ""), building, "" if is_whole(second) else second]
    place = _place(parts) or (second if is_whole(second) else "")
    found = next((part for part in _LINES if part in parts), None)
    line = _street(parts, parts[found] if found else parts.get(Part.NAME, ""))
    _refuse_two_codes(line, parts)
    if found is Part.WHOLE or is_whole(line) or not place:
        return _with_units(line or place, units)
    return f"{_with_units(_without_city(line, parts), units)}, {place}"


def _street(parts: Mapping[Part, str], line: str) -> str:
    """Return a street line; one without a number is a name among other columns."""
    number = _number(parts.get(Part.NUMBER, ""))
    fraction = parts.get(Part.FRACTION, "")
    if line[:1].isdigit() and (not number or line.startswith(f"{number} ")):
        return line
    if not number or (line and not {Part.STREET, Part.NAME} & parts.keys()):
        return line
    if _HOUSE_AND_STREET.match(line):
        raise InputError(
            f"{printable(number)!r} and {printable(line)!r} are two street numbers: "
            "remove one"
        )
    number += f" {fraction}" if "/" in fraction else fraction
    around = (number, parts.get(Part.BEFORE, ""), line)
    ends = (parts.get(part, "") for part in (Part.SUFFIX, Part.AFTER))
    return " ".join(filter(None, (*around, *ends)))


def _number(cell: str) -> str:
    """Return a number as it was before a spreadsheet took it for another kind.

    Raises:
        InputError: what it was cannot be told any more.
    """
    if _DATE.fullmatch(cell):
        raise InputError(
            f"{printable(cell)!r} was made a date by a spreadsheet: write what it was, "
            "such as 1-2, in a column of text"
        )
    if found := _SCIENTIFIC.fullmatch(cell):
        digits = (found[2] or "").ljust(int(found[3]), "?")
        if "?" in digits or len(digits) > int(found[3]):
            raise InputError(
                f"{printable(cell)!r} has lost digits in a spreadsheet: write them all"
            )
        return found[1] + digits
    return _AS_NUMBER.sub(r"\1", cell)


def _refuse_two_codes(line: str, parts: Mapping[Part, str]) -> None:
    """Refuse a row whose address and whose own column name two ZIP codes."""
    code = _ZIP_CELL.fullmatch(zip_text(parts.get(Part.ZIP, "")))
    said = _LAST_CODE.search(line) if is_whole(line) else None
    if code and said and code[1] != said[1]:
        raise InputError(
            f"{printable(line)!r} has ZIP {said[1]}, but the column for it {code[1]}: "
            "correct one of them"
        )


def _place(parts: Mapping[Part, str]) -> str:
    code = zip_text(parts.get(Part.ZIP, ""))
    if Part.PLACE in parts and Part.CITY not in parts:
        place = parts[Part.PLACE]
        return place if is_whole(place) else f"{place} {code}".strip()
    if not {*_REST} & parts.keys():
        return ""
    city, state = parts.get(Part.CITY, ""), parts.get(Part.STATE, "")
    before, comma, again = city.rpartition(",")
    if comma and state and state_code(again) == state_code(state):
        city = before
    if city and not state and (found := _ZIP_CELL.fullmatch(code)):
        states = states_of(found[1])  # such as AZ for 85306
        state = min(states) if len(states) == 1 else ""
    if state:
        code = re.sub(r"^[A-Za-z]+[\s,]+(?=\d)", "", code)  # "AZ 85306"
    return f"{city}, {state} {code}".strip()


def zip_text(cell: str) -> str:
    """Return a ZIP code as it was before a spreadsheet took it for a number."""
    text = _number(cell)
    grouped = re.sub(r"(?<=\d)[,\u00a0\u202f ](?=\d{3}$)", "", text)
    return grouped.rstrip("-")


def _without_city(line: str, parts: Mapping[Part, str]) -> str:
    """Return the street line of a cell that names the city again."""
    street, comma, last = line.rpartition(",")
    again = last.strip().lower() == parts.get(Part.CITY, "?").lower()
    return street if comma and again else line


def _with_units(line: str, units: Sequence[str]) -> str:
    """Put the cells that name a unit behind the street, unless it stands there."""
    for cell in filter(None, units):
        unit = _number(cell).replace(":", " ")
        if not _SAYS_UNIT.match(unit):
            unit = f"Unit {unit}"
        if not _names_unit(line, unit):
            street, comma, rest = with_commas(line).partition(",")
            line = f"{street}, {unit}{comma}{rest}"  # the comma: it is no street word
    return line


def _names_unit(line: str, unit: str) -> bool:
    value = unit.rsplit(maxsplit=1)[-1].lstrip("#").lower()
    return value in map(str.lower, _STANDING_UNIT.findall(line))


# --- a row without a header -----------------------------------------------------------


def _by_content(cells: Sequence[str]) -> str:
    """Find the address among cells whose columns have no names.

    Raises:
        InputError: a number in it may be a unit or anything else.
    """
    filled = [cell for cell in cells if cell.lower() not in _EMPTY]
    for cell in filled:
        if _STREET_CELL.match(cell) and is_whole(cell):
            return cell
    for at, cell in enumerate(filled):
        if _SITE_URL.match(cell):
            rest = takewhile(_REST_OF_URL.fullmatch, filled[at + 1 :])
            return ",".join((cell, *rest))  # its own commas cut it
    street = next((at for at, c in enumerate(filled) if _STREET_CELL.match(c)), None)
    if street is None or len(filled) == 1:
        return ", ".join(filled)
    return _in_order(filled[street:]) or _in_any_order(filled, street=street)


def _in_order(cells: Sequence[str]) -> str:
    """Read street, perhaps unit, city, state, ZIP code that follow one another."""
    street, *rest = cells
    unit = ""
    if rest and (_SAYS_UNIT.match(rest[0]) or _SHORT_UNIT.fullmatch(rest[0])):
        unit, *rest = rest
    for end, cell in enumerate(rest[:_PIECES], start=1):
        if not (_is_name(cell) or is_whole(cell) or _ZIP_CELL.fullmatch(cell)):
            return ""
        place = _joined(rest[:end])
        if is_whole(place):
            return f"{_with_units(street, [unit])}, {place}"
    return ""


def _in_any_order(cells: Sequence[str], *, street: int) -> str:
    state = next((c for c in cells if len(c) > 1 and state_code(c)), "")
    codes = [zip_text(cell) for cell in cells if _ZIP_CELL.fullmatch(cell)]
    code = next((c for c in codes if state_code(state) in states_of(c)), "")
    city = next((cell for cell in cells if is_place(cell)), "")
    if not (state and code and city):
        return ", ".join(cells)
    used = {cells[street], state, city}
    zips = set(codes)
    others = [c for c in cells if c not in used and zip_text(c) not in zips]
    units = [cell for cell in others if _SAYS_UNIT.match(cell)]
    for cell in others:
        if not _SAYS_UNIT.match(cell) and _SHORT_UNIT.fullmatch(cell):
            raise InputError(
                f"{printable(', '.join(cells))!r}: {cell!r} may be a unit: add a line "
                "that names the columns, such as street,unit,city,state,zip"
            )
    return f"{_with_units(cells[street], units)}, {city}, {state} {code}"


def _joined(cells: Sequence[str]) -> str:
    """Put commas between cells, but none between state and ZIP code."""
    *before, last = cells
    if before and _ZIP_CELL.fullmatch(last):
        return f"{', '.join(before)} {zip_text(last)}"
    return ", ".join(cells)


def _is_name(cell: str) -> bool:
    return re.fullmatch(r"[^\W\d_][^\d_#]+", cell) is not None
