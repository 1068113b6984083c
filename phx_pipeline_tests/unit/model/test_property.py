"""A property made from its address."""

from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property


def test_a_property_takes_key_and_folder_from_its_address() -> None:
    address = Address.parse("4732 west davis road, Glendale, Arizona 85306")

    house = Property.at(address)

    assert house.slug == "4732-w-davis-rd-glendale-az-85306"
    assert house.folder == "686067a4"
    assert house.address == address


def test_two_spellings_of_an_address_are_one_property() -> None:
    typed = Address.parse("4732 W. DAVIS RD, glendale AZ 85306-1234")
    listed = Address.parse("4732 W Davis Rd, Glendale, AZ 85306")

    assert Property.at(typed) == Property.at(listed)


def test_a_unit_is_a_property_of_its_own() -> None:
    house = Address.parse("123 E Main St, Phoenix, AZ 85004")
    flat = Address.parse("123 E Main St #4, Phoenix, AZ 85004")

    assert Property.at(house).slug != Property.at(flat).slug
    assert Property.at(house).folder != Property.at(flat).folder
