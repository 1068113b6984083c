"""Ten addresses, each in many spellings: one property. Units of a building: several."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.address import Address, Match

_ENOUGH = 150  # of the combinations of one address; none has fewer

DIRECTIONS = {
    "N": ("N", "n", "N.", "North", "NORTH"),
    "S": ("S", "s.", "South", "SOUTH"),
    "E": ("E", "e", "E.", "East", "east"),
    "W": ("W", "W.", "West", "WEST", "west"),
}
SUFFIXES = {
    "Ave": ("Ave", "AVE.", "Av", "Avenue"),
    "Blvd": ("Blvd", "blvd.", "Boulevard"),
    "Cir": ("Cir", "CIR", "Circle"),
    "Ct": ("Ct", "ct.", "Court"),
    "Dr": ("Dr", "DR.", "Drive", "drive"),
    "Ln": ("Ln", "LN", "Lane"),
    "Rd": ("Rd", "rd.", "Road", "ROAD"),
    "St": ("St", "ST.", "Street", "street"),
    "Ter": ("Ter", "Terr.", "Terrace"),
    "Way": ("Way", "WAY", "way"),
}
# Of one unit; `_` is its number.
UNITS = (
    *("Unit _", "UNIT _", "#_", "# _", "Apt _", "apt. _", "Apt #_", "Apt# _"),
    *("Apartment _", "Ste _", "Suite _", "Suite #_", "No. _", "No _", "unit-_"),
    *("Apt_", "Unit_", "Unit No. _", "Condo _"),
)
ENDS = (
    "{line}, {city}, AZ {code}",
    "{line}, {city}, az {code}-1234",
    "{line} , {city} , AZ  {code} 1234",
    "{line},{city},Arizona {code}",
    "  {line},, {city} AZ, {code}1234 ",
    "{line}, {city}, A.Z. {code}-1234, USA",
    "{line}\r\n{city}, AZ {code}",
    "{line}, {city}, ARIZONA, {code}, United States",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The parts of an address, each in its canonical spelling."""

    number: str
    direction: str
    name: str
    suffix: str
    city: str
    code: str
    unit: str = ""

    @property
    def canonical(self) -> str:
        unit = f" Unit {self.unit}" if self.unit else ""
        line = f"{self.number} {self.direction} {self.name} {self.suffix}{unit}"
        return f"{line}, {self.city}, AZ {self.code}"

    def spellings(self) -> Iterator[str]:
        names = (self.name, self.name.upper(), self.name.lower().replace(" ", "  "))
        units = self.unit_spellings()
        for direction, name, suffix, unit, end in product(
            DIRECTIONS[self.direction], names, SUFFIXES[self.suffix], units, ENDS
        ):
            line = f"{self.number} {direction} {name} {suffix}{unit}"
            yield end.format(line=line, city=self.city, code=self.code)

    def unit_spellings(self) -> Sequence[str]:
        if not self.unit:
            return ("",)
        return [
            join + written.replace("_", self.unit)
            for written in UNITS
            for join in (" ", ", ")
        ]


DOORS = (
    Door(
        number="4732",
        direction="W",
        name="Davis",
        suffix="Rd",
        city="Glendale",
        code="85306",
    ),
    Door(
        number="8714",
        direction="E",
        name="Plaza",
        suffix="Ave",
        city="Scottsdale",
        code="85250",
    ),
    Door(
        number="2011",
        direction="E",
        name="Gary",
        suffix="Cir",
        city="Mesa",
        code="85213",
    ),
    Door(
        number="5219",
        direction="W",
        name="El Caminito",
        suffix="Dr",
        city="Glendale",
        code="85302",
    ),
    Door(
        number="18820",
        direction="N",
        name="35th",
        suffix="Way",
        city="Phoenix",
        code="85050",
    ),
    Door(
        number="7316",
        direction="E",
        name="Copper Thrush",
        suffix="Ave",
        city="Scottsdale",
        code="85251",
        unit="204",
    ),
    Door(
        number="100",
        direction="N",
        name="Adams",
        suffix="St",
        city="Phoenix",
        code="85003",
        unit="B",
    ),
    Door(
        number="1402",
        direction="S",
        name="South Mountain",
        suffix="Ter",
        city="Fountain Hills",
        code="85268",
        unit="12A",
    ),
    Door(
        number="15238",
        direction="N",
        name="Quail Run",
        suffix="Ln",
        city="Phoenix",
        code="85032",
    ),
    Door(
        number="318",
        direction="N",
        name="Ocotillo Bend",
        suffix="Ct",
        city="Queen Creek",
        code="85142",
        unit="1-11",
    ),
)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.canonical)
def test_all_spellings_are_one_property(door: Door) -> None:
    spellings = list(dict.fromkeys(door.spellings()))
    chosen = random.Random(4732).sample(spellings, _ENOUGH)  # noqa: S311 - no secret

    read = {Address.parse(spelled) for spelled in chosen}

    own = Address.parse(door.canonical)
    assert {(a.slug, a.match_key) for a in read} == {(own.slug, own.match_key)}
    assert str(Address.parse(door.canonical)) == door.canonical


@pytest.mark.parametrize(
    "same",
    [
        ("Unit 12A", "Apt 12-A", "# 12 A", "Unit 12 - a", "#12a", "Ste. 12A"),
        ("Unit B12", "Apt B-12", "#b 12", "Suite B12"),
        ("Bldg 2 Unit 4", "Unit 4, Building 2", "#4 Bldg. 2", "BLDG 2, APT 4"),
        ("Unit 1-11", "Apt 1-11", "# 1 - 11"),
    ],
    ids=lambda same: same[0],
)
def test_a_units_letters_and_numbers_may_be_joined_in_any_way(
    same: tuple[str, ...],
) -> None:
    read = {
        Address.parse(f"100 N Adams St {unit}, Phoenix, AZ 85003").slug for unit in same
    }

    assert len(read) == 1


def test_a_building_and_its_units_are_properties_of_their_own() -> None:
    units = ["", "Unit 1", "Unit 11", "Unit 1-11", "Unit 11-1", "Unit 111", "Unit A"]
    units += ["Unit 1A", "Unit A1", "Unit AB", "Unit A-B", "Bldg 1", "Bldg 1 Unit 1"]
    units += ["Bldg B Unit 1", "Ph 1", "Fl 1", "Rear 1", "Upper"]

    read = [
        Address.parse(f"100 N Adams St {unit}, Phoenix, AZ 85003") for unit in units
    ]

    assert len({address.slug for address in read}) == len(units)
    assert len({address.folder_id() for address in read}) == len(units)
    assert len({address.match_key for address in read}) == len(units)


@pytest.mark.parametrize("street", ["Unity Dr", "Units Way", "Aptos St", "Unite Ave"])
def test_a_street_name_that_begins_like_a_unit_stays(street: str) -> None:
    address = Address.parse(f"100 N {street}, Phoenix, AZ 85003")

    assert (address.street, address.unit) == (f"N {street}", None)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("4732-W-Davis-Rd", "4732 W Davis Rd"),
        ("4732-w-davis-rd-unit-4", "4732 W Davis Rd Unit 4"),
        ("4732-W-Davis-Rd #4", "4732 W Davis Rd Unit 4"),
        ("100-E-1st-St", "100 E 1st St"),
        ("2450-S-Avenue-3-E", "2450 S Ave 3 E"),
        ("12-1-2-W-Adams-St", "12 1/2 W Adams St"),
        ("5021-5023-W-Elm-St", "5021-5023 W Elm St"),
        ("12-A-Elm-St", "12A Elm St"),
        ("47-32-Davis-Rd", "47-32 Davis Rd"),
        ("4732-W Davis Rd", "4732W Davis Rd"),
    ],
)
def test_hyphens_for_blanks_are_no_part_of_the_number(typed: str, meant: str) -> None:
    assert Address.parse(f"{typed}, Phoenix, AZ 85003").line == meant


_ALONE = st.sampled_from("ABCDFGHJKMPRTVXZ")  # but directions
_LETTERS = st.text("ABCDFGHJKMPRTVXZ", min_size=1, max_size=2)
_VALUES = st.one_of(
    st.integers(1, 9999).map(str),
    _ALONE,
    st.builds("{}{}".format, st.integers(1, 999), _LETTERS),
    st.builds("{}{}".format, _LETTERS, st.integers(1, 999)),
    st.builds("{}-{}".format, st.integers(1, 99), st.integers(1, 99)),
)
_WRITTEN = st.sampled_from([unit for unit in UNITS if " _" in unit or "#_" in unit])


@given(_VALUES, _WRITTEN, _WRITTEN, st.sampled_from([str.upper, str.lower, str]))
def test_one_unit_is_one_property_however_it_is_written(
    value: str, written: str, other: str, recase: type[str]
) -> None:
    one, two = (
        Address.parse(f"100 N Adams St{join}{unit}, Phoenix, AZ 85003")
        for join, unit in (
            (" ", written.replace("_", value)),
            (", ", recase(other.replace("_", value))),
        )
    )

    assert one.slug == two.slug
    assert one.unit is not None
    assert one.compare(two) is Match.SAME


@given(_VALUES, _VALUES)
def test_two_units_are_two_properties(value: str, other: str) -> None:
    one, two = (
        Address.parse(f"100 N Adams St Unit {unit}, Phoenix, AZ 85003")
        for unit in (value, other)
    )

    assert (one.slug == two.slug) is (value == other)
    assert (one.match_key == two.match_key) is (value == other)
