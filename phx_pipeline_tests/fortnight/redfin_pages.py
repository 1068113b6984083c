"""The captured page of Redfin as the page of a house in Phoenix, on any day.

The whole page is kept but for what the house and the day change: its address, numbers,
state, price and gallery.
"""

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

from phx_pipeline_tests.fortnight.table import OFF, SOLD, Home, Shown

CAPTURED: Final = "redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"
CONTEXT = re.compile(r"root\.__reactServerState\.InitialContext\s*=\s*(?=\{)")
_GUARD = "{}&&"
_NUMBER, _HOME_ID = "7652074", "137774138"
_ACTIVE, _UNDER_CONTRACT, _SOLD = 1, 2, 4

Json = dict[str, Any]


def path_of(home: Home) -> str:
    """Where the site has a house's page."""
    line, city = (it.replace(" ", "-") for it in (home.line, home.city))
    return f"/AZ/{city}/{line}-{home.zip_code}/home/{home.site_id}"


def photo_urls(shown: Shown, name: str) -> Mapping[str, str]:
    """The URLs of a photo by what the page calls its sizes.

    One swapped is the same file in the folder of another day.
    """
    tail = f"{shown.number}{_suffix(name)}.jpg"
    folder = "075" if name in shown.swapped else "074"
    host = "https://ssl.cdn-redfin.com/photo/82"
    return {
        "nonFullScreenPhotoUrlCompressed": f"{host}/mbphotov3/{folder}/genMid.{tail}",
        "nonFullScreenPhotoUrl": f"{host}/mbpaddedwide/{folder}/genMid.{tail}",
        "fullScreenPhotoUrl": f"{host}/bigphoto/{folder}/{tail}",
        "lightboxListUrl": f"{host}/bcsphoto/{folder}/genBcs.{tail}",
    }


def _suffix(name: str) -> str:
    """Real files end in `_5_I`, and in another letter once they were replaced."""
    return f"_{name.rstrip('b')}_{'B' if name.endswith('b') else 'I'}"


def listing_page(shared: Path, home: Home, shown: Shown) -> bytes:
    """The page of a house as it is *shown*."""
    text = _of_house(shared, home)
    start = CONTEXT.search(text)
    assert start is not None
    context, end = json.JSONDecoder().raw_decode(text, start.end())
    entries = context["ReactServerAgent.cache"]["dataCache"]
    change(entries, "/aboveTheFold", lambda it: _above(it, home, shown))
    change(entries, "/initialInfo", lambda it: _initial(it, shown))
    told = f'aria-label="{len(shown.photos)} photos"'
    page = f"{text[: start.end()]}{script(context)}{text[end:]}"
    return re.sub(r'aria-label="\d+ photos?"', told, page).encode()


def script(context: Json) -> str:
    """JSON as the site puts it into a script: nothing in it can end the tag."""
    text = json.dumps(context, separators=(",", ":"))
    for character, escaped in (("/", "2F"), ("<", "3C"), (">", "3E")):
        text = text.replace(character, f"\\u00{escaped}")
    return text


def change(entries: Json, end: str, rewrite: Callable[[Json], None]) -> None:
    """Rewrite the payload of each embedded answer whose path ends with *end*."""
    for path, entry in entries.items():
        if path.partition("?")[0].endswith(end):
            answer = json.loads(entry["res"]["text"].removeprefix(_GUARD))
            rewrite(answer["payload"])
            entry["res"]["text"] = _GUARD + json.dumps(answer)


def _above(told: Json, home: Home, shown: Shown) -> None:
    section, media = told["addressSectionInfo"], told["mediaBrowserInfo"]
    number = home.line.partition(" ")[0]
    section["streetAddress"] |= {
        "streetNumber": number,
        "directionalPrefix": home.direction,
        "streetName": home.street,
        "streetType": home.street_type,
    }
    states = {"Active": _ACTIVE, "Pending": _UNDER_CONTRACT}
    is_over = shown.status in {OFF, SOLD}
    words = {SOLD: "Sold", OFF: "Off Market"}.get(shown.status, shown.status)
    section["status"] = {"displayValue": words}
    section["searchStatus"] = states.get(shown.status, _SOLD if is_over else 0)
    if shown.status == OFF:
        section["searchStatus"] = None
    asked: Json = {"amount": shown.price, "displayLevel": 1}
    asked["label"] = "Last Sold Price" if is_over else "Listed at Price"
    section |= {"priceInfo": asked, "latestPriceInfo": asked, "beds": shown.beds}
    entries = media["photos"]
    media["photos"] = [
        _photo(entries[at], shown, name) for at, name in enumerate(shown.photos)
    ]


def _photo(entry: Json, shown: Shown, name: str) -> Json:
    changed = deepcopy(entry)
    changed["photoUrls"] = dict(photo_urls(shown, name))
    changed["fileName"] = f"{shown.number}{_suffix(name)}.jpg"
    return changed


def _initial(told: Json, shown: Shown) -> None:
    told["mlsId"] = str(shown.number)
    if shown.status == OFF:
        told["riftPageType"] = "pdp"


@cache
def _of_house(shared: Path, home: Home) -> str:
    """The captured page, moved to Arizona."""
    text = (shared / "samples" / CAPTURED).read_text(encoding="utf-8")
    dashed = home.line.replace(" ", "-")
    for old, new in (
        ("94 King Arthur Ct", home.line),
        ("94-King-Arthur-Ct", dashed),
        ("King Arthur", home.street),
        ("Dahlonega", home.city),
        ("30533", home.zip_code),
        (", GA", ", AZ"),
        ("/GA/", "/AZ/"),
        (r"\u002FGA\u002F", r"\u002FAZ\u002F"),
        ('"GA"', '"AZ"'),
        (r"\"GA\"", r"\"AZ\""),
        (_NUMBER, str(home.number)),
        (_HOME_ID, str(home.site_id)),
    ):
        text = text.replace(old, new)
    return text
