"""The captured property object of Zillow as that of a house in Phoenix, on any day."""

import json
import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from phx_pipeline_tests.captured_zillow import zillow_page_around
from phx_pipeline_tests.fortnight.table import OFF, SOLD, Home, Shown

CAPTURED: Final = "zillow/property_2023-05_sf_zpid15192198.json"
_LISTS = ("photos", "responsivePhotos", "responsivePhotosOriginalRatio")
_KEY = re.compile(r"/fp/[0-9a-f]{32}-")
STATES = {"Active": "FOR_SALE", "Pending": "PENDING", SOLD: "SOLD", OFF: "OTHER"}

Json = dict[str, Any]


def zpid_of(home: Home) -> int:
    """The site's own number of a house."""
    return home.site_id - 20_000_000


def key_of(home: Home, shown: Shown, name: str) -> str:
    """The key of a photo; of another listing, or another picture, it is another."""
    return sha256(f"{home.name} {shown.number} {name}".encode()).hexdigest()[:32]


def listing_page(shared: Path, home: Home, shown: Shown) -> bytes:
    """The page of a house as it is *shown*."""
    told = json.loads(_of_house(shared, home))
    told |= {
        "homeStatus": STATES[shown.status],
        "keystoneHomeStatus": shown.status.replace(" ", ""),
        "price": shown.price,
        "bedrooms": shown.beds,
        "photoCount": len(shown.photos),
    }
    told["attributionInfo"]["mlsId"] = str(shown.number)
    told["mlsid"] = str(shown.number)
    for name in _LISTS:
        entries = told[name]
        told[name] = [
            _photo(entries[at], key_of(home, shown, photo))
            for at, photo in enumerate(shown.photos)
        ]
    return zillow_page_around(told, title=home.address)


def _photo(entry: Json, key: str) -> Json:
    changed: Json = json.loads(_KEY.sub(f"/fp/{key}-", json.dumps(entry)))
    return changed


@cache
def _of_house(shared: Path, home: Home) -> str:
    """The captured object, moved to Arizona."""
    text = (shared / "samples" / CAPTURED).read_text(encoding="utf-8")
    for old, new in (
        ("661 Lakeview Ave", home.line),
        ("661-Lakeview-Ave", home.line.replace(" ", "-")),
        ("San Francisco", home.city),
        ("San-Francisco-CA", f"{home.city}-AZ"),
        ("94112", home.zip_code),
        ('"CA"', '"AZ"'),
        (", CA", ", AZ"),
        ("ML81929841", str(home.number)),
        ("15192198", str(zpid_of(home))),
    ):
        text = text.replace(old, new)
    return text
