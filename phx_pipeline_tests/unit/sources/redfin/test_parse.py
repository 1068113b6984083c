import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.gallery import parse_gallery, photo_key
from phx_pipeline.sources.redfin.parse import parse_listing

PAGES = Path(__file__).parents[3] / "pages" / "redfin"
HOUSE = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
URL = "https://www.redfin.com/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85042/home/90100418"
HOST = "https://ssl.cdn-redfin.com"
CONTEXT = re.compile(r"InitialContext = (\{.*\});")

Cache = dict[str, dict[str, Any]]


def html_of(name: str) -> str:
    return (PAGES / name).read_text()


def parse(name: str) -> Listing:
    return parse_listing(html_of(name), house=Property.at(HOUSE), page_url=URL)


def cache_of(html: str) -> Cache:
    """Take a page's answers out, decoded, by path."""
    found = CONTEXT.search(html)
    assert found
    entries = json.loads(found[1])["ReactServerAgent.cache"]["dataCache"]
    return {
        path: json.loads(entry["res"]["text"].removeprefix("{}&&"))
        for path, entry in entries.items()
    }


def page_of(cache: Cache) -> str:
    entries = {
        path: {"res": {"text": "{}&&" + json.dumps(answer)}}
        for path, answer in cache.items()
    }
    context = json.dumps({"ReactServerAgent.cache": {"dataCache": entries}})
    return f"<script>root.__reactServerState.InitialContext = {context};</script>"


def payload_in(cache: Cache, end: str) -> dict[str, Any]:
    (payload,) = (a["payload"] for path, a in cache.items() if path.endswith(end))
    assert isinstance(payload, dict)
    return payload


@pytest.fixture
def cache() -> Cache:
    """The answers of a good page, for a test to change."""
    return cache_of(html_of("listed.html"))


def parse_html(html: str) -> Listing:
    return parse_listing(html, house=Property.at(HOUSE), page_url=URL)


def parse_cache(cache: Cache) -> Listing:
    return parse_html(page_of(cache))


def test_the_gallery_is_the_listings_own_in_order_and_largest() -> None:
    listing = parse("listed.html")

    assert [photo.url for photo in listing.photos] == [
        f"{HOST}/photo/9/bigphoto/242/6801242_0.jpg",
        f"{HOST}/photo/9/bigphoto/242/6801242_1_0.jpg",
        f"{HOST}/photo/9/bigphoto/242/6801242_2_M.jpg",
        f"{HOST}/system_files/media/880021_JPG/item_3.jpg",
        f"{HOST}/photo/9/bigphoto/242/6801242_4_B.jpg",
    ]
    assert [photo.position for photo in listing.photos] == [0, 1, 2, 3, 4]
    assert listing.complete


def test_photos_are_named_by_owner_and_file() -> None:
    keys = [photo.photo_key for photo in parse("listed.html").photos]

    assert keys == [
        "9-6801242_0",
        "9-6801242_1_0",
        "9-6801242_2_M",
        "media-880021_JPG-item_3",
        "9-6801242_4_B",
    ]


def test_tags_and_captions_join_by_photo_id() -> None:
    told = [(photo.tags, photo.caption) for photo in parse("listed.html").photos]

    assert told == [
        (("Exterior",), "Stucco home with tile roof"),
        (("Kitchen", "Interior"), "Bright kitchen"),
        (("Bed", "Interior"), "A primary bedroom with a ceiling fan."),
        (("Exterior",), "Backyard with pool"),
        ((), ""),
    ]


def test_the_listing_is_identified_and_dated_by_its_own_mls_record() -> None:
    listing = parse("listed.html")

    assert (listing.listing_id, listing.mls_id) == ("200300400", "6801242")
    assert listing.listed_on == date(2025, 2, 25)
    assert listing.url == URL


def test_the_sizes_are_those_the_page_states() -> None:
    photo = parse("listed.html").photos[0]

    assert (photo.width, photo.height) == (1600, 1067)


def test_another_path_prefix_and_a_body_object_read_the_same() -> None:
    listing = parse("listed_other_paths.html")

    assert listing.outcome is ListingOutcome.LISTED
    assert len(listing.photos) == 2
    assert listing.detail == "2 photos; status Active Under Contract"


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


def test_an_active_listing_without_photos_is_empty_and_fully_seen() -> None:
    listing = parse("listed_empty.html")

    assert listing.outcome is ListingOutcome.LISTED_EMPTY
    assert listing.complete


def test_an_off_market_page_without_photos_proves_nothing_about_photos() -> None:
    listing = parse("off_market.html")

    assert listing.outcome is ListingOutcome.OFF_MARKET
    assert not listing.complete
    assert listing.listed_on is None


def test_a_sold_page_that_kept_its_gallery_is_listed() -> None:
    listing = parse("sold_with_gallery.html")

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.complete) == (3, True)


def test_an_empty_gallery_without_any_status_is_a_changed_page(cache: Cache) -> None:
    above = payload_in(cache, "/aboveTheFold")
    above["mediaBrowserInfo"]["photos"] = []
    above["addressSectionInfo"].update(status=None, searchStatus=None)
    payload_in(cache, "/initialInfo")["riftPageType"] = "new"

    with pytest.raises(SourceChangedError, match="no sign"):
        parse_cache(cache)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("changed_no_above.html", "aboveTheFold"),
        ("changed_no_gallery.html", "mediaBrowserInfo.photos"),
        ("search_results.html", "aboveTheFold"),
        ("challenge.html", "InitialContext"),
        ("robot.html", "InitialContext"),
    ],
)
def test_a_changed_page_says_what_is_missing(name: str, missing: str) -> None:
    with pytest.raises(SourceChangedError, match=missing):
        parse(name)


@pytest.mark.parametrize(
    "url",
    [
        "https://photos.example/photo/9/bigphoto/242/6801242_1_0.jpg",
        "http://ssl.cdn-redfin.com/photo/9/bigphoto/242/6801242_1_0.jpg",
        "https://ssl.cdn-redfin.com@evil.example/photo/9/bigphoto/242/1.jpg",
        "https://ssl.cdn-redfin.com:8443/photo/9/bigphoto/242/1.jpg",
        "https://[/1.jpg",
        "",
        None,
    ],
)
def test_a_photo_from_elsewhere_is_left_out_and_the_gallery_is_not_complete(
    cache: Cache, url: str | None
) -> None:
    photos = payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]["photos"]
    photos[1]["photoUrls"]["fullScreenPhotoUrl"] = url

    listing = parse_cache(cache)

    assert listing.outcome is ListingOutcome.LISTED
    assert [photo.position for photo in listing.photos] == [0, 2, 3, 4]
    assert not listing.complete


def test_a_gallery_without_one_known_photo_url_is_a_changed_page(cache: Cache) -> None:
    for photo in payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]["photos"]:
        del photo["photoUrls"]

    with pytest.raises(SourceChangedError, match="none of 5"):
        parse_cache(cache)


def test_a_photo_listed_twice_is_one_photo(cache: Cache) -> None:
    photos = payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]["photos"]
    photos.append(photos[0])

    listing = parse_cache(cache)

    assert len(listing.photos) == 5
    assert listing.complete


def with_count(cache: Cache, shown: int) -> str:
    button = f'<button type="button" tabindex="0" aria-label="{shown} photos">'
    other = '<button aria-label="99 photos">'
    return f"<body>{button}{other}{page_of(cache)}"


@pytest.mark.parametrize(("shown", "complete"), [(4, True), (5, True), (6, False)])
def test_a_gallery_that_is_short_of_the_count_shown_is_not_complete(
    cache: Cache, shown: int, *, complete: bool
) -> None:
    listing = parse_html(with_count(cache, shown))

    assert (len(listing.photos), listing.complete) == (5, complete)
    assert ("of 6 stated" in listing.detail) is not complete


def test_an_empty_gallery_under_a_count_is_a_changed_page(cache: Cache) -> None:
    payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]["photos"] = []

    with pytest.raises(SourceChangedError, match="states 5 photos and shows none"):
        parse_html(with_count(cache, 5))


def test_tags_of_another_listing_are_not_joined(cache: Cache) -> None:
    payload_in(cache, "/dataSourceId/9")["listingId"] = 1

    assert {photo.tags for photo in parse_cache(cache).photos} == {()}


@pytest.mark.parametrize("end", ["/dataSourceId/9", "/belowTheFold", "/initialInfo"])
def test_a_page_without_its_lesser_answers_keeps_its_gallery(
    cache: Cache, end: str
) -> None:
    (path,) = (path for path in cache if path.endswith(end))
    cache[path] = {"resultCode": 500, "errorMessage": "no"}

    listing = parse_cache(cache)

    assert (len(listing.photos), listing.complete) == (5, True)


def test_text_no_database_can_store_is_cleaned(cache: Cache) -> None:
    tags = payload_in(cache, "/dataSourceId/9")["tagsByPhotoId"]
    tags["501"]["shortCaption"] = "Front\0 of\n home \ud800"

    assert parse_cache(cache).photos[0].caption == "Front\ufffd of home \ufffd"


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Phoenix", date(2025, 2, 25)),
        ("US/Pacific", date(2025, 2, 24)),
        ("No/Where", date(2025, 2, 25)),
        ("../etc", date(2025, 2, 25)),
        ("US", date(2025, 2, 25)),
        (7, date(2025, 2, 25)),
    ],
)
def test_the_listing_day_is_that_of_the_propertys_time_zone(
    cache: Cache, zone: object, day: date
) -> None:
    payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]["displayTimeZone"] = zone

    assert parse_cache(cache).listed_on == day


@pytest.mark.parametrize("stamp", [None, "x", True, 10**18, 10**400, 1.5, -(10**18)])
def test_an_impossible_event_date_is_no_date(cache: Cache, stamp: object) -> None:
    history = payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]
    for event in history["events"]:
        event["eventDate"] = stamp

    assert parse_cache(cache).listed_on is None


@pytest.mark.parametrize(
    "stamp",
    [1740466800, "1740466800000", "2025-02-25", {"value": 1740466800}, 1740466800000.0],
    ids=repr,
)
def test_the_date_of_an_event_is_read_in_any_shape(cache: Cache, stamp: object) -> None:
    events = payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]["events"]
    (own,) = (
        event
        for event in events
        if (event["eventDescription"], event["sourceId"]) == ("Listed", "6801242")
    )
    own["eventDate"] = stamp

    assert parse_cache(cache).listed_on == date(2025, 2, 25)


def test_a_relisted_house_has_the_newest_day(cache: Cache) -> None:
    history = payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]
    listed = {"eventDescription": "Listed", "sourceId": "6801242"}
    history["events"].append({**listed, "eventDate": 1741500000000})

    assert parse_cache(cache).listed_on == date(2025, 3, 8)


def test_size_variants_of_a_photo_share_its_key() -> None:
    photos = cache_of(html_of("listed.html"))
    for entry in payload_in(photos, "/aboveTheFold")["mediaBrowserInfo"]["photos"]:
        keys = {photo_key(url) for url in entry["photoUrls"].values()}

        assert len(keys) == 1


def _nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    below = [at for key, child in inner for at in _nodes(child, (*path, key))]
    return [path, *below] if path else below


ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "https://[",
    [],
    [[]],
    {},
    {"a": []},
]


@given(st.data())
def test_no_single_odd_value_breaks_the_reader(data: st.DataObject) -> None:
    answers = cache_of(html_of("listed.html"))
    *parents, last = data.draw(st.sampled_from(_nodes(answers)))
    holder: Any = answers
    for key in parents:
        holder = holder[key]
    holder[last] = data.draw(st.sampled_from(ODD_VALUES))

    try:
        listing = parse_cache(answers)
    except SourceChangedError:
        return

    assert {photo_key(photo.url) for photo in listing.photos} == {
        photo.photo_key for photo in listing.photos
    }


# --- real pages -------------------------------------------------------------------

REAL = "redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"


@pytest.fixture(scope="module")
def truth(shared_dir: Path) -> dict[str, Any]:
    """What is known about each real page."""
    known: dict[str, Any] = json.loads((shared_dir / "samples/truth.json").read_text())
    return known


@pytest.fixture(scope="module")
def real_listing(shared_dir: Path, truth: dict[str, Any]) -> Listing:
    """The real listing page, read."""
    return parse_listing(
        (shared_dir / "samples" / REAL).read_text(),
        house=Property.at(Address.parse(truth[REAL]["address"])),
        page_url="https://www.redfin.com/home/137774138",
    )


def test_a_real_page_gives_exactly_its_largest_photos_in_order(
    real_listing: Listing, truth: dict[str, Any]
) -> None:
    urls = [photo.url for photo in real_listing.photos]

    assert urls == truth[REAL]["largest_urls"]
    assert real_listing.outcome is ListingOutcome.LISTED
    assert real_listing.complete


def test_a_real_page_gives_its_ids_and_its_listing_day(
    real_listing: Listing, truth: dict[str, Any]
) -> None:
    ids = (real_listing.listing_id, real_listing.mls_id)

    assert ids == (str(truth[REAL]["listing_id"]), truth[REAL]["mls_id"])
    assert real_listing.listed_on == date(2025, 9, 18)
    assert real_listing.url == (
        "https://www.redfin.com/GA/Dahlonega/94-King-Arthur-Ct-30533/home/137774138"
    )


def test_a_real_page_gives_tags_and_captions(real_listing: Listing) -> None:
    photos = real_listing.photos

    assert sum("Kitchen" in photo.tags for photo in photos) == 8
    assert sum("Exterior" in photo.tags for photo in photos) == 23
    assert sum(photo.tags == () for photo in photos) == 4
    assert photos[1].caption == "Newly built house exterior"
    assert photos[50].tags == ("Floor plans",)
    assert photos[5].photo_key == "82-7652074_5_I"


def test_a_real_page_of_another_house_is_refused(shared_dir: Path) -> None:
    html = (shared_dir / "samples" / REAL).read_text()

    listing = parse_listing(html, house=Property.at(HOUSE), page_url=URL)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()


def test_a_real_search_page_is_not_a_listing(shared_dir: Path) -> None:
    html = (shared_dir / "samples/redfin/search_2020-07_irvine.html").read_text()

    with pytest.raises(SourceChangedError, match="aboveTheFold"):
        parse_listing(html, house=Property.at(HOUSE), page_url=URL)


def test_a_real_gallery_of_2024_reads_the_same(
    shared_dir: Path, truth: dict[str, Any]
) -> None:
    name = "redfin/photos_2024-09_mls6754782.ts"
    literal = (shared_dir / "samples" / name).read_text().partition("= ")[2]

    gallery = parse_gallery(photos_in_literal(literal), tags={})

    assert [photo.url for photo in gallery.photos] == truth[name]["largest_urls"]
    assert gallery.unreadable == 0
    assert len({photo.photo_key for photo in gallery.photos}) == 26


def photos_in_literal(literal: str) -> list[Any]:
    """Decode the photo entries of a TypeScript literal: bare keys, trailing commas."""
    quoted = re.sub(r"(?m)^(\s*)(\w+):", r'\1"\2":', literal)
    plain = re.sub(r",(\s*[}\]])", r"\1", re.sub(r"\{ (\w+): ", r'{ "\1": ', quoted))
    entry = re.compile(
        r'\{\s*"dataSourceId": \d+,\s*"displayLevel".*?"width"', re.DOTALL
    )
    return [json.loads(f"{found}: 1}}") for found in entry.findall(plain)]


def test_wrapped_numbers_and_dates_are_read(cache: Cache) -> None:
    initial = payload_in(cache, "/initialInfo")
    initial["mlsId"] = {"label": "MLS#", "value": initial["mlsId"]}
    initial["listingId"] = {"value": initial["listingId"]}
    for row in payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]["events"]:
        for name in ("eventDate", "sourceId", "eventDescription"):
            row[name] = {"value": row.get(name)}

    listing = parse_cache(cache)

    assert (listing.listing_id, listing.mls_id) == ("200300400", "6801242")
    assert listing.listed_on == date(2025, 2, 25)


@pytest.mark.parametrize("stated", [{}, {"photos": None}])
def test_an_active_page_without_a_list_of_photos_is_empty(
    cache: Cache, stated: dict[str, None]
) -> None:
    media = payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]
    del media["photos"]
    media.update(stated)

    listing = parse_cache(cache)

    assert (listing.outcome, listing.photos) == (ListingOutcome.LISTED_EMPTY, ())
    assert not listing.complete  # those known before are not said to be gone


def section_of(cache: Cache) -> dict[str, Any]:
    section = payload_in(cache, "/aboveTheFold")["addressSectionInfo"]
    assert isinstance(section, dict)
    return section


@pytest.mark.parametrize(
    ("label", "status", "outcome"),
    [
        ("Off Market", None, ListingOutcome.OFF_MARKET),
        (None, "Off Market", ListingOutcome.OFF_MARKET),
        ("Off Market", "Closed", ListingOutcome.LISTED),
        ("Sold", None, ListingOutcome.LISTED),
        (None, "Active", ListingOutcome.LISTED),
    ],
)
def test_a_gallery_left_on_the_page_of_a_home_off_market_does_not_list_it(
    cache: Cache, label: str | None, status: str | None, outcome: ListingOutcome
) -> None:
    section_of(cache).update(homeStatusLabel=label, status={"displayValue": status})

    listing = parse_cache(cache)

    assert (listing.outcome, len(listing.photos)) == (outcome, 5)


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


def test_an_active_page_that_says_it_shows_nothing_is_empty(cache: Cache) -> None:
    payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"] = None

    listing = parse_cache(cache)

    assert (listing.outcome, listing.complete) == (ListingOutcome.LISTED_EMPTY, False)


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


@pytest.mark.parametrize(
    "path",
    [
        "v617.0.2/images/logos/Redfin_Logo.png",
        "system_files/images/58443/640x460/5_20.jpg",
        "agent/1234.jpg",
        "photo/9/../../logo.jpg",
        "photo/9/bigphoto/%2e%2e/logo.jpg",
        "photo/9/bigphoto/242/6801242_1_0.mp4",
        "photo/9/bigphoto/242/6801242_1_0.svg",
        "",
    ],
)
def test_what_else_lies_on_the_photo_host_is_no_photo(path: str) -> None:
    assert photo_key(f"{HOST}/{path}") is None


@pytest.mark.parametrize(
    "word",
    ["Withdrawn", "Expired", "Cancelled", "Canceled", "Delisted", "On Hold",
     "Inactive", "Leased", "Temp Off Mkt", "Temporarily Off Market",
     "Listing Removed", "No longer for sale"],
)  # fmt: skip
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_listing_that_was_ended_is_off_market(
    cache: Cache, word: str, *, wrapped: bool
) -> None:
    section_of(cache)["status"] = {"displayValue": word} if wrapped else word

    listing = parse_cache(cache)

    assert (listing.outcome, len(listing.photos)) == (ListingOutcome.OFF_MARKET, 5)
    assert listing.facts is not None
    assert listing.facts.list_price is None


@pytest.mark.parametrize("stated", ["MLS# 6801242", ["6801242"], 6801242, None, "N/A"])
def test_the_number_is_read_in_any_form_or_from_the_title(
    cache: Cache, stated: object
) -> None:
    payload_in(cache, "/initialInfo")["mlsId"] = stated
    title = "<title>1418 E Quail Whistle Ln | MLS# 6801242 | Redfin</title>"

    listing = parse_listing(
        title + page_of(cache), house=Property.at(HOUSE), page_url=URL
    )

    assert (listing.mls_id, listing.listed_on) == ("6801242", date(2025, 2, 25))


def test_photos_below_another_name_are_not_an_empty_gallery(cache: Cache) -> None:
    above = payload_in(cache, "/aboveTheFold")
    photos = above["mediaBrowserInfo"].pop("photos")
    above["mediaBrowserInfo"]["gallery"] = {"items": [p["photoUrls"] for p in photos]}

    with pytest.raises(SourceChangedError, match="another name"):
        parse_cache(cache)


def test_of_two_homes_in_a_page_nothing_of_the_other_is_taken(cache: Cache) -> None:
    other = cache_of(html_of("wrong_house.html"))
    payload_in(other, "/initialInfo")["mlsId"] = "6999999"
    both = {path.replace("/api/", "/api/v1/", 1): other[path] for path in other} | cache

    listing = parse_cache(both)

    assert [photo.photo_key for photo in listing.photos][:1] == ["9-6801242_0"]
    assert listing.mls_id is None


@pytest.mark.parametrize("odd", [253402300799000, 10**17, -1, 1, None, float("nan")])
@pytest.mark.parametrize("word", ["Listed", "LISTED", "Listed (Active)"])
def test_an_odd_event_does_not_hide_the_day_of_the_listing(
    cache: Cache, word: str, odd: object
) -> None:
    own = {"eventDescription": word, "sourceId": "MLS #6801242"}
    events = [own | {"eventDate": at} for at in (odd, 1741500000000.0)]
    events.append(own | {"eventDescription": "Listed for Rent", "eventDate": 10**12})
    payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]["events"] = events

    assert parse_cache(cache).listed_on == date(2025, 3, 8)
