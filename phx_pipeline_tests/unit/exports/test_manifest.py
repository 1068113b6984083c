import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.exports.manifest import render_manifest
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.source import LETTERED, Source

DAVIS = "4732 W Davis Rd, Glendale, AZ 85306"
GARY = "2011 E Gary Cir, Mesa, AZ 85213"

PICTURE = PublishedImage(
    image_id="0b7e",
    property_address=DAVIS,
    folder="686067a4",
    source=Source.ZILLOW,
    source_url="https://photos.example/a.jpg",
    local_path="processed/686067a4/686067a4_int_kitchen_95_z_20250301.png",
    phash=0x0123456789ABCDEF,
    dhash=7,
    width=1024,
    height=683,
    file_size_bytes=727_001,
    downloaded_at=datetime(2025, 3, 1, 2, 0, 0, 5, tzinfo=UTC),
    processed_at=datetime(2025, 3, 1, 12, 0, tzinfo=UTC),
    run_id="0141fcd0",
    content_hash="9f86d081",
)

EXPECTED = """\
{
  "version": "2.0.0",
  "last_updated": "2025-03-01T05:00:00.000000-07:00",
  "properties": {
    "4732 W Davis Rd, Glendale, AZ 85306": [
      {
        "image_id": "0b7e",
        "property_address": "4732 W Davis Rd, Glendale, AZ 85306",
        "source": "zillow",
        "source_url": "https://photos.example/a.jpg",
        "local_path": "processed/686067a4/686067a4_int_kitchen_95_z_20250301.png",
        "phash": "0123456789abcdef",
        "dhash": "0000000000000007",
        "width": 1024,
        "height": 683,
        "file_size_bytes": 727001,
        "status": "processed",
        "downloaded_at": "2025-02-28T19:00:00.000005-07:00",
        "processed_at": "2025-03-01T05:00:00.000000-07:00",
        "property_hash": "686067a4",
        "created_by_run_id": "0141fcd0",
        "content_hash": "9f86d081"
      }
    ]
  }
}
"""

EMPTY = """\
{
  "version": "2.0.0",
  "last_updated": null,
  "properties": {}
}
"""

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_hashes = st.integers(0, 2**64 - 1)
_counts = st.integers(0, 2**40)
_times = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  # the strategy adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001  # the strategy adds the zone
    timezones=st.just(UTC),
)
pictures = st.builds(
    PublishedImage,
    image_id=_texts,
    property_address=st.sampled_from([DAVIS, GARY, 'a "b" \\ ñ\n', ""]),
    folder=_texts,
    source=st.sampled_from(LETTERED),
    source_url=_texts,
    local_path=_texts,
    phash=_hashes,
    dhash=_hashes,
    width=_counts,
    height=_counts,
    file_size_bytes=_counts,
    downloaded_at=_times,
    processed_at=_times,
    run_id=_texts,
    content_hash=_texts,
)


def _shape(row: Mapping[str, object]) -> list[tuple[str, type]]:
    return [(key, type(value)) for key, value in row.items()]


def _read_back(row: Mapping[str, Any]) -> PublishedImage:
    return PublishedImage(
        image_id=row["image_id"],
        property_address=row["property_address"],
        folder=row["property_hash"],
        source=Source(row["source"]),
        source_url=row["source_url"],
        local_path=row["local_path"],
        phash=int(row["phash"], 16),
        dhash=int(row["dhash"], 16),
        width=row["width"],
        height=row["height"],
        file_size_bytes=row["file_size_bytes"],
        downloaded_at=datetime.fromisoformat(row["downloaded_at"]),
        processed_at=datetime.fromisoformat(row["processed_at"]),
        run_id=row["created_by_run_id"],
        content_hash=row["content_hash"],
    )


def test_one_picture_makes_exactly_this_file() -> None:
    text = render_manifest([PICTURE])

    assert text == EXPECTED


def test_a_catalogue_without_pictures_has_no_update_time() -> None:
    text = render_manifest(iter(()))

    assert text == EMPTY


def test_the_shape_is_that_of_the_real_file(shared_dir: Path) -> None:
    path = shared_dir / "samples/predecessor/image_manifest_04cac92c.json"
    real = json.loads(path.read_text(encoding="utf-8"))
    real_rows = [row for rows in real["properties"].values() for row in rows]

    ours = json.loads(render_manifest([PICTURE]))

    assert _shape(ours) == _shape(real)
    assert ours["version"] == real["version"]
    (row,) = ours["properties"][DAVIS]
    assert all(_shape(row) == _shape(real_row) for real_row in real_rows)
    assert len(row["phash"]) == len(real_rows[0]["phash"])
    assert {row["status"] for row in real_rows} == {row["status"]}


def test_the_newest_processing_time_is_the_update_time() -> None:
    later = replace(PICTURE, processed_at=PICTURE.processed_at + timedelta(hours=1))

    texts = [render_manifest([later, PICTURE]), render_manifest([PICTURE, later])]

    assert {json.loads(text)["last_updated"] for text in texts} == {
        "2025-03-01T06:00:00.000000-07:00"
    }


def test_a_time_without_an_offset_is_refused(now: datetime) -> None:
    naive = replace(PICTURE, downloaded_at=now.replace(tzinfo=None))

    with pytest.raises(ValueError, match="UTC offset"):
        render_manifest([naive])


@given(st.lists(pictures, max_size=5))
def test_the_text_is_that_of_the_plain_encoder(images: list[PublishedImage]) -> None:
    text = render_manifest(images)

    plain = json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert text == plain


@given(st.lists(pictures, max_size=5))
def test_every_row_reads_back_as_itself_in_its_order(
    images: list[PublishedImage],
) -> None:
    properties = json.loads(render_manifest(images))["properties"]

    assert list(properties) == sorted({image.property_address for image in images})
    for address, rows in properties.items():
        own = [image for image in images if image.property_address == address]
        assert [_read_back(row) for row in rows] == own


@given(st.lists(pictures, max_size=5))
def test_the_order_of_properties_does_not_matter(images: list[PublishedImage]) -> None:
    regrouped = sorted(images, key=lambda image: image.property_address, reverse=True)

    assert render_manifest(regrouped) == render_manifest(images)
