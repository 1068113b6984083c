"""A page must be of this very door, in all that it says of it."""

import json

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.parse import parse_listing
from phx_pipeline_tests.unit.sources.redfin.parse.conftest import (
    HOUSE,
    URL,
    Cache,
    cache_of,
    html_of,
    page_of,
    parse,
    parse_cache,
    payload_in,
    section_of,
)


def test_another_house_gives_no_photos() -> None:
    listing = parse("wrong_house.html")

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()
    assert "1422 E Quail Whistle Ln" in listing.detail


@pytest.mark.parametrize(
    "other",
    [
        "1418 W Quail Whistle Ln, Phoenix, AZ 85042",
        "1418 E Quail Whistle Ln, Phoenix, AZ 85041",
        "1418 E Quail Whistle Ct Unit 2, Phoenix, AZ 85042",
        "1418 E Quail Whistle Dr, Phoenix, AZ 85042",
    ],
)
def test_a_page_must_be_of_this_very_door(other: str) -> None:
    listing = parse_listing(
        html_of("listed.html"), house=Property.at(Address.parse(other)), page_url=URL
    )

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        ("655 N Cactus Wren Ave #12", ListingOutcome.LISTED),
        ("655 N Cactus Wren Ave #21", ListingOutcome.WRONG_PROPERTY),
        ("655 N Cactus Wren Ave", ListingOutcome.AMBIGUOUS),
    ],
)
def test_the_unit_of_the_page_counts(asked: str, outcome: ListingOutcome) -> None:
    address = Address.parse(f"{asked}, Phoenix, AZ 85004")

    listing = parse_listing(
        html_of("unit.html"), house=Property.at(address), page_url=URL
    )

    assert listing.outcome is outcome


def test_a_unit_stated_apart_from_the_street_line_counts(cache: Cache) -> None:
    section = payload_in(cache, "/aboveTheFold")["addressSectionInfo"]
    section["streetAddress"]["unitValue"] = "#7"

    listing = parse_cache(cache)

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert f"confirm {HOUSE.slug} " in listing.detail
    assert 'Unit 7, Phoenix, AZ 85042"' in listing.detail


NEIGHBOUR = "/AZ/Phoenix/1422-E-Quail-Whistle-Ln-85042/home/90100418"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("url", NEIGHBOUR),
        ("url", [NEIGHBOUR]),
        ("url", NEIGHBOUR.replace("1422-E", "1418-W")),
        ("url", NEIGHBOUR.replace("1422", "1418").replace("85042", "85041")),
        ("url", NEIGHBOUR.replace("1422", "1418").replace("42/", "42/unit-2/")),
        ("streetNumber", "1422"),
        ("directionalPrefix", "W"),
        ("streetName", "Quail Thistle"),
        ("streetType", "Dr"),
    ],
)
def test_a_page_that_contradicts_itself_gives_no_photos(
    cache: Cache, field: str, said: object
) -> None:
    section = section_of(cache)
    holder = section if field in section else section["streetAddress"]
    holder[field] = said

    listing = parse_cache(cache)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()
    assert "contradicts itself" in listing.detail


@pytest.mark.parametrize(
    ("line", "unit", "outcome"),
    [
        ("1418 E Quail Whistle Ln #2", "#12", ListingOutcome.WRONG_PROPERTY),
        ("1418 E Quail Whistle Ln #2", "2", ListingOutcome.LISTED),
        ("1418 E Quail Whistle Ln #2", "Unit 2", ListingOutcome.LISTED),
        ("1418 E Quail Whistle Ln Unit 2", "# 2", ListingOutcome.LISTED),
        ("1418 E Quail Whistle Ln", "#2", ListingOutcome.LISTED),
        ("1418 E Quail Whistle Ln #2", "", ListingOutcome.LISTED),
    ],
)
def test_the_unit_stated_twice_must_be_one(
    cache: Cache, line: str, unit: str, outcome: ListingOutcome
) -> None:
    street = section_of(cache)["streetAddress"]
    street.update(assembledAddress=line, unitValue=unit)

    listing = parse_listing(
        page_of(cache),
        house=Property.at(
            Address.parse("1418 E Quail Whistle Ln Unit 2, Phoenix, AZ 85042")
        ),
        page_url=URL,
    )

    assert listing.outcome is outcome


def test_a_gallery_that_says_it_is_of_a_neighbour_is_not_taken(cache: Cache) -> None:
    media = payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]
    media["assembledAddress"] = "1422 E Quail Whistle Ln"

    assert parse_cache(cache).outcome is ListingOutcome.WRONG_PROPERTY


@pytest.mark.parametrize(
    "path",
    [
        "/AZ/Laveen/1418-East-Quail-Whistle-Lane-85042/home/90100418",
        "/city/14240/AZ/Phoenix",
        "",
        None,
    ],
)
def test_another_spelling_in_a_link_is_no_contradiction(
    cache: Cache, path: str | None
) -> None:
    section_of(cache)["url"] = path

    assert parse_cache(cache).outcome is ListingOutcome.LISTED


def test_the_pages_own_link_in_its_head_must_name_the_house(cache: Cache) -> None:
    link = f'<link rel="canonical" href="https://www.redfin.com{NEIGHBOUR}">'

    listing = parse_listing(
        link + page_of(cache), house=Property.at(HOUSE), page_url=URL
    )

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY


@pytest.mark.parametrize(
    "link",
    [
        NEIGHBOUR + "/",
        NEIGHBOUR.lower(),
        NEIGHBOUR + "?utm=1#x",
        NEIGHBOUR.replace("1422-E-", "1422%20E%20"),
        "//www.redfin.com" + NEIGHBOUR,
        "http://www.redfin.com" + NEIGHBOUR,
        "https://m.redfin.com:443" + NEIGHBOUR + "/photos",
        "https://www.redfin.com/es" + NEIGHBOUR,
    ],
)
def test_a_link_names_a_neighbour_however_it_is_written(
    cache: Cache, link: str
) -> None:
    head = (
        f'<link rel="canonical" href="{URL}"><meta property="og:url" content="{link}">'
    )
    told = [
        parse_listing(head + page_of(cache), house=Property.at(HOUSE), page_url=URL)
    ]
    section_of(cache)["url"] = link
    told.append(parse_cache(cache))

    assert [each.outcome for each in told] == [ListingOutcome.WRONG_PROPERTY] * 2


def test_two_links_to_pages_of_two_homes_contradict_each_other(cache: Cache) -> None:
    link = URL.replace("90100418", "90100777")
    head = f'<link rel="canonical" href="{link}">'

    listing = parse_listing(
        head + page_of(cache), house=Property.at(HOUSE), page_url=URL
    )

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([{"@type": "RealEstateListing", "url": URL}], ListingOutcome.LISTED),
        (
            [{"@type": "RealEstateListing", "url": URL.replace("1418-E", "1422-E")}],
            ListingOutcome.WRONG_PROPERTY,
        ),
        (
            [
                {"@type": "House", "url": URL.replace("1418-E", "1422-E")},
                {"@type": "House", "url": URL},
            ],
            ListingOutcome.LISTED,
        ),
        ([{"@type": "Product", "name": "4 Bed House"}], ListingOutcome.LISTED),
        (
            [{"@type": "House", "name": "1422 E Quail Whistle Ln, Phoenix, AZ 85042"}],
            ListingOutcome.WRONG_PROPERTY,
        ),
    ],
)
def test_structured_data_must_be_of_the_house(
    cache: Cache, told: object, outcome: ListingOutcome
) -> None:
    data = f'<script type="application/ld+json">{json.dumps(told)}</script>'

    listing = parse_listing(
        data + page_of(cache), house=Property.at(HOUSE), page_url=URL
    )

    assert listing.outcome is outcome


OWN_LINE, NEXT_LINE = (f"{n} E Quail Whistle Ln" for n in (1418, 1422))


@pytest.mark.parametrize(
    "head",
    [
        "<title>{line}, Phoenix, AZ 85042 | MLS# 6801242 | Redfin</title>",
        '<meta property="og:title" content="{line}, Phoenix, AZ 85042 - 4 beds">',
        '<meta name="twitter:text:street_address" content="{line}">',
    ],
)
def test_the_titles_of_a_page_must_be_of_the_house(cache: Cache, head: str) -> None:
    told = [
        parse_listing(
            head.format(line=line) + page_of(cache),
            house=Property.at(HOUSE),
            page_url=URL,
        ).outcome.value
        for line in (OWN_LINE, NEXT_LINE)
    ]

    assert told == ["listed", "wrong_property"]


@pytest.mark.parametrize("name", ["assembledAddress", "streetAddress"])
@pytest.mark.parametrize("end", ["", ", Phoenix, AZ 85042"])
def test_a_gallery_may_name_its_house_in_full(
    cache: Cache, name: str, end: str
) -> None:
    media = payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]
    told = []
    for line in (OWN_LINE, NEXT_LINE):
        media[name] = line + end
        told.append(parse_cache(cache).outcome.value)

    assert told == ["listed", "wrong_property"]


@pytest.mark.parametrize("unit", [" ", "-", "N/A", "None", "#", 0])
def test_a_unit_that_says_there_is_none_is_none(cache: Cache, unit: object) -> None:
    section_of(cache)["streetAddress"]["unitValue"] = unit

    assert parse_cache(cache).outcome is ListingOutcome.LISTED


@pytest.mark.parametrize(
    "said",
    [
        {"streetNumber": 1422},
        {"streetNumber": 1422.0, "streetName": None},
        {"streetNumber": "1422", "streetName": ""},
        {"unitValue": 12},
        {"unitValue": {"value": 12}},
    ],
)
def test_a_number_in_place_of_a_text_is_read_too(
    cache: Cache, said: dict[str, object]
) -> None:
    section_of(cache)["streetAddress"].update(said)

    assert parse_cache(cache).photos == ()


@pytest.mark.parametrize("name", ["streetNumber", "streetName", "unitValue"])
@pytest.mark.parametrize("value", [["12"], {"text": "12"}, True])
def test_a_part_of_the_address_in_another_shape_is_a_changed_page(
    cache: Cache, name: str, value: object
) -> None:
    section_of(cache)["streetAddress"][name] = value

    with pytest.raises(SourceChangedError, match="another shape"):
        parse_cache(cache)


def test_a_zip_may_be_a_number_and_the_state_must_be_the_houses(cache: Cache) -> None:
    section_of(cache)["zip"] = 85042
    assert parse_cache(cache).outcome is ListingOutcome.LISTED

    section_of(cache)["state"] = "CA"
    assert parse_cache(cache).outcome is ListingOutcome.WRONG_PROPERTY


def test_of_two_homes_in_a_page_nothing_of_the_other_is_taken(cache: Cache) -> None:
    other = cache_of(html_of("wrong_house.html"))
    payload_in(other, "/initialInfo")["mlsId"] = "6999999"
    both = {path.replace("/api/", "/api/v1/", 1): other[path] for path in other} | cache

    listing = parse_cache(both)

    assert [photo.photo_key for photo in listing.photos][:1] == ["9-6801242_0"]
    assert listing.mls_id is None
