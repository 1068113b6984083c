"""Nothing that would make another house of a row is left out."""

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline_tests.unit.workflows.tables.conftest import (
    DAVIS,
    FLAT_204,
    PLACE,
    addresses_in,
)


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
