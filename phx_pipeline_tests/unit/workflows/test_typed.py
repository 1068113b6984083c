"""What a person types or pastes as one house."""

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.workflows.typed import is_address, typed_address

ZILLOW = "https://www.zillow.com/homedetails/4732-W-Davis-Rd-Glendale-AZ-85306/7_zpid/"
DAVIS = "4732 W Davis Rd, Glendale, AZ 85306"


@pytest.mark.parametrize(
    "text",
    [
        DAVIS,
        f"  {DAVIS}\n",
        f'"{DAVIS}"',
        f"\u201c{DAVIS}\u201d",
        f"{DAVIS}, USA",
        f"{DAVIS}\nUnited States of America",
        "4732 west davis road glendale az 85306",
        "4732 WEST DAVIS ROAD GLENDALE ARIZONA 85306",
        "4732 W Davis Rd\nGlendale AZ 85306",
        "4732 W Davis Rd\r\nGlendale, Arizona\r\n85306-1234\r\nUSA",
        "4732 W Davis Rd, Glendale, AZ 85306.0",
        "4732-w-davis-rd-glendale-az-85306",
        "https://www.redfin.com/AZ/Glendale/4732-W-Davis-Rd-85306/home/26790171?x=1",
        "www.redfin.com/AZ/Glendale/4732-W-Davis-Rd-85306/home/26790171",
        "Look: https://www.zillow.com/homedetails/4732-W-Davis-Rd-Glendale-AZ-85306/7_zpid/.",
        "zillow.com/homes/4732-W-Davis-Rd-Glendale-AZ-85306_rb/",
        f"{DAVIS} https://redf.in/x",
        "<HTTPS://WWW.REDFIN.COM/AZ/GLENDALE/4732-W-DAVIS-RD-85306/HOME/26790171>",
        "Anna Example\nc/o Olga\n4732 W Davis Rd\nGlendale, AZ 85306",
        f"Address: {DAVIS}",
        f"Property address = {DAVIS}",
        f"- {DAVIS}",
        f"\u2022 {DAVIS}",
        f"12. {DAVIS}",
        "4732 W Davis Rd; Glendale; AZ; 85306",
        "4732 W Davis Rd | Glendale | AZ 85306",
        "4732 W Davis Rd\tGlendale\tAZ\t85306",
        "4732 W Davis Rd, Glendale, Ariz. 85306",
        "4732 W Davis Rd, Glendale, Maricopa County, AZ 85306",
        "4732 W Davis Rd, Glendale, AZ 85306, Maricopa County",
        f"Location: {DAVIS}",
        f"{ZILLOW} https://www.redfin.com/AZ/Glendale/4732-W-Davis-Rd-85306/home/1",
        f"{DAVIS} \U0001f3e1",
        f"\u2705\ufe0f {DAVIS} \U0001f468\u200d\U0001f469",
        f"<{DAVIS}>",
        f"{DAVIS} (for sale)",
        f"{DAVIS}!",
        "4732&nbsp;W&nbsp;Davis&#32;Rd, Glendale, AZ&nbsp;85306",
        "4732 W Davis Rd / Glendale / AZ / 85306",
        "4732 W Davis Rd, Glendale, AZ ZIP: 85306",
    ],
)
def test_one_house_may_be_named_in_many_ways(text: str) -> None:
    assert str(typed_address(text)) == DAVIS


@pytest.mark.parametrize(
    "text",
    [
        f"{DAVIS}, Unit 4",
        f"{DAVIS} #4",
        "4732 W Davis Rd Glendale AZ 85306 Apt. 4",
        "Unit 4, 4732 W Davis Rd Glendale AZ 85306",
        "#4 4732 W Davis Rd Glendale AZ 85306",
    ],
)
def test_a_unit_may_stand_at_either_end(text: str) -> None:
    expected = "4732 W Davis Rd Unit 4, Glendale, AZ 85306"

    assert typed_address(text).match_key == typed_address(expected).match_key


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("nowhere", "no ZIP code"),
        (f"{DAVIS} 3 bd 2 ba", "remove '3 bd 2 ba' behind the ZIP code"),
        (f"{DAVIS} # sold", "remove '# sold' behind the ZIP code"),
        (
            f"{ZILLOW} https://www.redfin.com/AZ/Glendale/4734-W-Davis-Rd-85306/home/1",
            "of another house",
        ),
        ("https://example.com/houses.csv?x=1", "download the file and give its name"),
        ("file:///home/me/houses.csv", "give the name of the file without 'file://'"),
        ("P.O. Box 5, Glendale, AZ 85306", "mail box and no house"),
        ("5 Main St, Boston, MA 2108", "leading zero: write 02108"),
        ("5 Main St Boston MA 2108", "leading zero: write 02108"),
        ("1 Calle Luna, San Juan, PR 901", "leading zero: write 00901"),
        ("4732 W Davis Rd, Glendale, AZ 8530", "no ZIP code"),
        ("https://redf.in/x", "short link"),
        ("redf.in/x", "short link"),
        ("https://www.homes.com/property/x", "no page of redfin or zillow"),
        ("4732 W Davis Rd " * 200, "too long: write one house per line"),
    ],
)
def test_what_names_no_house_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as raised:
        typed_address(text)

    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


def test_keys_and_folders_are_no_addresses() -> None:
    assert not is_address("4732-w-davis-rd-glendale-az-85306")
    assert not is_address("686067a4")
    assert is_address("4732 w davis rd glendale az 85306")
    assert is_address("https://redf.in/x")
