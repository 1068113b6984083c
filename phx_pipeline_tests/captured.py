"""Stand-ins around a real captured listing page and real photos.

Both lie outside the repository; callers get the folder from the fixture `shared_dir`,
which skips where it is absent.
"""

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import suggest
from phx_pipeline.sources.redfin.standin import PAGE_HOST
from phx_pipeline.sources.redfin.standin_photos import PHOTO_HOST
from phx_pipeline.sources.redfin.standin_search import AUTOCOMPLETE_PATH, Place

CAPTURED_ADDRESS = "94 King Arthur Ct, Dahlonega, GA 30533"

_PAGE = "redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"
_PLACE = Place(
    line="94 King Arthur Ct",
    city="Dahlonega",
    state="GA",
    zip_code="30533",
    home_id=137774138,
    path="/GA/Dahlonega/94-King-Arthur-Ct-30533/home/137774138",
)
# The data set holds these pictures twice, under two names.
_REPEATED = frozenset(
    {
        "9_bathroom.jpg",
        "9_bedroom.jpg",
        "12_bathroom.jpg",
        "12_bedroom.jpg",
        "12_frontal.jpg",
        "21_bathroom.jpg",
        "21_bedroom.jpg",
        "32_frontal.jpg",
        "292_frontal.jpg",
        "293_frontal.jpg",
        "354_bathroom.jpg",
        "354_bedroom.jpg",
        "466_bathroom.jpg",
        "466_kitchen.jpg",
    }
)


def captured_redfin_sites(shared: Path) -> dict[str, Handler]:
    """Return the handlers of the page host and of the photo CDN.

    The page is served byte for byte; under the largest URL of each of its photos lies
    one real photo, no two the same. Everything else on the CDN does not exist.
    """
    page = (shared / "samples" / _PAGE).read_bytes()
    return {PAGE_HOST: _pages(page), PHOTO_HOST: photo_host(captured_photos(shared))}


def captured_photos(shared: Path) -> dict[str, Path]:
    """Return the real photo served under each gallery URL, in gallery order.

    Raises:
        ValueError: there are fewer distinct photos than the gallery needs.
    """
    urls = _truth(shared)["largest_urls"]
    chosen = dict(zip(urls, distinct_photos(shared), strict=False))
    if len(chosen) < len(urls):
        raise ValueError(f"only {len(chosen)} real photos for {len(urls)} URLs")
    return chosen


def expected_photo_keys(shared: Path) -> list[str]:
    """Return the keys of the gallery in order, such as `82-7652074_5_I`."""
    truth = _truth(shared)
    stems = [Path(urlsplit(url).path).stem for url in truth["largest_urls"]]
    return [f"{truth['data_source_id']}-{stem}" for stem in stems]


def _truth(shared: Path) -> dict[str, Any]:
    text = (shared / "samples/truth.json").read_text(encoding="utf-8")
    truth: dict[str, Any] = json.loads(text)[_PAGE]
    return truth


@cache
def distinct_photos(shared: Path) -> tuple[Path, ...]:
    """Return the real photos, no two of which are the same picture."""
    found = sorted((shared / "photos/full").glob("*.jpg"))
    return tuple(path for path in found if path.name not in _REPEATED)


def _pages(page: bytes) -> Handler:
    def answer(asked: Asked) -> Answer:
        parts = urlsplit(asked.target)
        if parts.path == AUTOCOMPLETE_PATH:
            asked_for = parse_qs(parts.query).get("location", [""])
            return suggest(asked_for[0], places=[_PLACE])
        if parts.path == _PLACE.path:
            return Answer(body=page, headers={"content-type": "text/html"})
        return Answer(status=HTTPStatus.NOT_FOUND)

    return answer


def photo_host(photos: Mapping[str, Path]) -> Handler:
    """A host that answers these URLs, and no other, with these files."""

    def answer(asked: Asked) -> Answer:
        path = photos.get(f"https://{asked.host}{asked.target}")
        if path is None:
            return Answer(status=HTTPStatus.NOT_FOUND)
        return Answer(body=path.read_bytes(), headers={"content-type": "image/jpeg"})

    return answer
