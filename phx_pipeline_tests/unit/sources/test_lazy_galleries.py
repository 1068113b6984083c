"""A page that asks for the rest of its gallery by itself, as a browser sees it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.fetch.base import Captured, Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.answers import text_of
from phx_pipeline.sources.redfin.parse import parse_listing
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.gallery import PHOTO_LISTS
from phx_pipeline.sources.zillow.payload import read_page

PAGES = Path(__file__).parents[2] / "pages"
HOUSE = Property.at(Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042"))
WHOLE, SHOWN_AT_ONCE = 5, 2
GRAPHQL = "https://www.zillow.com/graphql/?operationName=HomePhotos"
ABOVE = "https://www.redfin.com/stingray/api/home/details/aboveTheFold?listingId=7"

_NEXT = re.compile(r'(?<=type="application/json">)\{.*?(?=</script>)', re.DOTALL)
_CONTEXT = "root.__reactServerState.InitialContext = "


def captured(url: str, body: str, *, status: int = 200) -> Captured:
    return Captured(url=url, status=status, headers={}, body=body.encode())


# --- Zillow


def zillow_page(change: Callable[[Any], None]) -> tuple[str, Any]:
    """The listing page with *change* made to its home, and the home as it was."""
    text = (PAGES / "zillow/listed_2026.html").read_text()
    found = _NEXT.search(text)
    assert found
    data = json.loads(found[0])
    holder = data["props"]["pageProps"]["componentProps"]
    cache = json.loads(holder["gdpClientCache"])
    (name,) = (name for name in cache if name.startswith("ForSale"))
    before = json.loads(json.dumps(cache[name]["property"]))
    change(cache[name]["property"])
    holder["gdpClientCache"] = json.dumps(cache)
    return text[: found.start()] + json.dumps(data) + text[found.end() :], before


def cut(home: Any) -> None:
    for name in PHOTO_LISTS:
        if name in home:
            home[name] = home[name][:SHOWN_AT_ONCE]


def read_zillow(text: str, *answers: Captured) -> Any:
    page = Fetched(
        url="https://www.zillow.com/homedetails/90100418_zpid/",
        status=200,
        headers={},
        body=text.encode(),
        captured=answers,
    )
    return parse_detail(read_page(page), house=HOUSE, zpid="90100418")


def lazily(home: Any, **changed: object) -> str:
    kept = {name: home[name] for name in (*PHOTO_LISTS, "zpid") if name in home}
    return json.dumps({"data": {"property": kept | changed}})


def test_zillow_a_gallery_that_stays_short_of_its_count_is_not_complete() -> None:
    text, _ = zillow_page(cut)

    listing = read_zillow(text)

    assert (len(listing.photos), listing.complete) == (SHOWN_AT_ONCE, False)
    assert "2 photos of 5 stated" in listing.detail


def test_zillow_a_gallery_that_the_page_completes_is_complete() -> None:
    text, home = zillow_page(cut)
    whole = read_zillow((PAGES / "zillow/listed_2026.html").read_text())

    listing = read_zillow(text, captured(GRAPHQL, lazily(home)))

    assert (len(listing.photos), listing.complete) == (WHOLE, True)
    assert [photo.photo_key for photo in listing.photos] == [
        photo.photo_key for photo in whole.photos
    ]


def test_zillow_a_page_without_any_photo_is_filled_too() -> None:
    def emptied(home: Any) -> None:
        for name in PHOTO_LISTS:
            home.pop(name, None)

    text, home = zillow_page(emptied)

    listing = read_zillow(text, captured(GRAPHQL, lazily(home)))

    assert (len(listing.photos), listing.complete) == (WHOLE, True)


@pytest.mark.parametrize(
    "body",
    [
        '{"appId":"PXHYx10rg3","blockScript":"/c.js"}',
        "<html>no</html>",
        '{"data":null}',
        '{"data":{"property":[]}}',
        '{"data":{"property":{"zpid":1,"originalPhotos":[]}}}',
    ],
)
def test_zillow_what_is_no_answer_about_the_home_changes_nothing(body: str) -> None:
    text, _ = zillow_page(cut)

    listing = read_zillow(text, captured(GRAPHQL, body))

    assert (len(listing.photos), listing.complete) == (SHOWN_AT_ONCE, False)


@pytest.mark.parametrize("status", [403, 429, 500])
def test_zillow_an_answer_by_which_the_page_was_refused_changes_nothing(
    status: int,
) -> None:
    text, home = zillow_page(cut)

    listing = read_zillow(text, captured(GRAPHQL, lazily(home), status=status))

    assert (len(listing.photos), listing.complete) == (SHOWN_AT_ONCE, False)


def test_zillow_photos_of_another_home_are_not_taken() -> None:
    text, home = zillow_page(cut)

    listing = read_zillow(text, captured(GRAPHQL, lazily(home, zpid=90100999)))

    assert len(listing.photos) == SHOWN_AT_ONCE


def test_zillow_an_answer_that_names_another_house_is_a_contradiction() -> None:
    text, home = zillow_page(cut)
    other = lazily(home, streetAddress="1420 E Quail Whistle Ln")

    listing = read_zillow(text, captured(GRAPHQL, other))

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY


# --- Redfin


def redfin_page() -> tuple[str, Any]:
    """The listing page with two photos of its gallery, and the gallery's answer."""
    text = (PAGES / "redfin/listed.html").read_text()
    start = text.index(_CONTEXT) + len(_CONTEXT)
    context, end = json.JSONDecoder().raw_decode(text, start)
    entries = context["ReactServerAgent.cache"]["dataCache"]
    (entry,) = (it for path, it in entries.items() if path.endswith("aboveTheFold"))
    whole = json.loads(entry["res"]["text"].removeprefix("{}&&"))
    short = json.loads(json.dumps(whole))
    media = short["payload"]["mediaBrowserInfo"]
    media["photos"] = media["photos"][:SHOWN_AT_ONCE]
    entry["res"]["text"] = "{}&&" + json.dumps(short)
    return text[:start] + json.dumps(context) + text[end:], whole


def read_redfin(text: str, *answers: Captured) -> Any:
    url = "https://www.redfin.com/home/90100418"
    page = Fetched(
        url=url, status=200, headers={}, body=text.encode(), captured=answers
    )
    return parse_listing(
        text_of(page), house=HOUSE, page_url=url, captured=page.captured
    )


def test_redfin_the_fuller_gallery_of_the_house_is_taken() -> None:
    text, whole = redfin_page()

    short = read_redfin(text)
    listing = read_redfin(text, captured(ABOVE, "{}&&" + json.dumps(whole)))

    assert len(short.photos) == SHOWN_AT_ONCE
    assert (len(listing.photos), listing.complete) == (WHOLE, True)
    assert listing.listed_on == short.listed_on is not None
    assert listing.mls_id == short.mls_id


def test_redfin_the_gallery_of_another_house_is_not_taken() -> None:
    text, whole = redfin_page()
    section = whole["payload"]["addressSectionInfo"]
    section["streetAddress"]["assembledAddress"] = "1420 E Quail Whistle Ln"

    listing = read_redfin(text, captured(ABOVE, "{}&&" + json.dumps(whole)))

    assert len(listing.photos) == SHOWN_AT_ONCE


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{}&&{"resultCode":1,"errorMessage":"no"}', 200),
        ("<html>Are You a Robot?</html>", 200),
        ("WHOLE", 403),
    ],
)
def test_redfin_a_refused_part_changes_nothing(body: str, status: int) -> None:
    text, whole = redfin_page()
    told = body.replace("WHOLE", "{}&&" + json.dumps(whole))

    listing = read_redfin(text, captured(ABOVE, told, status=status))

    assert len(listing.photos) == SHOWN_AT_ONCE
