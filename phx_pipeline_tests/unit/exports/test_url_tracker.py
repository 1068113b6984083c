import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.exports.url_tracker import url_tracker_parts
from phx_pipeline.model.source import Source
from phx_pipeline.model.tracked import TrackedUrl
from phx_pipeline_tests.runs import DAVIS, GARY
from phx_pipeline_tests.shapes import kinds, read, shape_of

AT = datetime(2025, 12, 6, 1, 47, 1, 298417, tzinfo=UTC)

URL = TrackedUrl(
    url="https://photos.example/a.jpg",
    image_id="0b7e",
    folder="686067a4",
    address=DAVIS,
    source=Source.REDFIN,
    content_hash="9f86d081",
    present=True,
    shown=True,
    first_seen_at=AT - timedelta(days=30),
    last_seen_at=AT,
    first_run_id="run-1",
    last_run_id="run-2",
)


def rendered(urls: Iterable[TrackedUrl]) -> str:
    ordered = sorted(urls, key=lambda each: each.url)
    return "".join(url_tracker_parts(lambda: ordered))


EXPECTED = """\
{
  "version": "2.0.0",
  "last_updated": "2025-12-05T18:47:01.298417-07:00",
  "total_urls": 1,
  "urls": {
    "https://photos.example/a.jpg": {
      "image_id": "0b7e",
      "property_hash": "686067a4",
      "first_seen": "2025-11-05T18:47:01.298417-07:00",
      "last_seen": "2025-12-05T18:47:01.298417-07:00",
      "content_hash": "9f86d081",
      "source": "redfin",
      "status": "active",
      "original_address": "4732 W Davis Rd, Glendale, AZ 85306",
      "first_run_id": "run-1",
      "last_run_id": "run-2"
    }
  }
}
"""

EMPTY = """\
{
  "version": "2.0.0",
  "last_updated": null,
  "total_urls": 0,
  "urls": {}
}
"""

# The shape of the predecessor's file.
SHAPE = {
    "version": "str",
    "last_updated": "str",
    "total_urls": "int",
    "urls": "dict",
    "urls.*": "dict",
    "urls.*.image_id": "str",
    "urls.*.property_hash": "str",
    "urls.*.first_seen": "str",
    "urls.*.last_seen": "str",
    "urls.*.content_hash": "str",
    "urls.*.source": "str",
    "urls.*.status": "str",
    "urls.*.original_address": "str",
    "urls.*.first_run_id": "str",
    "urls.*.last_run_id": "str",
}


def entries(urls: Sequence[TrackedUrl]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rendered(urls))["urls"]
    return found


def test_one_url_makes_exactly_this_file() -> None:
    assert rendered([URL]) == EXPECTED


def test_a_catalogue_without_photos_has_no_update_time() -> None:
    assert rendered(iter(())) == EMPTY


def test_the_shape_is_the_predecessors() -> None:
    document = json.loads(rendered([URL]))

    assert kinds(shape_of(document, maps={"urls"})) == SHAPE


def test_the_shape_is_that_of_the_real_file(shared_dir: Path) -> None:
    real = read(shared_dir / "samples/predecessor/url_tracker_excerpt_04cac92c.json")
    ours = json.loads(rendered([URL]))

    assert kinds(shape_of(real, maps={"urls"})) == SHAPE
    assert list(real) == list(ours)
    assert {entry["status"] for entry in real["urls"].values()} == {"active", "removed"}
    for entry in real["urls"].values():
        assert list(entry) == list(ours["urls"][URL.url])


@pytest.mark.parametrize(
    ("present", "age", "status"),
    [
        (True, timedelta(days=7), "active"),
        (True, timedelta(days=7, microseconds=1), "stale"),
        (False, timedelta(0), "removed"),
        (False, timedelta(days=30), "removed"),
    ],
)
def test_status_is_measured_from_the_newest_time_of_the_file(
    *, present: bool, age: timedelta, status: str
) -> None:
    old = replace(URL, url="old", present=present, last_seen_at=AT - age)

    assert entries([URL, old])["old"]["status"] == status


def test_a_url_of_two_houses_is_that_of_the_one_that_shows_it() -> None:
    held = replace(URL, address=GARY, folder="fc5e428e", shown=False)
    both = [URL, held]

    assert entries(both)[URL.url]["original_address"] == DAVIS
    assert entries(both[::-1]) == entries(both)
    assert json.loads(rendered(both))["total_urls"] == 1


def test_a_time_without_an_offset_is_refused() -> None:
    naive = replace(URL, first_seen_at=AT.replace(tzinfo=None))

    with pytest.raises(ValueError, match="UTC offset"):
        rendered([naive])


_urls = st.builds(
    replace,
    st.just(URL),
    url=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    address=st.sampled_from([DAVIS, GARY, 'a "b" \\ ñ\n']),
    present=st.booleans(),
    shown=st.booleans(),
    image_id=st.text("01", max_size=2),
)


@given(st.lists(_urls, max_size=6))
def test_the_text_is_that_of_the_plain_encoder(urls: list[TrackedUrl]) -> None:
    text = rendered(urls)

    plain = json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert text == plain


@given(
    st.lists(_urls, max_size=6, unique_by=lambda url: (url.url, url.address)),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_does_not_matter(
    urls: list[TrackedUrl], random: Random
) -> None:
    shuffled = random.sample(urls, len(urls))

    assert rendered(shuffled) == rendered(urls)
