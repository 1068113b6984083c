"""Zillow's hosts, and the address that the URL of a page names; nothing is asked."""

import re
from urllib.parse import unquote_plus

from phx_pipeline.model.places import line_of_slug, with_commas

HOSTS = ("zillow.com", "www.zillow.com", "m.zillow.com")
SHORT_HOSTS = ("zillow.app.link", "zillow.onelink.me")
PHOTO_HOSTS = ("photos.zillowstatic.com",)

_ANY_CASE = re.ASCII | re.IGNORECASE
_NAMED = (
    re.compile(r"/homedetails/(?P<line>[^/]+)/\d+_zpid(?:/.*)?", _ANY_CASE),
    re.compile(r"/homes/(?:[a-z_]+/)?(?P<line>[^/]+)_rb(?:/.*)?", _ANY_CASE),
)
_ENDS_WITH_ZIP = re.compile(r"(?<!\d)\d{5}(?:-\d{4})?$", re.ASCII)


def address_in(path: str) -> str | None:
    """Return the address that the path of a detail or search page names; else None."""
    readings = (pattern.fullmatch(unquote_plus(path)) for pattern in _NAMED)
    for found in filter(None, readings):
        line = line_of_slug(found["line"])
        if _ENDS_WITH_ZIP.search(line):
            return with_commas(line)
    return None
