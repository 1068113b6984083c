import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.drift import fields_read
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.phoenix_mls.idx_listing import page_address, parse_listing
from phx_pipeline.sources.phoenix_mls.photos import photo_key
from phx_pipeline.sources.phoenix_mls.standin import listing_key, listing_page
from phx_pipeline.sources.phoenix_mls.standin_photos import uploads
from phx_pipeline_tests.hostile import TEXTS

PAGES = Path(__file__).parents[3] / "pages/phoenix_mls"
OWN = HOUSES[0]
HOUSE = Property.at(Address.parse(OWN.address))
PAGE = listing_page(OWN, others=HOUSES[1:]).decode()
EARLIER = listing_page(OWN, others=HOUSES[1:], earlier=True).decode()
KEYS = [upload.key for upload in uploads(OWN)]
COUNT = len(KEYS)
NUMBER = OWN.record.mls_id
QUAIL = Property.at(Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042"))

ELSEWHERE = "/mls/9-A-St-Mesa-AZ-85204-mls_6111111/"

Change = Callable[[str], str]


def page_of(text: str) -> Fetched:
    return Fetched(url="", status=200, headers={}, body=text.encode(errors="replace"))


def read(text: str, *, house: Property = HOUSE, stated: int | None = None) -> Listing:
    return parse_listing(page_of(text), house=house, stated=stated).listing


def changed(old: str, new: str, *, times: int = -1) -> str:
    assert old in PAGE
    return PAGE.replace(old, new, times)


def without(pattern: str) -> str:
    text, count = re.subn(pattern, "", PAGE)
    assert count
    return text


# --- the gallery


def test_the_gallery_is_the_listings_own_in_order_by_its_originals() -> None:
    listing = read(PAGE)

    assert [photo.photo_key for photo in listing.photos] == KEYS
    assert [photo.position for photo in listing.photos] == list(range(COUNT))
    assert listing.photos[0].url == (
        f"https://cdn.photos.sparkplatform.com/az/{KEYS[0]}-o.jpg"
    )
    assert [url.rpartition("/az/")[2] for url in listing.photos[0].fallback_urls] == [
        f"1280x1024/true/{KEYS[0]}-o.jpg",
        f"1024x768/true/{KEYS[0]}-o.jpg",
        f"640x480/true/{KEYS[0]}-o.jpg",
        f"{KEYS[0]}.jpg",
    ]
    assert (listing.complete, listing.stated_photos) == (True, COUNT)
    assert listing.listing_id == listing_key(OWN.record)
    assert listing.photos[0].caption == "Front of house with driveway"
    # Where a photo has none of its own, the site writes the address.
    assert [it.caption for it in listing.photos] == [it.caption for it in uploads(OWN)]


@pytest.mark.parametrize("stated", [COUNT - 1, COUNT + 1, 0])
def test_only_as_many_photos_as_are_stated_everywhere_are_a_whole_gallery(
    stated: int,
) -> None:
    for text in (
        changed(f"</span> / {COUNT} ", f"</span> / {stated} "),
        changed(f"Photos ({COUNT})", f"Photos ({stated})"),
    ):
        listing = read(text)
        assert (len(listing.photos), listing.complete) == (COUNT, False)
        assert f"{stated}" in listing.detail
    assert not read(PAGE, stated=stated).complete
    assert read(PAGE, stated=COUNT).complete


def test_a_gallery_without_a_count_is_not_known_to_be_whole() -> None:
    text = without(r"<span>1</span> / \d+").replace(f"View Larger Photos ({COUNT})", "")

    listing = read(text)

    assert (len(listing.photos), listing.complete) == (COUNT, False)
    assert "no count stated" in listing.detail


@pytest.mark.parametrize(
    "shown",
    [
        "<div class='similar-photos'><img src='{}'></div>",
        f"<div class='photos'><img src='{{}}'><a href='{ELSEWHERE}'>9 A St</a></div>",
        "<div class='flexmls_connect__ld_agent_info'><img src='{}'></div>",
        "<div class='office-gallery'><img src='{}'></div>",
        "<p><img src='{}'></p>",
    ],
)
def test_what_is_in_no_gallery_of_the_listing_is_not_taken(shown: str) -> None:
    foreign = f"https://cdn.photos.sparkplatform.com/az/{KEYS[0][:20]}999999-o.jpg"
    end = "<div class='flexmls_connect__hidden'>"

    listing = read(changed(end, shown.format(foreign) + end))

    assert [photo.photo_key for photo in listing.photos] == KEYS
    assert listing.complete


UNNAMED = re.sub(r"flexmls_connect__(?:photo\w+|filmstrip)", "x", PAGE)
PEOPLE = "agent member office realtor broker team profile headshot staff lender author"
PLACES = "neighborhood community map nearby school testimonial newsletter host ad"
FOREIGN = f"https://cdn.photos.sparkplatform.com/az/{KEYS[0][:20]}999999-o.jpg"
END = "<div class='flexmls_connect__hidden'>"
STRIP = "<div class='flexmls_connect__filmstrip'>"


@pytest.mark.parametrize("who", [*PEOPLE.split(), *PLACES.split()])
def test_photos_of_people_and_places_are_not_the_houses(who: str) -> None:
    shown = f"<div class='{who}-photo {who}'><img src='{FOREIGN}'>Photos (1)</div>"
    for where in (END, STRIP):
        listing = read(changed(where, f"{shown}{where}", times=1))

        assert [photo.photo_key for photo in listing.photos] == KEYS
        assert listing.complete


@pytest.mark.parametrize("name", ["x-gallery", "slide", "listing-card-photo"])
def test_what_only_another_gallery_shows_is_left_out_and_told(name: str) -> None:
    shown = f"<div class='{name}'><img src='{FOREIGN}'></div>"
    for count in ("", "Photos (14)"):
        listing = read(changed(END, shown + END).replace("Photos (14)", count))

        assert [photo.photo_key for photo in listing.photos] == KEYS
        assert (listing.complete, listing.stated_photos) == (False, COUNT)
        assert "1 left out that are in another gallery" in listing.detail


def test_slides_that_are_each_an_element_are_one_gallery() -> None:
    slides = "".join(
        f"<li class='x'><div class='slide' id='photo-{at}'><img src='{it.url()}'></div>"
        for at, it in enumerate(uploads(OWN))
    )
    twice = f"<div class='main-photo'><img src='{uploads(OWN)[2].url()}'></div>"
    bare = UNNAMED.replace(END, f"{twice}<ul>{slides}</ul>{END}")

    listing = read(bare)

    assert [photo.photo_key for photo in listing.photos] == KEYS
    assert listing.complete


def test_a_gallery_with_more_photos_than_are_stated_is_not_whole() -> None:
    listing = read(changed(STRIP, f"{STRIP}<img src='{FOREIGN}'>"))

    assert (len(listing.photos), listing.complete) == (COUNT + 1, False)
    assert f"{COUNT + 1} photos of {COUNT} stated" in listing.detail


def test_a_page_of_more_tags_than_any_is_a_changed_page() -> None:
    with pytest.raises(SourceChangedError, match="over 200,000 tags"):
        read("<" * 1_000_000)


def test_a_photo_that_is_shown_of_another_listing_too_is_nobodys() -> None:
    other = uploads(HOUSES[1])[0].key

    listing = read(PAGE.replace(other, KEYS[3]))

    assert [photo.photo_key for photo in listing.photos] == [*KEYS[:3], *KEYS[4:]]
    assert not listing.complete
    assert "1 left out that are shown of others" in listing.detail


def test_an_element_with_two_photos_makes_the_gallery_incomplete() -> None:
    fourth, fifth = (f"fullsrc='{uploads(OWN)[at].url()}'" for at in (4, 5))
    text = changed(fourth, fifth)

    assert not read(text).complete


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (UNNAMED, "none is the listing's own"),
        (re.sub(r"\(\d+\)|/ \d+ ", "", UNNAMED), "in no gallery"),
        (PAGE.replace(".sparkplatform.com", ".example.com"), "0 photos of 14 stated"),
    ],
    ids=["unnamed", "uncounted", "elsewhere"],
)
def test_a_gallery_that_cannot_be_bound_is_a_changed_page(
    text: str, missing: str
) -> None:
    with pytest.raises(SourceChangedError, match=missing):
        read(text)


def test_a_listing_without_any_photo_is_empty_and_proves_nothing() -> None:
    start = PAGE.index("<div class='flexmls_connect__photos'>")
    end = PAGE.index("<br /><b>Property Description")

    listing = read(PAGE[:start] + PAGE[end:])

    assert listing.outcome is ListingOutcome.LISTED_EMPTY
    assert not listing.complete
    assert read(PAGE[:start] + PAGE[end:], stated=0).complete


def test_a_page_with_neither_photos_nor_facts_is_a_changed_page() -> None:
    start = PAGE.index("<div class='flexmls_connect__photos'>")

    with pytest.raises(SourceChangedError, match="neither photos nor facts"):
        read(PAGE[:start])


# --- whose page it is


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        ("4871 W Larkstone Road, Glendale, AZ 85306", ListingOutcome.LISTED),
        ("4871 W Larkstone Rd, Phoenix, AZ 85306", ListingOutcome.LISTED),
        ("4871 Larkstone Rd, Glendale, AZ 85306", ListingOutcome.AMBIGUOUS),
        ("4873 W Larkstone Rd, Glendale, AZ 85306", ListingOutcome.WRONG_PROPERTY),
        ("4871 W Larkstone Rd, Glendale, AZ 85307", ListingOutcome.WRONG_PROPERTY),
        ("4871 W Larkstone Rd #2, Glendale, AZ 85306", ListingOutcome.AMBIGUOUS),
    ],
)
def test_a_page_must_be_of_this_very_door(asked: str, outcome: ListingOutcome) -> None:
    listing = read(PAGE, house=Property.at(Address.parse(asked)))

    assert listing.outcome is outcome
    assert bool(listing.photos) is (outcome is ListingOutcome.LISTED)


@pytest.mark.parametrize(
    "old",
    [
        "<title>4871 W LARKSTONE",
        "content='4871 W LARKSTONE",
        "/mls/4871-W-LARKSTONE",
        "</div></div>4871 W LARKSTONE",
    ],
    ids=["title", "og:title", "link", "block"],
)
def test_a_page_that_names_another_house_too_is_of_nobody(old: str) -> None:
    listing = read(changed(old, old.replace("4871", "4873")))

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert "contradicts itself" in listing.detail
    assert not listing.photos


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("<html><body><h1>Sale</h1></body></html>", "no element"),
        ("", "no element"),
        (
            PAGE.replace("- MLS#", "-").replace("flexmls_connect__sr_detail", "z"),
            "no el",
        ),
        (
            PAGE.replace("</main>", "<div class='sr_detail'>x</div></main>"),
            "several el",
        ),
        (PAGE.replace(f"mls_{NUMBER}", "mls_6999999"), "MLS numbers"),
        (re.sub(r"MLS# \w+|-mls_\w+", "", PAGE), "MLS numbers of .* none"),
        (re.sub("4871 W", "Lot of", PAGE), "address"),
    ],
    ids=["other", "empty", "renamed", "two", "numbers", "number", "address"],
)
def test_a_page_that_cannot_be_bound_to_one_listing_is_a_changed_page(
    text: str, missing: str
) -> None:
    with pytest.raises(SourceChangedError, match=missing):
        read(text)


def test_the_classes_may_be_others_where_the_title_tells() -> None:
    listing = read(PAGE.replace("flexmls_connect__sr_detail", "idx-home"))

    assert (listing.outcome, listing.complete) == (ListingOutcome.LISTED, True)


# --- its state


@pytest.mark.parametrize(
    ("status", "outcome", "word"),
    [
        ("Active", ListingOutcome.LISTED, "Active"),
        (
            "UCB (Under Contract-Backups)",
            ListingOutcome.LISTED,
            "Active Under Contract",
        ),
        (
            "CCBS (Contract Contingent on Buyer Sale)",
            ListingOutcome.LISTED,
            "Active Under Contract",
        ),
        ("Pending", ListingOutcome.LISTED, "Pending"),
        ("Coming Soon", ListingOutcome.LISTED, "Coming Soon"),
        ("Closed", ListingOutcome.OFF_MARKET, "Closed"),
        ("Sold", ListingOutcome.OFF_MARKET, "Closed"),
        ("Cancelled", ListingOutcome.OFF_MARKET, "Canceled"),
        ("Expired", ListingOutcome.OFF_MARKET, "Expired"),
        ("Temp Off Market", ListingOutcome.OFF_MARKET, "Hold"),
        ("Inactive", ListingOutcome.OFF_MARKET, "Inactive"),
    ],
)
def test_the_state_tells_whether_the_house_is_offered(
    status: str, outcome: ListingOutcome, word: str
) -> None:
    listing = read(changed("<b>Status:</b> Active", f"<b>Status:</b> {status}"))

    assert listing.outcome is outcome
    assert listing.facts is not None
    assert listing.facts.standard_status == word
    has_price = listing.facts.list_price is not None
    assert has_price is (outcome is ListingOutcome.LISTED)
    assert listing.complete is (outcome is ListingOutcome.LISTED)


def test_the_state_of_an_active_listing_may_be_left_out() -> None:
    listing = read(changed("<b>Status:</b> Active", ""))

    assert listing.outcome is ListingOutcome.LISTED
    assert listing.also_read == {"state": False}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (PAGE.replace("Status:</b> Active", "Status:</b> Quux"), "not known: 'Quux'"),
        (PAGE.replace("Status:</b> Active", "Status:</b>"), "cannot be read"),
        (EARLIER.replace("Status:</b> Closed", "Status:</b> Active"), "two states"),
    ],
)
def test_a_state_that_is_not_told_clearly_is_a_changed_page(
    text: str, missing: str
) -> None:
    with pytest.raises(SourceChangedError, match=missing):
        read(text)


def test_a_sold_house_keeps_its_photos_and_is_not_offered() -> None:
    reading = parse_listing(page_of(EARLIER), house=HOUSE)

    assert reading.listing.outcome is ListingOutcome.OFF_MARKET
    assert not reading.is_current
    assert reading.last_day == OWN.earlier.sold_on
    assert [it.photo_key for it in reading.listing.photos] == [
        upload.key for upload in uploads(OWN, earlier=True)
    ]
    assert not reading.listing.complete


@pytest.mark.parametrize(
    "shown",
    ["This listing is no longer available.", "Listing Not Available"],
)
def test_a_page_in_place_of_a_listing_says_that_it_is_gone(shown: str) -> None:
    listing = read(f"<html><body><main><h1>{shown}</h1></main></body></html>")

    assert listing.outcome is ListingOutcome.OFF_MARKET


# --- the other template


def test_the_later_template_is_read_too() -> None:
    listing = read((PAGES / "listing_v2.html").read_text(), house=QUAIL)

    assert listing.outcome is ListingOutcome.LISTED
    assert [it.photo_key[-9:] for it in listing.photos] == [
        f"00{number}000000" for number in (1, 2, 3)
    ]
    assert all(photo_key(it.url) == it.photo_key for it in listing.photos)
    assert [it.caption for it in listing.photos] == ["Front Exterior", "", "Kitchen"]
    assert not listing.complete  # it states no count
    assert listing.listed_on == date(2025, 3, 8)
    assert listing.listing_id == "6801242"
    assert listing.facts is not None
    assert listing.facts.stated == {
        "list_price": 450_000,
        "bedrooms_total": 4.0,
        "bathrooms_total": 2.5,
        "living_area": 2077,
        "lot_size_square_feet": 7000,
        "pool_private": False,
        "year_built": 1999,
        "standard_status": "Active Under Contract",
        "mls_number": "6801242",
        "stories_total": 2.0,
    }


def test_the_facts_are_those_of_the_house() -> None:
    listing = read(PAGE)

    assert listing.facts is not None
    assert listing.facts.stated == {
        "list_price": OWN.record.price,
        "bedrooms_total": OWN.beds,
        "bathrooms_total": OWN.baths,
        "living_area": OWN.sqft,
        "lot_size_square_feet": OWN.lot_sqft,
        "garage_spaces": OWN.garage,
        "pool_private": True,
        "association_fee": 0.0,
        "sewer": "city",
        "year_built": OWN.year_built,
        "standard_status": "Active",
        "mls_number": NUMBER,
        "roof": "Tile",
        "construction_materials": "Block; Stucco",
        "cooling": "Central Air",
        "heating": "Electric",
        "parcel_number": OWN.apn,
        "property_sub_type": "Single Family Residence",
    }


@pytest.mark.parametrize(
    ("label", "value", "name", "said"),
    [
        ("Approx Lot SqFt", "0.25 Acres", "lot_size_square_feet", 10_890),
        ("Approx SQFT", "2,146 ", "living_area", 2146),
        ("HOA Fee", "$1,200 Annually", "association_fee", 100.0),
        ("Year Built", "********", "year_built", None),
        ("Garage Spaces", "na", "garage_spaces", None),
        ("Private Pool Y/N", "N", "pool_private", True),  # the features tell
    ],
)
def test_a_fact_is_read_however_it_is_written(
    label: str, value: str, name: str, said: object
) -> None:
    text = re.sub(rf"<b>{label}:</b> [^<]*", "", PAGE)
    row = f"<div><b>{label}:</b> {value}</div>"
    start = "<div class='flexmls_connect__ld_detail_table'>"
    listing = read(text.replace(start, row + start, 1))

    assert listing.facts is not None
    assert listing.facts.value(name) == said


# --- saved pages, hostile ones


def test_a_page_that_a_browser_saved_keeps_its_gallery() -> None:
    saved = re.sub(r" src='[^']*/([^/']+)'", r" src='./Page_files/\1'", PAGE)
    page = replace(page_of(saved), url="file:///home/me/page.html")

    listing = parse_listing(page, house=HOUSE).listing
    assert [it.photo_key for it in listing.photos] == KEYS
    assert page_address(page) == HOUSE.address


def test_the_photo_that_a_person_has_chosen_is_not_the_first() -> None:
    fifth = uploads(OWN)[4]
    shown = changed(uploads(OWN)[0].boxed("640x480"), fifth.url(), times=1)
    shown = shown.replace("<span>1</span> /", "<span>5</span> /")

    listing = read(shown)

    assert [photo.photo_key for photo in listing.photos] == KEYS
    assert listing.complete


def test_what_a_carousel_clones_is_not_the_first() -> None:
    text = (PAGES / "listing_v2.html").read_text()
    start = '<div id="listing-slideshow" class="owl-carousel">'
    last = re.findall(r"<img [^>]*003000000-o[^>]*>", text)[0]
    cloned = f'<div class="owl-item cloned">{last}</div>'

    listing = read(text.replace(start, start + cloned), house=QUAIL)

    assert [it.photo_key[-7] for it in listing.photos] == ["1", "2", "3"]


# What a page tells beside its photos, by the label or the name that is changed.
NAMES = sorted(set(re.findall(r"flexmls_connect__\w+|<b>[^<:]+:</b>", PAGE)))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_renamed_is_missed_or_was_not_needed(name: str) -> None:
    other = "<b>Quux:</b>" if name.startswith("<b>") else "quux"
    try:
        listing = read(PAGE.replace(name, other))
    except SourceChangedError:
        return
    assert [photo.photo_key for photo in listing.photos] == KEYS
    if name.startswith("<b>"):
        assert fields_read(listing) != fields_read(read(PAGE)) or name in NOT_NEEDED


# Of a house in whose listing another label says the same, or says nothing of it.
NOT_NEEDED = {"<b>Pool:</b>", "<b>Private Pool Y/N:</b>"}


def test_hostile_texts_leave_the_gallery_whole() -> None:
    parts = re.split(r"(?<=>)([^<>]+)(?=<)", PAGE)
    kept = re.compile(r"4871|Glendale|MLS#|Photos|/ \d|^\s*1\s*$|Active|Status|Close")
    for shift in range(0, len(TEXTS), 13):
        texts = (TEXTS[at % len(TEXTS)] for at in range(shift, 10**6))
        made = [
            part if at % 2 == 0 or kept.search(part) else _escaped(next(texts))
            for at, part in enumerate(parts)
        ]
        assert [it.photo_key for it in read("".join(made)).photos] == KEYS


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 5_000,
        "<!--" * 20_000,
        "<" * 30_000,
        "<a " * 20_000,
        "</div>" * 20_000,
        "&#" * 20_000,
        "<div class='sr_detail'>" * 5_000,
        f"<a href='{ELSEWHERE}'>" * 20_000,
        PAGE[:-400],
        PAGE.replace("</div>", ""),
        PAGE.replace("'", ""),
    ],
    ids=range(11),
)
def test_a_broken_page_is_a_listing_or_a_changed_page(body: str) -> None:
    try:
        listing = read(body)
    except SourceChangedError:
        return
    assert {photo.photo_key for photo in listing.photos} <= set(KEYS)
