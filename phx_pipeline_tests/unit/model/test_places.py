"""An address line without commas is parted where its city begins."""

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.places import is_place, line_of_slug, with_commas


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (
            "4732 west davis road glendale az 85306",
            "4732 W Davis Rd, Glendale, AZ 85306",
        ),
        (
            "4732 W DAVIS RD GLENDALE AZ 853061234",
            "4732 W Davis Rd, Glendale, AZ 85306",
        ),
        ("4732 W Davis Rd Glendale, AZ 85306", "4732 W Davis Rd, Glendale, AZ 85306"),
        (
            "4732 W Davis Rd Glendale Arizona 85306-1234 USA",
            "4732 W Davis Rd, Glendale, AZ 85306",
        ),
        (
            "100 n adams st apt 4 sun city west az 85375",
            "100 N Adams St Unit 4, Sun City West, AZ 85375",
        ),
        (
            "100 N Adams St #4 Phoenix AZ 85003",
            "100 N Adams St Unit 4, Phoenix, AZ 85003",
        ),
        (
            "100 N Adams St, Apt B Phoenix, AZ 85003",
            "100 N Adams St Unit B, Phoenix, AZ 85003",
        ),
        (
            "100 e queen creek rd queen creek az 85142",
            "100 E Queen Creek Rd, Queen Creek, AZ 85142",
        ),
        (
            "5021 e queen creek rd chandler az 85142",
            "5021 E Queen Creek Rd, Chandler, AZ 85142",
        ),
        (
            "7 Old West Hwy Apache Junction AZ 85119",
            "7 Old West Hwy, Apache Junction, AZ 85119",
        ),
        (
            "9 W Desert Ln Nowhere Springs AZ 85003",
            "9 W Desert Ln, Nowhere Springs, AZ 85003",
        ),
        (
            "10400 n de anza blvd cupertino ca 95014",
            "10400 N De Anza Blvd, Cupertino, CA 95014",
        ),
        (
            "100 Ocean Ave # 4 Long Beach CA 90802",
            "100 Ocean Ave Unit 4, Long Beach, CA 90802",
        ),
        (
            "1 Biscayne Blvd North Miami FL 33132",
            "1 Biscayne Blvd, North Miami, FL 33132",
        ),
        ("100 main st nw washington dc 20001", "100 Main St NW, Washington, DC 20001"),
        (
            "742 Evergreen Terrace Apt 2 Salt Lake City UT 84101",
            "742 Evergreen Ter Unit 2, Salt Lake City, UT 84101",
        ),
    ],
)
def test_the_city_of_a_line_without_commas_is_found(line: str, address: str) -> None:
    assert str(Address.parse(with_commas(line))) == address


@pytest.mark.parametrize(
    "line",
    [
        "4732 W Davis Rd, Glendale, AZ 85306",
        "4732 W Davis Rd, Glendale AZ 85306",
        "100 N Adams St, Old Town Scottsdale, AZ 85251",
        "4732 W Davis Rd\nGlendale AZ 85306\nUSA",
        "1 W Adams St, Apt 4, Phoenix, AZ 85003",
    ],
)
def test_a_line_with_its_commas_stays_as_it_is(line: str) -> None:
    assert with_commas(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "nowhere",
        "12 Glendale",
        "Glendale AZ 85306",
        "1 A St Mesa 85201",
        "85306",
    ],
)
def test_a_line_without_its_parts_is_left_for_the_address_to_refuse(line: str) -> None:
    assert with_commas(line) == line
    with pytest.raises(InputError):
        Address.parse(with_commas(line))


@pytest.mark.parametrize(
    ("slug", "line"),
    [
        ("4732-W-Davis-Rd-Glendale-AZ-85306", "4732 W Davis Rd Glendale AZ 85306"),
        (
            "2417-1-2-W-Adams-St-Phoenix-AZ-85009",
            "2417 1/2 W Adams St Phoenix AZ 85009",
        ),
        ("17-1-W-Adams-St", "17 1 W Adams St"),
        ("1-W-Main-St-Mesa-AZ-85201-1234", "1 W Main St Mesa AZ 85201-1234"),
        ("1-W-Main-St,-Mesa,-AZ-85201", "1 W Main St, Mesa, AZ 85201"),
    ],
)
def test_a_slug_reads_as_a_line(slug: str, line: str) -> None:
    assert line_of_slug(slug) == line


@pytest.mark.parametrize(
    "name", ["Phoenix", "SUN CITY WEST", "dewey-humboldt", "Dewey Humboldt", " mesa "]
)
def test_places_of_arizona_are_known_in_any_case(name: str) -> None:
    assert is_place(name)
    assert not is_place(f"{name}x")
