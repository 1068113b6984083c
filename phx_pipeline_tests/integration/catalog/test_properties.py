import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine, writing
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.properties import Known
from phx_pipeline.catalog.rows import property_values
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import CatalogError
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline_tests.integration.conftest import STAMP, TTL_S, house_at
from phx_pipeline_tests.spellings import made_addresses, respelled

TWINS = [63416, 69221]  # found by search: their digests begin alike


def _add_elsewhere(url: str, numbers: list[int]) -> list[str]:
    engine = open_engine(url)
    catalog = Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))
    added = [
        house.slug
        for number in numbers
        for house in catalog.add_properties(
            [house_at(number), house_at(number + 1)], at=STAMP.at
        )
    ]
    catalog.close()
    return added


def _squat(engine: sa.Engine, house: Property, *, folder: str) -> Property:
    """Give a folder to a house whose address does not lead there."""
    placed = replace(house, folder=folder)
    with writing(engine) as connection:
        values = {**property_values(placed), "added_at": STAMP.at}
        connection.execute(sa.insert(tables.house).values(values))
    return placed


def test_added_properties_are_found_again(catalog: Catalog) -> None:
    flat = Property.at(Address.parse("1 N Main St Unit 5, Phoenix, AZ 85004"))

    added = catalog.add_properties([house_at(7), flat], at=STAMP.at)

    assert added == [house_at(7), flat]
    assert catalog.properties() == sorted(added, key=lambda house: house.slug)
    assert catalog.slugs() == sorted([house_at(7).slug, flat.slug])
    assert catalog.property(flat.slug) == flat
    assert catalog.houses.find(flat.folder) == Known(house=flat, removed_at=None)


def test_an_unknown_key_or_folder_finds_nothing(catalog: Catalog) -> None:
    catalog.add_properties([house_at(7)], at=STAMP.at)

    assert catalog.property("nowhere") is None
    assert catalog.houses.find("00000000") is None


def test_adding_again_adds_nothing(catalog: Catalog) -> None:
    catalog.add_properties([house_at(7)], at=STAMP.at)

    added = catalog.add_properties([house_at(7), house_at(8), house_at(8)], at=STAMP.at)

    assert added == [house_at(8)]
    assert catalog.slugs() == [house_at(7).slug, house_at(8).slug]


def at(text: str) -> Property:
    return Property.at(Address.parse(text))


MOUNTAIN = at("3303 E Mountain View Rd, Phoenix, AZ 85032")
SPELLINGS = [
    "3303 E Mtn View Rd, Phoenix, AZ 85032",
    "3303 East Mountain Vw Road, Scottsdale, AZ 85032",
    "3303 E MOUNTAIN VIEW RD., Sun Lakes, AZ 85032-1234",
]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_known_house_under_another_spelling_is_known_and_named(
    catalog: Catalog, spelled: str
) -> None:
    catalog.add_properties([MOUNTAIN], at=STAMP.at)

    done = catalog.houses.add([at(spelled)], at=STAMP.at)

    assert (done.added, done.revived) == ((), ())
    assert done.known == ((at(spelled).address, MOUNTAIN),)
    assert catalog.properties() == [MOUNTAIN]
    assert catalog.houses.find_address(at(spelled).address) == Known(
        house=MOUNTAIN, removed_at=None
    )


def test_two_spellings_in_one_call_are_one_house(catalog: Catalog) -> None:
    first, *others = map(at, SPELLINGS)

    done = catalog.houses.add([first, *others, house_at(7)], at=STAMP.at)

    assert done.added == (first, house_at(7))
    assert done.known == tuple((other.address, first) for other in others)


def test_two_houses_whose_keys_are_spelled_alike_are_two(catalog: Catalog) -> None:
    span = at("47-32 Davis Rd, Phoenix, AZ 85003")
    other = at("47 32 Davis Rd, Phoenix, AZ 85003")
    assert span.slug == other.slug

    for _ in range(2):
        catalog.add_properties([span, other], at=STAMP.at)

    second = replace(other, slug=f"{other.slug}-2")
    assert catalog.properties() == [span, second]
    found = [catalog.houses.find_address(it.address) for it in (span, other)]
    assert found == [Known(house=it, removed_at=None) for it in (span, second)]


def _two_spellings(addresses: list[str]) -> list[tuple[Property, Property]]:
    return [(at(a), at(respelled(a, seed=n))) for n, a in enumerate(addresses)]


def _predecessor(shared_dir: Path) -> list[str]:
    files = (shared_dir / "samples/predecessor").glob("address_folder_lookup*.json")
    return [
        address
        for file in files
        for address in json.loads(file.read_text("utf-8"))["mappings"]
    ]


def test_each_of_200_houses_is_one_in_both_spellings_and_both_orders(
    catalog: Catalog,
) -> None:
    pairs = _two_spellings(made_addresses(200, seed=4732))

    catalog.add_properties([one for one, _ in pairs[:100]], at=STAMP.at)
    catalog.add_properties([other for _, other in pairs], at=STAMP.at)
    added = catalog.add_properties([one for one, _ in pairs], at=STAMP.at)

    assert added == []
    assert len(catalog.slugs()) == 200


def test_the_predecessors_houses_keep_key_and_folder_in_any_spelling(
    catalog: Catalog, shared_dir: Path
) -> None:
    pairs = _two_spellings(_predecessor(shared_dir))

    catalog.add_properties([one for one, _ in pairs], at=STAMP.at)
    done = catalog.houses.add([other for _, other in pairs], at=STAMP.at)

    assert len(catalog.properties()) == 36
    assert done.known == tuple((other.address, one) for one, other in pairs)


def _add_spelled(url: str, seed: int) -> None:
    engine = open_engine(url)
    catalog = Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))
    for address in made_addresses(50, seed=4732):
        catalog.add_properties([at(respelled(address, seed=seed))], at=STAMP.at)
    catalog.close()


def test_processes_that_spell_the_same_houses_differently_add_each_once(
    url: str, catalog: Catalog, processes: ProcessPoolExecutor
) -> None:
    list(processes.map(_add_spelled, [url] * 2, [1, 2]))

    assert len(catalog.slugs()) == 50


def test_one_property_that_cannot_be_added_keeps_all_out(catalog: Catalog) -> None:
    stateless = replace(house_at(8).address, state=None)  # type: ignore[arg-type]  # what the database refuses
    nameless = Property.at(stateless)

    with pytest.raises(sa.exc.IntegrityError):
        catalog.add_properties([house_at(7), nameless], at=STAMP.at)

    assert catalog.slugs() == []


@pytest.mark.parametrize("calls", [[TWINS], [TWINS[:1], TWINS[1:]]], ids=len)
def test_the_second_of_two_houses_with_one_folder_is_salted(
    catalog: Catalog, calls: list[list[int]]
) -> None:
    first, second = (house_at(number) for number in TWINS)
    assert first.folder == second.folder

    for numbers in calls:
        catalog.add_properties([house_at(n) for n in numbers], at=STAMP.at)

    salted = replace(second, folder=second.address.folder_id(1))
    assert catalog.properties() == [first, salted]
    assert catalog.houses.find(first.folder) == Known(house=first, removed_at=None)
    assert catalog.houses.find(salted.folder) == Known(house=salted, removed_at=None)


def test_no_free_folder_is_an_error_that_adds_nothing(
    engine: sa.Engine, catalog: Catalog
) -> None:
    wanted = house_at(7)
    for salt in range(16):
        folder = wanted.address.folder_id(salt)
        _squat(engine, house_at(100 + salt), folder=folder)

    with pytest.raises(CatalogError, match=wanted.slug):
        catalog.add_properties([house_at(8), wanted], at=STAMP.at)

    assert len(catalog.slugs()) == 16


def test_processes_adding_the_same_properties_add_each_once(
    url: str, catalog: Catalog, processes: ProcessPoolExecutor
) -> None:
    numbers = list(range(1, 41))

    added = list(processes.map(_add_elsewhere, [url] * 4, [numbers] * 4))

    assert sorted(slug for slugs in added for slug in slugs) == catalog.slugs()
    assert len(catalog.slugs()) == 41
