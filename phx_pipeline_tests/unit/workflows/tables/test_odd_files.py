"""What else text files hold: notes, letters, and columns of any name."""

from collections.abc import Sequence

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.workflows.columns import Part, is_column, part_named
from phx_pipeline.workflows.sheets import tables_of
from phx_pipeline.workflows.tables import read_table
from phx_pipeline.workflows.typed import typed_address
from phx_pipeline_tests.unit.workflows.tables.conftest import (
    ADAMS,
    DAVIS,
    FLAT_204,
    addresses_in,
)


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
