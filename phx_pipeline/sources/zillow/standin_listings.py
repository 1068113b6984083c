"""The searches by place of the stand-in for Zillow: what is asked, and its pages.

Behind the houses found come others, in a second list, as real pages have them.
"""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from phx_pipeline.model.search import Criteria
from phx_pipeline.sources.standins import House, matching
from phx_pipeline.sources.zillow.standin import search_page

_PLACE = re.compile(
    r"/(?:homes/(?P<zip>\d{5})_rb|(?P<city>[a-z-]+)-az)/(?:(?P<page>\d{1,2})_p/)?",
    re.ASCII,
)


def asked_for(target: str) -> tuple[Criteria, int] | None:
    """Return what a search by place asks for, and which page; None for other paths."""
    parts = urlsplit(target)
    found = _PLACE.fullmatch(parts.path)
    if found is None:
        return None
    told = parse_qs(parts.query).get("searchQueryState", ["{}"])
    filters: dict[str, dict[str, Any]] = json.loads(told[0]).get("filterState", {})
    place = {"zip_codes": (found["zip"],)} if found["zip"] else {}
    city = (found["city"] or "").replace("-", " ").title()
    criteria = Criteria(
        **place or {"cities": (city,)},
        min_price=filters.get("price", {}).get("min"),
        max_price=filters.get("price", {}).get("max"),
        min_beds=filters.get("beds", {}).get("min"),
        min_baths=filters.get("baths", {}).get("min"),
        min_area=filters.get("sqft", {}).get("min"),
        max_area=filters.get("sqft", {}).get("max"),
        min_lot=filters.get("lot", {}).get("min"),
        min_year=filters.get("built", {}).get("min"),
        pool=filters.get("pool", {}).get("value"),
    )
    return criteria, int(found["page"] or 1)


def place_page(target: str, *, houses: Sequence[House], per_page: int) -> bytes | None:
    """Return the page of a search by place; None for other paths."""
    asked = asked_for(target)
    if asked is None:
        return None
    criteria, page = asked
    found = matching(houses, criteria)
    first = (page - 1) * per_page
    path = re.sub(r"\d{1,2}_p/$", "", urlsplit(target).path)
    has_more = first + per_page < len(found)
    return search_page(
        found[first : first + per_page],
        relaxed=tuple(house for house in houses if house not in found),
        next_url=f"{path}{page + 1}_p/" if has_more else "",
    )
