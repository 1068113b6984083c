import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.gallery import PHOTO_LISTS
from phx_pipeline.sources.zillow.payload import Page, read_page

PAGES = Path(__file__).parents[3] / "pages" / "zillow"
HOUSE = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
ZPID = "90100418"
URL = f"https://www.zillow.com/homedetails/{ZPID}_zpid/"
CANONICAL = (
    "https://www.zillow.com/homedetails"
    "/1418-E-Quail-Whistle-Ln-Phoenix-AZ-85042/90100418_zpid/"
)
LARGEST = "-uncropped_scaled_within_1536_1152.jpg"

Fields = dict[str, Any]


def page_of(name: str) -> Page:
    body = (PAGES / name).read_bytes()
    return read_page(Fetched(url=URL, status=200, headers={}, body=body))


def parse(name: str, *, zpid: str | None = ZPID) -> Listing:
    return parse_detail(page_of(name), house=Property.at(HOUSE), zpid=zpid)


@pytest.fixture
def home() -> Fields:
    """The property object of a good page, for a test to change."""
    cache = page_of("listed_2026.html").cache or {}
    (fields,) = (
        answer["property"] for query, answer in cache.items() if "Priority" in query
    )
    assert isinstance(fields, dict)
    return fields


def parse_homes(*homes: Fields, zpid: str | None = ZPID, query: str = "q") -> Listing:
    cache = {f"{query}{n}": {"property": each} for n, each in enumerate(homes)}
    page = Page(url=URL, cache=cache, search=None, challenged=False)
    return parse_detail(page, house=Property.at(HOUSE), zpid=zpid)


@pytest.mark.parametrize(
    ("name", "photos"),
    [("listed_2026.html", 5), ("listed_2023.html", 3), ("sold.html", 3)],
)
def test_the_gallery_is_the_listings_own_and_largest(name: str, photos: int) -> None:
    listing = parse(name)

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.complete) == (photos, True)
    assert all(photo.url.endswith(LARGEST) for photo in listing.photos)


def test_the_gallery_keeps_its_order(home: Fields) -> None:
    listing = parse_homes(home)

    assert [photo.photo_key for photo in listing.photos] == [
        entry["key"] for entry in home["originalPhotos"]
    ]
    assert [photo.position for photo in listing.photos] == [0, 1, 2, 3, 4]


def test_a_page_of_the_first_generation_has_cuts_only() -> None:
    listing = parse("listed_apollo.html")

    assert len(listing.photos) == 2
    assert all(photo.url.endswith("-cc_ft_1536.jpg") for photo in listing.photos)


def test_photos_of_other_homes_agents_and_logos_are_left_out(home: Fields) -> None:
    listing = parse("listed_2026.html")
    own = {entry["key"] for entry in home["originalPhotos"]}

    assert {photo.photo_key for photo in listing.photos} == own
    text = (PAGES / "listed_2026.html").read_text()
    assert text.count("-p_c.jpg") == 2  # of a neighbour, in the JSON and the markup
    assert "-h_n.jpg" in text


def test_the_listing_is_identified_and_dated(home: Fields) -> None:
    listing = parse_homes(home)

    assert (listing.listing_id, listing.mls_id) == (ZPID, "6801242")
    assert listing.url == CANONICAL
    assert listing.listed_on == date(2025, 2, 24)
    assert listing.detail == "5 photos; status FOR_SALE"
    assert not listing.challenged


def test_nothing_of_an_agent_is_in_the_listing() -> None:
    told = json.dumps(dataclasses.asdict(parse("listed_2026.html")), default=str)

    assert "Made-Up" in (PAGES / "listed_2026.html").read_text()
    assert "Made-Up" not in told
    assert "000-000-0000" not in told


def test_the_fullest_answer_about_a_home_is_read(home: Fields) -> None:
    stub = {name: home[name] for name in ("zpid", "streetAddress", "city", "state")}

    assert len(parse_homes(stub, home).photos) == 5
    assert len(parse_homes(home, stub).photos) == 5


def test_a_zpid_may_be_a_text(home: Fields) -> None:
    assert parse_homes(home | {"zpid": ZPID}).outcome is ListingOutcome.LISTED


def test_without_a_zpid_the_address_decides(home: Fields) -> None:
    other = home | {"zpid": 1, "streetAddress": "1422 E Quail Whistle Ln"}

    listing = parse_homes(other, home, zpid=None)

    assert (listing.outcome, listing.listing_id) == (ListingOutcome.LISTED, ZPID)


def test_several_records_of_the_house_are_ambiguous(home: Fields) -> None:
    listing = parse_homes(home, home | {"zpid": 90100777}, zpid=None)

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert listing.photos == ()
    assert "90100777" in listing.detail


def test_the_wanted_zpid_is_taken_among_several(home: Fields) -> None:
    listing = parse_homes(home | {"zpid": 90100777}, home)

    assert (listing.outcome, listing.listing_id) == (ListingOutcome.LISTED, ZPID)


@pytest.mark.parametrize("zpid", [ZPID, None])
@pytest.mark.parametrize(
    "other",
    [
        {"streetAddress": "1422 E Quail Whistle Ln"},
        {"streetAddress": "1418 W Quail Whistle Ln"},
        {"streetAddress": "1418 E Quail Whistle Dr"},
        {"streetAddress": "1418 E Quail Whistle Ct UNIT 2"},
        {"zipcode": "85041"},
    ],
)
def test_another_house_gives_no_photos(
    home: Fields, other: dict[str, str], zpid: str | None
) -> None:
    listing = parse_homes(home | other, zpid=zpid)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()
    assert ZPID in listing.detail


@pytest.mark.parametrize("zpid", [ZPID, None])
@pytest.mark.parametrize("line", ["1418 Quail Whistle Ln", "1418 E Quail Whistel Ln"])
def test_a_page_of_an_address_much_like_it_is_for_a_person_to_judge(
    home: Fields, line: str, zpid: str | None
) -> None:
    listing = parse_homes(home | {"streetAddress": line}, zpid=zpid)

    assert (listing.outcome, listing.photos) == (ListingOutcome.AMBIGUOUS, ())
    assert f'confirm {HOUSE.slug} "{line}, Phoenix, AZ 85042"' in listing.detail


def test_another_zpid_than_the_one_asked_for_is_another_property(home: Fields) -> None:
    listing = parse_homes(home, zpid="90100999")

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

    listing = parse_detail(
        page_of("unit.html"), house=Property.at(address), zpid="90100612"
    )

    assert listing.outcome is outcome


def test_an_address_stated_only_in_its_object_is_read(home: Fields) -> None:
    for name in ("streetAddress", "city", "state", "zipcode"):
        del home[name]

    assert parse_homes(home).outcome is ListingOutcome.LISTED


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ({"streetAddress": None, "address": None}, "incomplete"),
        ({"zipcode": "", "address": []}, "incomplete"),
        ({"streetAddress": "(undisclosed Address)"}, "unreadable"),
    ],
)
def test_a_page_without_its_own_address_has_changed(
    home: Fields, address: Fields, told: str
) -> None:
    with pytest.raises(SourceChangedError, match=told):
        parse_homes(home | address)


def without_photos(home: Fields, **changes: object) -> Fields:
    emptied: Fields = {name: [] for name in home if "Photos" in name}
    return home | emptied | {"photoCount": 0} | changes


@pytest.mark.parametrize("status", ["FOR_SALE", "PENDING", "COMING_SOON"])
def test_a_home_for_sale_without_photos_is_empty_and_fully_seen(
    home: Fields, status: str
) -> None:
    listing = parse_homes(without_photos(home, homeStatus=status))

    assert listing.outcome is ListingOutcome.LISTED_EMPTY
    assert listing.complete


@pytest.mark.parametrize("status", ["OTHER", "SOLD", "RECENTLY_SOLD"])
def test_a_home_off_market_without_photos_proves_nothing_about_photos(
    home: Fields, status: str
) -> None:
    listing = parse_homes(without_photos(home, homeStatus=status))

    assert listing.outcome is ListingOutcome.OFF_MARKET
    assert not listing.complete


def test_the_query_tells_off_market_where_the_status_is_new(home: Fields) -> None:
    fields = without_photos(home, homeStatus="SOMETHING_NEW")

    listing = parse_homes(fields, query="NotForSaleShopperPlatformFullRenderQuery")

    assert listing.outcome is ListingOutcome.OFF_MARKET


def test_a_home_for_sale_is_on_the_market_whatever_the_query(home: Fields) -> None:
    fields = without_photos(home)

    listing = parse_homes(fields, query="NotForSaleShopperPlatformFullRenderQuery")

    assert listing.outcome is ListingOutcome.LISTED_EMPTY


def test_a_street_view_is_no_photo_of_a_home_off_market() -> None:
    listing = parse("off_market.html")

    assert listing.outcome is ListingOutcome.OFF_MARKET
    assert (listing.photos, listing.listed_on) == ((), None)


def test_the_status_of_an_earlier_sale_does_not_count(home: Fields) -> None:
    assert home["dateSold"].startswith("2019")
    assert parse_homes(home).outcome is ListingOutcome.LISTED


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"photoCount": 12}, "states 12 photos"),
        ({"homeStatus": "SOMETHING_NEW"}, "no sign"),
        ({"photos": [{"renamed": 1}]}, "none of 1"),
    ],
)
def test_missing_photos_that_are_not_explained_are_a_changed_page(
    home: Fields, changes: Fields, told: str
) -> None:
    with pytest.raises(SourceChangedError, match=told):
        parse_homes(without_photos(home, **changes))


def test_renamed_photo_lists_are_a_changed_page(home: Fields) -> None:
    kept = {name: value for name, value in home.items() if "hoto" not in name}

    with pytest.raises(SourceChangedError, match="neither"):
        parse_homes(kept)


@pytest.mark.parametrize(
    ("stated", "complete"), [(5, True), (6, False), (4, False), (None, True)]
)
def test_the_stated_count_decides_whether_the_gallery_is_complete(
    home: Fields, stated: int | None, *, complete: bool
) -> None:
    listing = parse_homes(home | {"photoCount": stated})

    assert listing.complete is complete
    assert len(listing.photos) == 5
    assert ("stated" in listing.detail) is not complete


def test_a_photo_listed_again_does_not_make_up_for_one_that_is_missing(
    home: Fields,
) -> None:
    again = {
        name: [*home[name][:4], home[name][0]] for name in PHOTO_LISTS if name in home
    }

    listing = parse_homes(home | again | {"photoCount": 5})

    assert (len(listing.photos), listing.complete) == (4, False)
    assert listing.detail.startswith("4 photos of 5 stated")


def test_a_photo_from_elsewhere_makes_the_gallery_incomplete(home: Fields) -> None:
    for size in home["originalPhotos"][1]["mixedSources"]["jpeg"]:
        size["url"] = size["url"].replace("zillowstatic.com", "example.com")

    listing = parse_homes(home)

    assert [photo.position for photo in listing.photos] == [0, 2, 3, 4]
    assert not listing.complete
    assert "1 gallery entries unreadable" in listing.detail


def test_the_mls_id_of_an_older_page_is_found(home: Fields) -> None:
    assert parse_homes(home | {"attributionInfo": None, "mlsid": "77"}).mls_id == "77"
    assert parse_homes(home | {"attributionInfo": []}).mls_id is None


@pytest.mark.parametrize(
    "link", [None, "/homedetails/90100422_zpid/", "https://evil.example/90100418_zpid/"]
)
def test_a_foreign_link_is_not_the_pages_address(home: Fields, link: object) -> None:
    assert parse_homes(home | {"hdpUrl": link}).url == URL


@pytest.mark.parametrize(
    ("history", "posted", "day"),
    [
        (
            [
                {"event": "Listed for sale", "date": "2019-05-02"},
                {"event": "Price change", "date": "2025-03-20"},
                {"event": "Listed for sale", "date": "2025-03-09"},
                {"event": "Sold", "date": "2026-01-01"},
            ],
            "2025-02-24",
            date(2025, 3, 9),
        ),
        ([{"event": "Sold", "date": "2019-06-14"}], "2025-02-24", date(2025, 2, 24)),
        (None, "2025-02-24T00:00:00", date(2025, 2, 24)),
        ([], None, None),
        (["x", {"event": "Listed for sale", "date": 5}], "soon", None),
        ([{"event": "Listed for sale", "date": "2025-13-45"}], None, None),
    ],
)
def test_the_listing_day_is_the_newest_listing_or_the_posting(
    home: Fields, history: object, posted: object, day: date | None
) -> None:
    fields = home | {"priceHistory": history, "datePostedString": posted}

    assert parse_homes(fields).listed_on == day


@pytest.mark.parametrize(
    "cache",
    [{}, {"q": {}}, {"q": 7}, {"q": {"property": None}}, {"q": {"property": {}}}],
)
def test_a_page_without_a_property_has_changed(cache: dict[str, Any]) -> None:
    page = Page(url=URL, cache=cache, search=None, challenged=False)

    with pytest.raises(SourceChangedError, match="no property"):
        parse_detail(page, house=Property.at(HOUSE), zpid=ZPID)


OWNER = {"event": "Listed for sale", "date": "2025-01-15", "source": "Owner"}


def event(what: str, on: str, number: str = "", source: str = "ARMLS") -> Fields:
    by = {"infoString1": number} if number else {}
    return {"event": what, "date": on, "source": source, "attributeSource": by}


@pytest.mark.parametrize(
    ("history", "posted", "day"),
    [
        (
            [event("Price change", "2026-03-02", "M2"), OWNER],
            "2026-03-02",
            "2026-03-02",
        ),
        ([event("Price change", "2026-03-02", "M2"), OWNER], None, "2026-03-02"),
        ([event("Price change", "2026-03-05", "M2")], "2026-03-02", "2026-03-02"),
        ([event("Price change", "2026-03-02", "M2")], "2026-03-05", "2026-03-02"),
        ([event("Listed for sale", "2026-02-01", "M2")], "2026-03-02", "2026-02-01"),
        ([event("Listed for sale", "2026-02-01", "MLS #M2")], None, "2026-02-01"),
        (
            [
                event("Listed for sale", "2026-02-01", "M2"),
                event("Listed for sale", "2026-03-20", "M3"),
                event("Listed for sale", "2025-12-01", "M2"),
            ],
            "2026-03-02",
            "2026-02-01",
        ),
        (
            [event("Price change", "2026-03-02", source="MLS M2"), OWNER],
            None,
            "2026-03-02",
        ),
        ([event("Listed for sale", "2026-03-20", "M3")], "2026-03-02", "2026-03-02"),
        ([event("Listed for sale", "2026-03-20", "M3")], None, None),
        ([OWNER], "2026-03-02", "2026-03-02"),
        ([OWNER], None, None),
        ([event("Listed for sale", "2026-03-05")], "2026-03-02", "2026-03-05"),
        ([event("LISTED FOR SALE", "2026-03-05", source="")], None, "2026-03-05"),
        (
            [event("Listed for sale", "2026-02-01", source="ARMLS (M2)")],
            "2026-03-02",
            "2026-02-01",
        ),
        (
            {"value": [event("Listed for sale", "2026-02-01", "M2")]},
            "2026-03-02",
            "2026-02-01",
        ),
    ],
)
def test_the_listing_day_is_of_the_listings_own_events(
    home: Fields, history: object, posted: str | None, day: str | None
) -> None:
    own = {"mlsId": {"value": "M2"}, "mlsName": "ARMLS"}
    changes = {"attributionInfo": own, "priceHistory": history}

    listing = parse_homes(home | changes | {"datePostedString": posted})

    assert listing.mls_id == "M2"
    assert listing.listed_on == (day and date.fromisoformat(day))


def test_a_house_its_owner_sells_has_the_owners_day(home: Fields) -> None:
    sold = {"attributionInfo": None, "priceHistory": [OWNER], "datePostedString": None}

    assert parse_homes(home | sold).listed_on == date(2025, 1, 15)


@pytest.mark.parametrize(
    ("status", "query", "outcome", "told"),
    [
        ("OTHER", "q", "off_market", "5 photos, off market; status OTHER"),
        ("OFF_MARKET", "q", "off_market", "5 photos, off market; status OFF_MARKET"),
        ("FORECLOSED", "q", "off_market", "5 photos, off market; status FORECLOSED"),
        ("NEW_WORD", "NotForSaleQuery", "off_market", "off market; status NEW_WORD"),
        ("NEW_WORD", "ForSaleQuery", "listed", "5 photos; status NEW_WORD"),
        ("RECENTLY_SOLD", "NotForSaleQuery", "listed", "status RECENTLY_SOLD"),
        ("FOR_SALE", "NotForSaleQuery", "listed", "5 photos; status FOR_SALE"),
    ],
)
def test_a_gallery_left_on_the_page_of_a_home_off_market_does_not_list_it(
    home: Fields, status: str, query: str, outcome: str, told: str
) -> None:
    listing = parse_homes(home | {"homeStatus": status}, query=query)

    assert (listing.outcome, len(listing.photos)) == (outcome, 5)
    assert told in listing.detail
    assert listing.complete is (outcome == "listed")


def test_a_home_without_a_listing_is_off_market_by_its_facts_too(home: Fields) -> None:
    facts = parse_homes(home | {"homeStatus": "OTHER"}).facts

    assert facts is not None
    assert (facts.standard_status, facts.list_price) == ("Off Market", None)


NESTED = {
    "streetAddress": "1418 E Quail Whistle Ln",
    "city": "Phoenix",
    "state": "AZ",
    "zipcode": "85042",
}


@pytest.mark.parametrize(
    "said",
    [
        {"address": NESTED | {"streetAddress": "1422 E Quail Whistle Ln"}},
        {"address": NESTED | {"streetAddress": "1418 E Quail Whistle Ln UNIT 2"}},
        {"address": NESTED | {"zipcode": "85041"}},
        {"address": [NESTED | {"streetAddress": "1422 E Quail Whistle Ln"}]},
        {"address": {"value": NESTED | {"zipcode": "85041"}}},
        {"address": "1422 E Quail Whistle Ln, Phoenix, AZ 85042"},
        {"hdpUrl": ["/homedetails/90100422_zpid/"]},
        {"hdpUrl": CANONICAL.replace("1418-E", "1422-E")},
        {"hdpUrl": CANONICAL.replace("1418-E", "1418-W")},
        {"hdpUrl": CANONICAL.replace("85042", "85041")},
        {"hdpUrl": "/homedetails/90100422_zpid/"},
        {"url": CANONICAL.replace("1418-E", "1422-E")},
        {"url": CANONICAL.replace("Ln-Phoenix", "Ln-UNIT-2-Phoenix")},
    ],
)
def test_a_page_that_contradicts_itself_gives_no_photos(
    home: Fields, said: Fields
) -> None:
    listing = parse_homes(home | said)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()
    assert "contradicts itself" in listing.detail


@pytest.mark.parametrize(
    "said",
    [
        {"address": NESTED | {"streetAddress": "1418 East Quail Whistle Lane"}},
        {"address": NESTED | {"city": "Laveen"}},
        {"address": {"streetAddress": "1418 E Quail Whistle Ln"}},
        {"address": 7, "url": None},
        {"address": "1418 E Quail Whistle Ln, Laveen, AZ 85042"},
        {"hdpUrl": CANONICAL.replace("Phoenix", "Laveen")},
        {"url": "https://evil.example/1422-E-Quail-Whistle-Ln-Phoenix-AZ-85042/"},
    ],
)
def test_another_spelling_of_the_same_house_is_no_contradiction(
    home: Fields, said: Fields
) -> None:
    assert parse_homes(home | said).outcome is ListingOutcome.LISTED


@pytest.mark.parametrize(
    ("link", "outcome"),
    [
        (CANONICAL, ListingOutcome.LISTED),
        (CANONICAL.replace("1418-E", "1422-E"), ListingOutcome.WRONG_PROPERTY),
        (CANONICAL.replace("90100418", "90100422"), ListingOutcome.WRONG_PROPERTY),
    ],
)
def test_the_pages_own_link_in_its_head_must_name_the_house(
    link: str, outcome: ListingOutcome
) -> None:
    head = f'<link rel="canonical" href="{link}">'.encode()
    body = head + (PAGES / "listed_2026.html").read_bytes()
    page = read_page(Fetched(url=URL, status=200, headers={}, body=body))

    assert parse_detail(page, house=Property.at(HOUSE), zpid=ZPID).outcome is outcome


OTHER_LINK = CANONICAL.replace("1418-E", "1422-E").replace("90100418", "90100422")


@pytest.mark.parametrize(
    "link",
    [
        OTHER_LINK.rstrip("/"),
        OTHER_LINK + "photos/",
        OTHER_LINK.replace("https:", "http:"),
        OTHER_LINK.replace("https:", ""),
        OTHER_LINK.replace("www.", "m.").lower(),
        CANONICAL.replace("1418-E-", "1422%20E%20"),
        "/homedetails/90100422_zpid",
        "/homes/90100422_zpid/",
        "/homes/1422-E-Quail-Whistle-Ln-Phoenix-AZ-85042_rb/",
    ],
)
def test_a_link_names_a_neighbour_however_it_is_written(
    home: Fields, link: str
) -> None:
    page = Page(
        url=URL,
        cache={"q": {"property": home}},
        search=None,
        challenged=False,
        links=(CANONICAL, link),
    )
    told = [
        parse_homes(home | {"url": link}),
        parse_detail(page, house=Property.at(HOUSE), zpid=ZPID),
    ]

    assert [each.outcome for each in told] == [ListingOutcome.WRONG_PROPERTY] * 2


@pytest.mark.parametrize(
    ("street", "outcome"),
    [
        ("1418 E Quail Whistle Ln", "listed"),
        ("1422 E Quail Whistle Ln", "wrong_property"),
    ],
)
def test_structured_data_must_be_of_the_house(street: str, outcome: str) -> None:
    told = {
        "@type": "SingleFamilyResidence",
        "address": {"streetAddress": street, "postalCode": "85042"},
    }
    data = f'<script type="application/ld+json">{json.dumps(told)}</script>'.encode()
    body = data + (PAGES / "listed_2026.html").read_bytes()
    page = read_page(Fetched(url=URL, status=200, headers={}, body=body))

    assert parse_detail(page, house=Property.at(HOUSE), zpid=ZPID).outcome == outcome


@pytest.mark.parametrize(
    ("number", "outcome"), [(1418, "listed"), (1422, "wrong_property")]
)
def test_the_titles_of_a_page_must_be_of_the_house(number: int, outcome: str) -> None:
    line = f"{number} E Quail Whistle Ln, Phoenix, AZ 85042"
    head = f"<title>{line} | MLS #6801242 | Zillow</title>".encode()
    body = head + (PAGES / "listed_2026.html").read_bytes()
    page = read_page(Fetched(url=URL, status=200, headers={}, body=body))

    assert parse_detail(page, house=Property.at(HOUSE), zpid=ZPID).outcome == outcome


def test_two_answers_about_one_home_must_be_of_one_address(home: Fields) -> None:
    stub = {"zpid": ZPID, "streetAddress": "1422 E Quail Whistle Ln"}

    assert parse_homes(home, stub).outcome is ListingOutcome.WRONG_PROPERTY


def test_an_answer_must_be_about_the_home_it_was_asked_for(home: Fields) -> None:
    for query in ('Q{"zpid":_}', "Q{'zpid': '_'}", 'Q{\\"zpid\\":_}'):
        told = [parse_homes(home, query=query.replace("_", it)) for it in (ZPID, "7")]

        assert [each.outcome.value for each in told] == ["listed", "wrong_property"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"abbreviatedAddress": "1422 E Quail Whistle Ln"}, "wrong_property"),
        ({"abbreviatedAddress": "1418 E Quail Whistle Lane"}, "listed"),
        ({"address": NESTED | {"zipcode": 85041}}, "wrong_property"),
        ({"address": NESTED | {"zipcode": 85042}, "zipcode": 85042}, "listed"),
        ({"address": NESTED | {"state": "CA"}, "state": "CA"}, "wrong_property"),
    ],
)
def test_what_else_states_the_address_must_agree(
    home: Fields, said: Fields, outcome: str
) -> None:
    assert parse_homes(home | said).outcome == outcome


def shown_at(key: str, size: str = "p_c") -> str:
    return f"https://photos.zillowstatic.com/fp/{key}-{size}.jpg"


@pytest.mark.parametrize(
    "name", ["nearbyHomes", "comps", "compsCarouselPropertyPhotos"]
)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_photo_that_is_shown_of_a_neighbour_too_is_left_out(
    home: Fields, name: str, *, as_text: bool
) -> None:
    key = home["originalPhotos"][1]["key"]
    card = {"zpid": 7, "miniCardPhotos": [{"url": shown_at(key)}]}

    listing = parse_homes(home | {name: [json.dumps(card) if as_text else card]})

    assert [photo.position for photo in listing.photos] == [0, 2, 3, 4]
    assert not listing.complete
    assert "1 left out" in listing.detail


def test_a_logo_and_a_face_in_the_gallery_are_left_out(home: Fields) -> None:
    logo, face = (entry["key"] for entry in home["originalPhotos"][:2])
    said = {
        "attributionInfo": home["attributionInfo"]
        | {"mlsLogoSrc": shown_at(logo, "zillow_web_48_23")},
        "listedBy": [{"photo": shown_at(face, "h_n")}],
    }

    assert len(parse_homes(home | said).photos) == 3


def test_a_card_of_the_home_itself_takes_nothing_away(home: Fields) -> None:
    key = home["originalPhotos"][0]["key"]
    card = {"zpid": ZPID, "miniCardPhotos": [{"url": shown_at(key)}]}

    assert len(parse_homes(home | {"comps": [card]}).photos) == 5


@pytest.mark.parametrize(
    ("stated", "complete"),
    [("5", True), (5.0, True), ("6", False), (-1, False), ("many", False), ([], False)],
)
def test_a_count_that_cannot_be_read_does_not_make_a_gallery_complete(
    home: Fields, stated: object, *, complete: bool
) -> None:
    assert parse_homes(home | {"photoCount": stated}).complete is complete


def test_photos_below_another_name_are_not_an_empty_gallery(home: Fields) -> None:
    moved = without_photos(home, pictures=home["originalPhotos"])

    with pytest.raises(SourceChangedError, match="other names"):
        parse_homes(moved)


@pytest.mark.parametrize(
    ("status", "outcome", "price"),
    [
        ("for_sale", "listed", True),
        ("For Sale", "listed", True),
        ("ForSale", "listed", True),
        ("Pending", "listed", True),
        ("Off Market", "off_market", False),
        ("other", "off_market", False),
        ("WITHDRAWN", "off_market", False),
        ("EXPIRED", "off_market", False),
        ("CANCELED", "off_market", False),
        ("recentlySold", "listed", False),
    ],
)
def test_a_status_is_read_however_it_is_written(
    home: Fields, status: str, outcome: str, *, price: bool
) -> None:
    listing = parse_homes(home | {"homeStatus": status, "price": 434_900})

    assert listing.outcome == outcome
    assert listing.facts is not None
    assert (listing.facts.list_price is not None) is price


@pytest.mark.parametrize("odd", ["9999-12-31", "0001-01-01", "2025-02-30"])
def test_an_odd_day_does_not_hide_the_day_of_the_listing(
    home: Fields, odd: str
) -> None:
    history = [event("Listed for sale", at, "M2") for at in (odd, "2025-03-09")]
    said = {"attributionInfo": {"mlsId": "M2"}, "priceHistory": history}

    listing = parse_homes(home | said | {"datePostedString": odd})

    assert listing.listed_on == date(2025, 3, 9)
