import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import imagehash
import pytest
from PIL import Image, ImageOps

from phx_pipeline.demo.houses import HOUSES, Flaw, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.sources.redfin.standin import PAGE_HOST
from phx_pipeline.sources.redfin.standin_photos import PHOTO_HOST, photo_url
from phx_pipeline.sources.redfin.standin_search import AUTOCOMPLETE_PATH
from phx_pipeline_tests.captured import (
    CAPTURED_ADDRESS,
    captured_redfin_sites,
)
from phx_pipeline_tests.expected import expected_verdicts

SITES = redfin_sites()
PHOTO = re.compile(r"https://ssl\.cdn-redfin\.com/photo/[^\s\"'\\]+\.jpg")

each_house = pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.street)
one_house = pytest.mark.parametrize("house", HOUSES[:1])  # all are drawn alike


def get(url: str, *, sites: Mapping[str, Handler] = SITES) -> Answer:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    asked = Asked(host=parts.netloc, method="GET", target=target, headers={}, at=0.0)
    return sites[parts.netloc](asked)


def search(text: str, *, sites: Mapping[str, Handler] = SITES) -> dict[str, Any]:
    url = f"https://{PAGE_HOST}{AUTOCOMPLETE_PATH}?location={quote(text)}&v=2"
    answer = get(url, sites=sites).body.decode()
    assert answer.startswith("{}&&")
    found: dict[str, Any] = json.loads(answer.removeprefix("{}&&"))
    assert found["resultCode"] == 0
    payload: dict[str, Any] = found["payload"]
    return payload


def page(house: House) -> str:
    return get(f"https://{PAGE_HOST}{house.path}").body.decode()


def embedded(text: str) -> dict[str, Any]:
    """Every API answer embedded in a page, by the last part of its path."""
    start = text.index("{", text.index("root.__reactServerState.InitialContext"))
    context, _ = json.JSONDecoder().raw_decode(text, start)
    answers = {}
    for path, entry in context["ReactServerAgent.cache"]["dataCache"].items():
        res = entry.get("res") or {}
        name = "tags" if "photoTags" in path else path.rsplit("/", 1)[1]
        answers[name] = (
            json.loads(res["text"].removeprefix("{}&&"))
            if res.get("text")
            else res.get("body")
        )
    return answers


def photo(house: House, position: int) -> Answer:
    return get(photo_url(house.record, position=position))


def shown_size(answer: Answer) -> tuple[int, int]:
    return ImageOps.exif_transpose(Image.open(BytesIO(answer.body))).size


def position_of(flaw: Flaw) -> tuple[House, int]:
    (found,) = (
        (house, at)
        for house in HOUSES
        for at, shot in enumerate(house.record.shots)
        if shot.flaw is flaw
    )
    return found


@each_house
def test_an_address_is_found_exactly(house: House) -> None:
    payload = search(house.address)

    assert payload["exactMatch"]["url"] == house.path
    assert payload["sections"][0]["name"] == "Addresses"
    assert [row["url"] for row in payload["sections"][0]["rows"]] == [house.path]


@pytest.mark.parametrize(
    "text",
    [
        "4871 WEST LARKSTONE ROAD, GLENDALE, AZ 85306",
        "4871 w larkstone rd glendale az 85306 usa",
        "4871 W Larkstone Rd 85306",
    ],
)
def test_the_search_forgives_how_an_address_is_written(text: str) -> None:
    assert search(text)["exactMatch"]["url"] == HOUSES[0].path


def test_a_unit_is_part_of_the_address() -> None:
    house = next(house for house in HOUSES if house.unit)

    with_word = search(house.address.replace("#", "Unit "))
    without = search(house.address.replace(f" #{house.unit}", ""))

    assert with_word["exactMatch"]["url"] == house.path
    assert "exactMatch" not in without


def test_a_neighbouring_number_brings_a_house_nobody_asked_for() -> None:
    payload = search("4873 W Larkstone Rd, Glendale, AZ 85306")

    assert "exactMatch" not in payload
    assert [row["url"] for row in payload["sections"][0]["rows"]] == [HOUSES[0].path]


def test_an_unknown_street_brings_nothing() -> None:
    assert search("1 Nowhere Way, Phoenix, AZ 85001")["sections"] == []


@each_house
def test_a_page_embeds_the_gallery_in_order(house: House) -> None:
    above = embedded(page(house))["aboveTheFold"]["payload"]

    photos = above["mediaBrowserInfo"]["photos"]

    assert [p["photoUrls"]["fullScreenPhotoUrl"] for p in photos] == [
        photo_url(house.record, position=at) for at in range(len(house.record.shots))
    ]
    keys = [f"{p['dataSourceId']}-{Path(p['fileName']).stem}" for p in photos]
    assert keys == list(expected_verdicts(house))
    assert len({p["photoId"] for p in photos}) == len(photos)


@each_house
def test_a_page_states_the_address_in_parts(house: House) -> None:
    section = embedded(page(house))["aboveTheFold"]["payload"]["addressSectionInfo"]

    street = section["streetAddress"]
    assert (street["streetNumber"], street["unitValue"]) == (house.number, house.unit)
    stated = f"{street['assembledAddress']}, {section['city']}, {section['state']}"
    assert f"{stated} {section['zip']}" == house.address
    assert section["url"] == house.path
    assert section["status"]["displayValue"] == "Active"


@each_house
def test_all_answers_in_a_page_name_the_same_listing(house: House) -> None:
    answers = embedded(page(house))

    first = answers["initialInfo"]["payload"]

    assert first["propertyId"] == house.home_id
    assert first["listingId"] == answers["tags"]["payload"]["listingId"]
    assert first["mlsId"] == house.record.mls_id
    assert first["riftPageType"] == "ldp"


@one_house
def test_tags_belong_to_photos_and_some_photos_have_none(house: House) -> None:
    answers = embedded(page(house))
    photos = answers["aboveTheFold"]["payload"]["mediaBrowserInfo"]["photos"]
    entries = answers["tags"]["payload"]["tagsByPhotoId"]

    stated = [entries.get(str(p["photoId"]), {}) for p in photos]

    assert [tuple(entry.get("tags", ())) for entry in stated] == [
        shot.tags for shot in house.record.shots
    ]
    assert [entry.get("shortCaption", "") for entry in stated] == [
        shot.caption for shot in house.record.shots
    ]


@one_house
def test_history_holds_this_listing_and_an_earlier_sale(house: House) -> None:
    history = embedded(page(house))["belowTheFold"]["payload"]["propertyHistoryInfo"]

    listed = {
        event["sourceId"]: datetime.fromtimestamp(event["eventDate"] / 1000, UTC)
        for event in history["events"]
        if event["eventDescription"] == "Listed"
    }

    arizona = ZoneInfo("America/Phoenix")
    local = listed[house.record.mls_id].astimezone(arizona)
    assert local.date() == house.record.listed_on
    assert house.earlier.mls_id in listed
    assert "Sold (MLS)" in [event["eventDescription"] for event in history["events"]]


@one_house
def test_history_holds_photos_of_the_earlier_record_only(house: House) -> None:
    history = embedded(page(house))["belowTheFold"]["payload"]["propertyHistoryInfo"]

    (source, media), *rest = history["mediaBrowserInfoBySourceId"].items()

    assert rest == []
    assert source == house.earlier.mls_id
    assert len(media["photos"]) == len(house.earlier.shots)


@one_house
def test_a_home_for_sale_carries_the_date_of_its_last_sale(house: House) -> None:
    section = embedded(page(house))["aboveTheFold"]["payload"]["addressSectionInfo"]

    sold = datetime.fromtimestamp(section["soldDate"] / 1000, UTC).date()

    assert sold == house.earlier.sold_on


@one_house
@pytest.mark.parametrize("name", ["listings", "newest-listings-nearby"])
def test_cards_show_all_the_other_houses(house: House, name: str) -> None:
    homes = embedded(page(house))[name]["payload"]["homes"]

    urls = {home["url"] for home in homes}

    assert urls == {other.path for other in HOUSES if other is not house}


@each_house
def test_the_markup_shows_photos_that_are_not_of_this_listing(house: House) -> None:
    shown = set(PHOTO.findall(page(house).split("InitialContext")[0]))

    own = {url for url in shown if f".{house.record.mls_id}_" in url}
    own |= {url for url in shown if f"/{house.record.mls_id}_" in url}
    foreign = {
        url
        for other in HOUSES
        if other is not house
        for url in shown
        if f".{other.record.mls_id}_" in url
    }

    assert own
    assert len(foreign) == len(HOUSES) - 1
    assert any(f".{house.earlier.mls_id}_" in url for url in shown)
    assert all(get(url).status == 200 for url in foreign)


def test_a_good_page_carries_the_challenge_sdk() -> None:
    assert page(HOUSES[0]).count("awswaf") == 2


@one_house
def test_nothing_in_the_data_can_end_the_script(house: House) -> None:
    text = page(house).split("InitialContext = ")[1]

    script = text[: text.index("root.__reactServerState.Config")]

    assert "</" not in script
    assert "/" not in script


def test_a_bare_number_moves_to_the_full_path() -> None:
    answer = get(f"https://{PAGE_HOST}/home/{HOUSES[1].home_id}")

    assert (answer.status, answer.headers["location"]) == (301, HOUSES[1].path)


@pytest.mark.parametrize(
    "url",
    [
        f"https://{PAGE_HOST}/AZ/Phoenix/1-Nowhere-Way-85001/home/1",
        f"https://{PHOTO_HOST}/photo/57/bigphoto/407/6981407_99_0.jpg",
        f"https://{PHOTO_HOST}/photo/57/islphoto/407/genIslnoResize.6981407_0.jpg",
    ],
)
def test_what_does_not_exist_is_not_found(url: str) -> None:
    assert get(url).status == 404


@each_house
def test_a_photo_is_served_in_the_size_the_page_states(house: House) -> None:
    above = embedded(page(house))["aboveTheFold"]["payload"]
    photos = above["mediaBrowserInfo"]["photos"]
    sound = {
        (shot.size, shot.orientation, shot.copied): at
        for at, shot in enumerate(house.record.shots)
        if shot.flaw in {Flaw.NONE, Flaw.TINY}
    }  # one of each sort

    answers = {at: get(photo_url(house.record, position=at)) for at in sound.values()}

    types = {answer.headers["content-type"] for answer in answers.values()}
    assert types == {"image/jpeg"}
    assert {at: shown_size(answer) for at, answer in answers.items()} == {
        at: (photos[at]["width"], photos[at]["height"]) for at in answers
    }


def test_smaller_variants_are_smaller_cuts_of_the_same_photo() -> None:
    above = embedded(page(HOUSES[0]))["aboveTheFold"]["payload"]
    first = above["mediaBrowserInfo"]["photos"][0]
    urls = [*first["photoUrls"].values(), first["thumbnailData"]["thumbnailUrl"]]

    pictures = [Image.open(BytesIO(get(url).body)) for url in urls]

    widths = sorted(picture.width for picture in pictures)
    assert widths == [120, 546, 665, 1080, 1280]
    hashed = [imagehash.phash(picture) for picture in pictures]
    assert all(one - other <= 12 for one, other in combinations(hashed, 2))


def test_a_truncated_photo_cannot_be_decoded() -> None:
    answer = photo(*position_of(Flaw.TRUNCATED))

    picture = Image.open(BytesIO(answer.body))

    assert answer.status == 200
    with pytest.raises(OSError, match="truncated"):
        picture.load()


def test_a_web_page_can_come_with_the_type_of_a_photo() -> None:
    answer = photo(*position_of(Flaw.HTML))

    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_a_tiny_photo_is_never_blown_up() -> None:
    house, at = position_of(Flaw.TINY)
    above = embedded(page(house))["aboveTheFold"]["payload"]
    urls = above["mediaBrowserInfo"]["photos"][at]["photoUrls"]

    sizes = {Image.open(BytesIO(get(url).body)).size for url in urls.values()}

    assert sizes == {(150, 100)}


def test_a_photo_that_is_gone_is_gone_in_every_size() -> None:
    house, at = position_of(Flaw.GONE)
    above = embedded(page(house))["aboveTheFold"]["payload"]
    entry = above["mediaBrowserInfo"]["photos"][at]
    urls = [*entry["photoUrls"].values(), entry["thumbnailData"]["thumbnailUrl"]]

    assert {get(url).status for url in urls} == {404}


def test_a_blocked_host_refuses_everything_and_the_other_does_not() -> None:
    sites = redfin_sites(blocked=frozenset({PAGE_HOST}))

    refused = get(f"https://{PAGE_HOST}{HOUSES[0].path}", sites=sites)
    served = get(photo_url(HOUSES[0].record, position=0), sites=sites)

    assert refused.status == 403
    assert b"Are You a Robot?" in refused.body
    assert b"InitialContext" not in refused.body
    assert served.status == 200


def test_only_the_given_houses_are_on_the_market() -> None:
    sites = redfin_sites(HOUSES[:2])

    gone = get(f"https://{PAGE_HOST}{HOUSES[2].path}", sites=sites)
    text = get(f"https://{PAGE_HOST}{HOUSES[0].path}", sites=sites).body.decode()

    assert gone.status == 404
    homes = embedded(text)["listings"]["payload"]["homes"]
    assert [home["url"] for home in homes] == [HOUSES[1].path]


def test_a_page_has_the_shape_of_a_captured_one(shared_dir: Path) -> None:
    sites = captured_redfin_sites(shared_dir)
    path = search(CAPTURED_ADDRESS, sites=sites)["exactMatch"]["url"]
    real = embedded(get(f"https://{PAGE_HOST}{path}", sites=sites).body.decode())
    ours = embedded(page(HOUSES[0]))

    def fields(answers: Mapping[str, Any]) -> dict[str, set[str]]:
        above = answers["aboveTheFold"]["payload"]
        history = answers["belowTheFold"]["payload"]["propertyHistoryInfo"]
        tags = next(iter(answers["tags"]["payload"]["tagsByPhotoId"].values()))
        return {
            "photo": set(above["mediaBrowserInfo"]["photos"][0]),
            "urls": set(above["mediaBrowserInfo"]["photos"][0]["photoUrls"]),
            "street": set(above["addressSectionInfo"]["streetAddress"]),
            "tags": set(tags),
            "media": set(next(iter(history["mediaBrowserInfoBySourceId"].values()))),
        }

    assert fields(ours)["photo"] == fields(real)["photo"]
    assert fields(ours)["urls"] == fields(real)["urls"]
    assert fields(ours)["street"] == fields(real)["street"]
    assert fields(ours)["tags"] == fields(real)["tags"]
    assert set(ours) <= set(real) | {"nav_header?pageType=ldp"}
    assert fields(ours)["media"] >= fields(real)["media"] - {"scans"}
