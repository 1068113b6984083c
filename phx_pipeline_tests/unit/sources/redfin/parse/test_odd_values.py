"""No odd value breaks the reader or gets into what it tells."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.gallery import photo_key
from phx_pipeline.sources.redfin.parse import parse_listing
from phx_pipeline_tests.unit.sources.redfin.parse.conftest import (
    HOUSE,
    URL,
    Cache,
    cache_of,
    html_of,
    page_of,
    parse_cache,
    payload_in,
)


def test_text_no_database_can_store_is_cleaned(cache: Cache) -> None:
    tags = payload_in(cache, "/dataSourceId/9")["tagsByPhotoId"]
    tags["501"]["shortCaption"] = "Front\0 of\n home \ud800"

    assert parse_cache(cache).photos[0].caption == "Front\ufffd of home \ufffd"


def _nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    below = [at for key, child in inner for at in _nodes(child, (*path, key))]
    return [path, *below] if path else below


ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "https://[",
    [],
    [[]],
    {},
    {"a": []},
]


@given(st.data())
def test_no_single_odd_value_breaks_the_reader(data: st.DataObject) -> None:
    answers = cache_of(html_of("listed.html"))
    *parents, last = data.draw(st.sampled_from(_nodes(answers)))
    holder: Any = answers
    for key in parents:
        holder = holder[key]
    holder[last] = data.draw(st.sampled_from(ODD_VALUES))

    try:
        listing = parse_cache(answers)
    except SourceChangedError:
        return

    assert {photo_key(photo.url) for photo in listing.photos} == {
        photo.photo_key for photo in listing.photos
    }


def test_wrapped_numbers_and_dates_are_read(cache: Cache) -> None:
    initial = payload_in(cache, "/initialInfo")
    initial["mlsId"] = {"label": "MLS#", "value": initial["mlsId"]}
    initial["listingId"] = {"value": initial["listingId"]}
    for row in payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]["events"]:
        for name in ("eventDate", "sourceId", "eventDescription"):
            row[name] = {"value": row.get(name)}

    listing = parse_cache(cache)

    assert (listing.listing_id, listing.mls_id) == ("200300400", "6801242")
    assert listing.listed_on == date(2025, 2, 25)


@pytest.mark.parametrize("stated", ["MLS# 6801242", ["6801242"], 6801242, None, "N/A"])
def test_the_number_is_read_in_any_form_or_from_the_title(
    cache: Cache, stated: object
) -> None:
    payload_in(cache, "/initialInfo")["mlsId"] = stated
    title = "<title>1418 E Quail Whistle Ln | MLS# 6801242 | Redfin</title>"

    listing = parse_listing(
        title + page_of(cache), house=Property.at(HOUSE), page_url=URL
    )

    assert (listing.mls_id, listing.listed_on) == ("6801242", date(2025, 2, 25))
