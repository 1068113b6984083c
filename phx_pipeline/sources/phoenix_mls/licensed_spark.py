"""The Spark API of the MLS: the records of a house, then the photos of the current one.

It takes an access token, and gives 25 rows at a time, numbered by pages.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from phx_pipeline.errors import FetchError, SourceChangedError
from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.phoenix_mls.licences import SPARK_HOST, SPARK_SETTING
from phx_pipeline.sources.phoenix_mls.licensed import (
    MOST_PAGES,
    PAGE_ROWS,
    Access,
    Choice,
    choose,
    record_of,
    rows_of,
)
from phx_pipeline.sources.phoenix_mls.licensed_listing import listing_of
from phx_pipeline.sources.phoenix_mls.spark_photos import photos_of
from phx_pipeline.sources.stated import whole

HOST: Final = SPARK_HOST
SETTING: Final = SPARK_SETTING
_LISTINGS = "/v1/listings"
# It refuses those that do not say which program asks.
_HEADERS = {"x-sparkapi-user-agent": "phx_pipeline"}
_ID = re.compile(r"[A-Za-z0-9]{1,60}", re.ASCII)


async def discover(house: Property, *, fetcher: Fetcher, token: str) -> Listing:
    """Find the current record of *house* and return its gallery.

    Never raises for what the feed can do to us: that is an outcome of the listing.
    """
    access = Access(fetcher=fetcher, setting=SETTING, token=token)
    try:
        found = await _all_rows(_LISTINGS, _question(house), access=access)
        if isinstance(found, Listing):
            return found
        records = [
            record_of(row.get("Id"), row.get("StandardFields"), house=house)
            for row in found[0]
        ]
        chosen = choose(records, house=house)
        if isinstance(chosen, Listing):
            return chosen
        return await _listing(chosen, access=access)
    except SourceChangedError as error:
        return ended(Source.PHOENIX_MLS, ListingOutcome.PAGE_CHANGED, str(error))
    except FetchError as error:
        return access.ending(error)


def page_url(path: str, question: Mapping[str, str], *, page: int) -> str:
    """Return the address of a page of rows, the first being 1."""
    paging = {"_limit": str(PAGE_ROWS), "_page": str(page), "_pagination": "1"}
    return f"https://{HOST}{path}?{urlencode({**question, **paging}, quote_via=quote)}"


def literal(value: str) -> str:
    """Return a text as SparkQL writes it: in quotes, those within escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _question(house: Property) -> Mapping[str, str]:
    """All records of the number and ZIP code: streets are spelled in too many ways."""
    zip_code, number = house.address.zip_code, house.address.street_number
    told = f"PostalCode Eq {literal(zip_code)} And StreetNumber Eq {literal(number)}"
    return {"_filter": told}


async def _listing(chosen: Choice, *, access: Access) -> Listing:
    key = chosen.current.key
    if not _ID.fullmatch(key):
        raise SourceChangedError("the record has no id that can be asked for")
    found = await _all_rows(f"{_LISTINGS}/{key}/photos", {}, access=access)
    if isinstance(found, Listing):
        return found
    rows, total = found
    return listing_of(
        chosen, photos_of(rows, total=total), page_kind="Spark API", held_back={}
    )


async def _all_rows(
    path: str, question: Mapping[str, str], *, access: Access
) -> tuple[list[JsonObject], int | None] | Listing:
    """Return the rows of all pages and their stated number, or how the feed ended.

    Raises:
        SourceChangedError: pages do not end: what is not read might be the house's.
    """
    rows: list[JsonObject] = []
    for page in range(1, MOST_PAGES + 1):
        url = page_url(path, question, page=page)
        answer = await access.ask(url, headers=_HEADERS)
        if answer is None:
            return rows, None
        if (ending := access.complained(answer)) is not None:
            return ending
        told = answer.get("D")
        told = told if isinstance(told, dict) else {}
        new = rows_of(told.get("Results"), what="D.Results")
        rows += new
        total = _total(told.get("Pagination"))
        if not new or _is_last(len(new), len(rows), total=total):
            return rows, total
    raise SourceChangedError(f"more than {MOST_PAGES} pages of rows")


def _is_last(rows: int, so_far: int, *, total: int | None) -> bool:
    """Whether no page follows: all have come, or, where none are counted, too few.

    More than a page holds are all there are.
    """
    return rows != PAGE_ROWS if total is None else so_far >= total


def _total(pagination: object) -> int | None:
    return whole(pagination.get("TotalRows")) if isinstance(pagination, dict) else None
