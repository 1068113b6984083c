"""Laws and cases of the canonical address."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address

DAVIS = "4732 W Davis Rd, Glendale, AZ 85306"


def at(street_line: str) -> str:
    """The canonical street line of an address in Phoenix."""
    return str(Address.parse(f"{street_line}, Phoenix, AZ 85001")).partition(",")[0]


# --- spelling ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        DAVIS,
        "4732 west davis road, Glendale, Arizona 85306-1234",
        "4732 W. Davis Rd., Glendale, AZ, 85306",
        "4732 W DAVIS RD, GLENDALE, AZ 85306, USA",
        "4732 W Davis Rd, Glendale, AZ 85306, United States of America",
        "  4732   w  davis rd ,glendale  az 85306 U.S.A. ",
        "4732 W Davis Rd, Glendale Arizona 85306 1234",
        "4732 W.Davis Rd,, Glendale, A.Z. 85306.",
        "4732 W Davis Rd\r\nGlendale, AZ 85306\n",
        "４７３２ W\u00a0Davis\u200b Rd, Gl\u00e9ndale, AZ 85306",  # noqa: RUF001  # pasted
    ],
)
def test_all_spellings_of_a_house_become_one(typed: str) -> None:
    address = Address.parse(typed)

    assert address == Address(
        street_number="4732",
        street="W Davis Rd",
        unit=None,
        city="Glendale",
        state="AZ",
        zip_code="85306",
    )
    assert str(address) == DAVIS
    assert address.slug == "4732-w-davis-rd-glendale-az-85306"
    assert address.folder_id() == "686067a4"


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("100 N Avenue Of The Stars", "100 N Avenue Of The Stars"),
        ("100 north avenue of the stars", "100 N Avenue Of The Stars"),
        ("100 Avenue Of The Vly", "100 Avenue Of The Valley"),
        ("100 Avenue Of The West", "100 Avenue Of The West"),
        ("100 Via De La Street", "100 Via De La St"),
        ("15 E North St", "15 E North St"),
        ("15 East North Street", "15 E North St"),
        ("15 E North", "15 E North"),
        ("100 North Street", "100 North St"),
        ("100 N St", "100 N St"),
        ("4137 W Cielo Grande", "4137 W Cielo Grande"),
        ("8714 E Plaza Avenue", "8714 E Plaza Ave"),
        ("8714 E Plz Ave", "8714 E Plaza Ave"),
        ("8714 East Plz", "8714 E Plaza"),
        ("4209 W Wahalla Lane", "4209 W Wahalla Ln"),
        ("18820 N 35TH WAY", "18820 N 35th Way"),
        ("4735 W Southern Avenue", "4735 W Southern Ave"),
        ("1 W South Mountain Avenue", "1 W South Mountain Ave"),
        ("100 Broadway East", "100 Broadway E"),
        ("100 Main Street North", "100 Main St N"),
        ("12 N.W. 5th St", "12 NW 5th St"),
        ("12 northwest 5th St", "12 NW 5th St"),
    ],
)
def test_a_direction_or_suffix_that_is_the_name_survives(
    typed: str, canonical: str
) -> None:
    assert at(typed) == canonical


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("1 US Highway 60", "1 Us Hwy 60"),
        ("1 S Avenue b", "1 S Ave B"),
        ("1 Avenue E", "1 Ave E"),
        ("1 N County Road 12a", "1 N County Rd 12A"),
        ("1 N Loop 101", "1 N Loop 101"),
    ],
)
def test_a_suffix_before_a_road_number_is_shortened(typed: str, canonical: str) -> None:
    assert at(typed) == canonical


@pytest.mark.parametrize(
    ("word", "short"),
    [
        ("Street", "St"),
        ("Avenue", "Ave"),
        ("Boulevard", "Blvd"),
        ("Circle", "Cir"),
        ("Court", "Ct"),
        ("Drive", "Dr"),
        ("Highway", "Hwy"),
        ("Lane", "Ln"),
        ("Loop", "Loop"),
        ("Parkway", "Pkwy"),
        ("Place", "Pl"),
        ("Plaza", "Plz"),
        ("Road", "Rd"),
        ("Terrace", "Ter"),
        ("Trail", "Trl"),
        ("Way", "Way"),
        ("Crossing", "Xing"),
        ("Stravenue", "Stra"),
    ],
)
def test_suffix_words_take_the_postal_short_form(word: str, short: str) -> None:
    assert at(f"1 E Ocotillo {word}") == f"1 E Ocotillo {short}"
    assert at(f"1 E Ocotillo {short}.") == f"1 E Ocotillo {short}"


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("1 E MCDOWELL RD", "1 E Mcdowell Rd"),
        ("1 e mcdowell rd", "1 E Mcdowell Rd"),
        ("1 E McDowell Rd", "1 E McDowell Rd"),
        ("1 E O'Neil Dr", "1 E ONeil Dr"),
        ("1 E Pi\u00f1on Dr", "1 E Pinon Dr"),
        ("1 E Smith-Jones Dr", "1 E Smith Jones Dr"),
        ("1 E 39.2 Rd", "1 E 39.2 Rd"),
    ],
)
def test_names_keep_mixed_case_and_lose_marks(typed: str, canonical: str) -> None:
    assert at(typed) == canonical


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("4732 Davis Rd", "4732"),
        ("4732b Davis Rd", "4732B"),
        ("4732-B Davis Rd", "4732B"),
        ("47-32 Davis Rd", "47-32"),
        ("4732 1/2 Davis Rd", "4732 1/2"),
        ("4732 - B Davis Rd", "4732"),
    ],
)
def test_street_numbers_keep_letter_range_and_fraction(typed: str, number: str) -> None:
    address = Address.parse(f"{typed}, Glendale, AZ 85306")

    assert address.street_number == number


@pytest.mark.parametrize(
    ("typed", "state"),
    [
        ("Washington, District of Columbia 20001", "DC"),
        ("New York, New York 10001", "NY"),
        ("Charleston West Virginia 25301", "WV"),
        ("Kansas City KS 66101", "KS"),
        ("San Juan, puerto rico 00901", "PR"),
    ],
)
def test_state_names_become_codes(typed: str, state: str) -> None:
    address = Address.parse(f"1 Main St, {typed}")

    assert address.state == state
    assert str(address).startswith(f"1 Main St, {address.city}, {state} ")


# --- units ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    [
        "#4",
        "# 4",
        "Apt 4",
        "apt. 4",
        "APARTMENT 4",
        "Apt #4",
        "Apt4",
        "Unit 4",
        "unit # 4",
        "Ste 4",
        "Suite 4",
        "No. 4",
        "No.4",
    ],
)
@pytest.mark.parametrize("join", [" ", ", "])
def test_all_spellings_of_a_unit_become_one(unit: str, join: str) -> None:
    address = Address.parse(f"123 E Main Street{join}{unit}, Phoenix, AZ 85004")

    assert address.unit == "Unit 4"
    assert str(address) == "123 E Main St Unit 4, Phoenix, AZ 85004"
    assert address.slug == "123-e-main-st-unit-4-phoenix-az-85004"


@pytest.mark.parametrize(
    ("typed", "unit"),
    [
        ("Bldg 2 Unit 4", "Bldg 2 Unit 4"),
        ("Bldg 2, Unit 4", "Bldg 2 Unit 4"),
        ("#4, Building 2", "Bldg 2 Unit 4"),
        ("Apt 4 Unit 4", "Unit 4"),
        ("Apt b", "Unit B"),
        ("Apt 4-b", "Unit 4B"),
        ("Apt 4 - B", "Unit 4B"),
        ("Apt East", "Unit E"),
        ("Apt 1/2", "Unit 1/2"),
        ("Lot 12", "Lot 12"),
        ("Space 12", "Spc 12"),
    ],
)
def test_a_unit_keeps_its_building_and_letters(typed: str, unit: str) -> None:
    address = Address.parse(f"123 E Main St, {typed}, Phoenix, AZ 85004")

    assert address.unit == unit


@pytest.mark.parametrize(
    "line",
    ["100 Old Space Dr", "100 W Lot Rd", "100 Unit Ct", "5 Trailer Park Rd", "5 Lot B"],
)
def test_a_unit_word_in_a_street_name_is_no_unit(line: str) -> None:
    address = Address.parse(f"{line}, Phoenix, AZ 85004")

    assert address.unit is None
    assert str(address) == f"{line}, Phoenix, AZ 85004"


# --- bad input --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"),
        (" , \n", "empty"),
        ("W Davis Rd, Glendale, AZ 85306", "no street number"),
        ("29th St, Glendale, AZ 85306", "no street number"),
        ("4732, Glendale, AZ 85306", "no street name"),
        ("4732 W Davis Rd, Glendale, AZ", "no ZIP"),
        ("4732 W Davis Rd, Glendale, AZ 8530", "no ZIP"),
        ("4732 W Davis Rd, Glendale, AZ 85306-12", "no ZIP"),
        ("4732 W Davis Rd, Glendale, AZ 853061", "no ZIP"),
        ("4732 W Davis Rd, Glendale, 85306", "no state"),
        ("85306", "no state"),
        ("4732 W Davis Rd, Glendale, ZZ 85306", "unknown state 'ZZ'"),
        ("4732 W Davis Rd, Glendale ZZ 85306", "unknown state 'ZZ'"),
        ("4732 W Davis Rd, Glendale, Arizonia 85306", "unknown state 'Arizonia'"),
        ("4732 W Davis Rd, AZ 85306", "no city"),
        (", Tempe, AZ 85281", "no street"),
        ("Tempe, AZ 85281", "no street"),
        ("4732 W Davis Rd, , AZ 85306", "no city"),
        ("4732 W Davis Rd, 12, AZ 85306", "no city"),
        ("4732 W Davis Rd, Unit 4, AZ 85306", "no city"),
        ("4732 W Davis Rd, Unit B, AZ 85306", "no city"),
        ("4732 W Davis Rd, -, AZ 85306", "no city"),
        ("4732 W Davis Rd Glendale AZ 85306", "comma between street and city"),
        ("4732 W Davis Rd Glendale, AZ 85306", "comma between street and city"),
        (
            "4732 W Davis Rd, Desert Ridge, Glendale, AZ 85306",
            "'Desert Ridge' is no unit",
        ),
        ("4732 W Davis Rd Apt, Glendale, AZ 85306", "unit without its number"),
        ("4732 W Davis Rd #, Glendale, AZ 85306", "unit without its number"),
        ("4732 W Davis Rd Apt 4 # 5, Glendale, AZ 85306", "two units, '4' and '5'"),
        ("4732 W Davis Rd; Glendale, AZ 85306", "remove the character ';'"),
        ("4732 W Davis Rd, Glendale, AZ ٨٥٣٠٦", "no ZIP|remove the character"),
    ],
)
def test_bad_input_names_the_value_and_the_remedy(typed: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        Address.parse(typed)

    assert repr(typed) in str(refused.value)
    assert DAVIS in str(refused.value)


@pytest.mark.parametrize("times", [60, 1_500_000])
def test_what_is_too_long_for_an_address_is_refused_at_once(times: int) -> None:
    with pytest.raises(InputError, match="more than 150 characters") as refused:
        Address.parse(DAVIS.replace("Davis", "x " * times + "Davis"))

    assert len(str(refused.value)) < 400


def test_blanks_do_not_make_an_address_long() -> None:
    spaced = DAVIS.replace(" ", " " * 40)

    assert Address.parse(spaced) == Address.parse(DAVIS)


# --- folder and identity ----------------------------------------------------------


@pytest.mark.parametrize(
    ("canonical", "folder"),
    [
        (DAVIS, "686067a4"),
        ("4560 E Sunrise Dr, Phoenix, AZ 85044", "f4e29e2c"),
        ("5219 W El Caminito Dr, Glendale, AZ 85302", "b18bdfc7"),
        ("2011 E Gary Cir, Mesa, AZ 85213", "fc5e428e"),
    ],
)
@pytest.mark.parametrize("typing", [str, str.upper, str.lower, " {} ".format])
def test_the_folder_does_not_depend_on_case_or_outer_blanks(
    canonical: str, folder: str, typing: Callable[[str], str]
) -> None:
    address = Address.parse(typing(canonical))

    assert address.folder_id() == folder


def test_a_salt_gives_another_stable_folder() -> None:
    address = Address.parse(DAVIS)

    folders = [address.folder_id(salt) for salt in range(4)]

    assert folders[:2] == ["686067a4", "bee328b4"]
    assert len(set(folders)) == 4
    assert all(re.fullmatch("[0-9a-f]{8}", folder) for folder in folders)


def test_the_predecessors_addresses_and_folders_are_kept(shared_dir: Path) -> None:
    files = (shared_dir / "samples/predecessor").glob("address_folder_lookup*.json")
    rows = [
        (typed, row["folder"])
        for file in files
        for typed, row in json.loads(file.read_text("utf-8"))["mappings"].items()
    ]

    addresses = [Address.parse(typed) for typed, _ in rows]

    assert len(rows) == 36
    assert [(str(a), a.folder_id()) for a in addresses] == rows


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("1 W MCDOWELL ROAD, Laveen, AZ 85339", True),
        ("1 W McDowell Rd, Phoenix, AZ 85339", True),
        ("1 W McDowell Rd, Phoenix, AZ 85340", False),
        ("11 W McDowell Rd, Phoenix, AZ 85339", False),
        ("1 E McDowell Rd, Phoenix, AZ 85339", False),
        ("1 W McDowell Ln, Phoenix, AZ 85339", False),
        ("1 W McDowell Rd Unit 4, Phoenix, AZ 85339", False),
    ],
)
def test_the_same_house_may_be_listed_in_another_city(
    other: str, *, same: bool
) -> None:
    house = Address.parse("1 W McDowell Rd, Phoenix, AZ 85339")

    assert (house.match_key == Address.parse(other).match_key) is same


# --- laws -------------------------------------------------------------------------

_NUMBERS = st.sampled_from(["1", "4732", "12b", "12-3", "12 1/2"])
_DIRECTIONS = {"N": "north", "S.": "South", "E": "EAST", "W": "west", "NE": "Northeast"}
_SUFFIXES = {
    "St": "street",
    "Ave.": "AVENUE",
    "Plz": "Plaza",
    "Way": "way",
    "Vw": "view",
}
_NAMES = ["Davis", "McDowell", "35th", "Of", "The", "El", "Pass", "A", "7", "O'Neil"]
_NAMES += ["Smith-Jones", "No", "Lot", "Trailer", "St", "4-B", "-", "1/2", "Fl"]
_STREET_WORDS = st.sampled_from(
    [*_NAMES, *_DIRECTIONS, *_SUFFIXES, *_SUFFIXES.values()]
)
_UNIT_WORDS = st.sampled_from(["Apt", "#", "No", "Bldg", "Fl", "4", "b", "4-B", "East"])
_CITIES = st.sampled_from(["Glendale", "NEW YORK", "el paso", "Coeur d'Alene", "Lot"])
_STATES = st.sampled_from(["AZ", "arizona", "New York", "W.V.", "West Virginia"])


def _spaced(words: st.SearchStrategy[str], size: int) -> st.SearchStrategy[str]:
    return st.lists(words, max_size=size).map(" ".join)


_TYPED = st.builds(
    "{} {} {}, {}, {} {}".format,
    _NUMBERS,
    _spaced(_STREET_WORDS, 5),
    st.one_of(_spaced(_UNIT_WORDS, 5), _spaced(_UNIT_WORDS, 3).map(", Unit {}".format)),
    _CITIES,
    _STATES,
    st.sampled_from(["85306", "85306-1234", "85306, USA"]),
)


def _parsed_or_none(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except InputError:
        return None


@given(st.one_of(_TYPED, st.text(), st.text(" ,#-/.14AZbst\n").map("{} 85306".format)))
def test_parsing_is_idempotent_and_refuses_only_with_an_input_error(typed: str) -> None:
    address = _parsed_or_none(typed)

    if address is not None:
        again = Address.parse(str(address))
        assert again == address
        assert again.match_key == address.match_key
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", address.slug)
        assert re.fullmatch("[0-9a-f]{8}", address.folder_id())


@given(_TYPED, st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))
def test_letter_case_never_changes_the_keys(
    typed: str, recase: Callable[[str], str]
) -> None:
    address, other = _parsed_or_none(typed), _parsed_or_none(recase(typed))

    assert (address is None) == (other is None)
    if address is not None and other is not None:
        assert other.slug == address.slug
        assert other.folder_id() == address.folder_id()
        assert other.match_key == address.match_key


@given(
    st.sampled_from(list(_DIRECTIONS.items())),
    st.sampled_from(["Davis", "McDowell", "Tierra Buena", "35th", "Smith-Jones"]),
    st.sampled_from(list(_SUFFIXES.items())),
    st.sampled_from([("#4", "Apt. 4"), ("", ""), ("Bldg 2 # 4", "Unit 4, Building 2")]),
)
def test_spelled_out_and_short_words_share_the_keys(
    direction: tuple[str, str],
    name: str,
    suffix: tuple[str, str],
    unit: tuple[str, str],
) -> None:
    short, long = (
        Address.parse(f"1 {before} {name} {after} {door}, Mesa, AZ 85213")
        for before, after, door in zip(direction, suffix, unit, strict=True)
    )

    assert long == short
    assert long.slug == short.slug
    assert long.folder_id() == short.folder_id()
