"""Stand-ins around a real captured property object of Zillow and real photos.

Both lie outside the repository; callers get the folder from the fixture `shared_dir`,
which skips where it is absent.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.sources.zillow.standin import PAGE_HOST
from phx_pipeline.sources.zillow.standin_photos import PHOTO_HOST
from phx_pipeline_tests.captured import captured_photos, photo_host

CAPTURED_ADDRESS = "661 Lakeview Ave, San Francisco, CA 94112"

_HOME = "zillow/property_2023-05_sf_zpid15192198.json"
_ZPID = 15192198
_PATHS = re.compile(
    r"/homes/661-Lakeview-Ave-San-Francisco-CA-94112_rb/"
    rf"|/homedetails/(?:[^/]+/)?{_ZPID}_zpid/"
)


def captured_zillow_sites(shared: Path) -> dict[str, Handler]:
    """Return the handlers of the page host and of the photo CDN.

    The property object is served whole, in the page that held such objects in 2023;
    under the largest URL of each of its photos lies one real photo, no two the same.
    Everything else on the CDN does not exist.
    """
    page = captured_zillow_page(shared)
    return {
        PAGE_HOST: _pages(page),
        PHOTO_HOST: photo_host(captured_zillow_photos(shared)),
    }


def captured_zillow_page(shared: Path) -> bytes:
    """Return the detail page around the captured property object."""
    home = json.loads((shared / "samples" / _HOME).read_text(encoding="utf-8"))
    return zillow_page_around(home, title=CAPTURED_ADDRESS)


def zillow_page_around(home: Mapping[str, Any], *, title: str) -> bytes:
    """Return the page that held such a property object in 2023."""
    zpid = home["zpid"]
    query = f'ForSaleShopperPlatformFullRenderQuery{{"zpid":{zpid}}}'
    cache = json.dumps({query: {"property": home}})
    page_props = {"gdpClientCache": cache, "zpid": zpid}
    data = json.dumps({"props": {"pageProps": page_props}}, indent=1)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{title} | Zillow</title>"
        "<script>window._pxAppId = 'PXHYx10rg3';</script></head><body>"
        '<script id="__NEXT_DATA__" type="application/json">\n '
        f"{data.replace('<', chr(92) + 'u003c')}\n</script></body></html>"
    ).encode()


def captured_zillow_photos(shared: Path) -> dict[str, Path]:
    """Return the real photo served under each gallery URL, in gallery order."""
    photos = list(captured_photos(shared).values())
    urls = _truth(shared)["largest_urls"]
    return dict(zip(urls, photos[: len(urls)], strict=True))


def expected_zillow_keys(shared: Path) -> list[str]:
    """Return the photo keys of the gallery in order."""
    keys: list[str] = _truth(shared)["photo_keys"]
    return keys


def _truth(shared: Path) -> dict[str, Any]:
    text = (shared / "samples/truth.json").read_text(encoding="utf-8")
    truth: dict[str, Any] = json.loads(text)[_HOME]
    return truth


def _pages(page: bytes) -> Handler:
    def answer(asked: Asked) -> Answer:
        if _PATHS.fullmatch(urlsplit(asked.target).path):
            return Answer(body=page, headers={"content-type": "text/html"})
        return Answer(status=HTTPStatus.NOT_FOUND)

    return answer
