import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.exports.hash_index import hash_index_parts
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.source import Source


def rendered(images: Iterable[PublishedImage]) -> str:
    return "".join(hash_index_parts(images))


EXPECTED = """\
{
  "version": "2.0.0",
  "images": {
    "0b7e": {
      "phash": "00000000000000ff",
      "dhash": "ffffffffffffffff",
      "property_address": "4732 W Davis Rd, Glendale, AZ 85306",
      "source": "redfin"
    }
  },
  "lsh_buckets": {}
}
"""

AT = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)

_hashes = st.integers(0, 2**64 - 1)


def _picture(
    image_id: str, *, phash: int = 0xFF, dhash: int = 2**64 - 1
) -> PublishedImage:
    return PublishedImage(
        image_id=image_id,
        property_address="4732 W Davis Rd, Glendale, AZ 85306",
        folder="686067a4",
        source=Source.REDFIN,
        source_url="https://photos.example/a.jpg",
        local_path="processed/686067a4/686067a4_int_kitchen_95_r_20250301.png",
        phash=phash,
        dhash=dhash,
        width=1024,
        height=683,
        file_size_bytes=727_001,
        downloaded_at=AT,
        processed_at=AT,
        run_id="0141fcd0",
        content_hash="9f86d081",
    )


def _shape(row: Mapping[str, object]) -> list[tuple[str, type]]:
    return [(key, type(value)) for key, value in row.items()]


def test_one_picture_makes_exactly_this_file() -> None:
    text = rendered(iter([_picture("0b7e")]))

    assert text == EXPECTED


def test_the_shape_is_that_of_the_real_file(shared_dir: Path) -> None:
    path = shared_dir / "samples/predecessor/hash_index_04cac92c.json"
    real = json.loads(path.read_text(encoding="utf-8"))

    ours = json.loads(rendered([_picture("0b7e")]))

    assert _shape(ours) == _shape(real)
    assert ours["version"] == real["version"]
    assert ours["lsh_buckets"] == real["lsh_buckets"]
    for entry in real["images"].values():
        assert _shape(entry) == _shape(ours["images"]["0b7e"])
        assert len(entry["phash"]) == len(ours["images"]["0b7e"]["phash"])


@given(st.dictionaries(st.text("0123456789abcdef"), st.tuples(_hashes, _hashes)))
def test_every_hash_reads_back_as_the_same_number(
    hashes: dict[str, tuple[int, int]],
) -> None:
    images = [_picture(key, phash=p, dhash=d) for key, (p, d) in hashes.items()]

    entries = json.loads(rendered(images))["images"]

    assert {
        key: (int(entry["phash"], 16), int(entry["dhash"], 16))
        for key, entry in entries.items()
    } == hashes


@given(
    st.lists(st.text("0123456789abcdef"), unique=True),
    st.randoms(use_true_random=False),
)
def test_the_order_of_pictures_does_not_matter(ids: list[str], random: Random) -> None:
    images = [_picture(image_id) for image_id in ids]
    shuffled = random.sample(images, len(images))

    assert rendered(shuffled) == rendered(images)


def test_the_file_is_laid_out_as_json_dumps_would() -> None:
    pictures = [_picture("b"), _picture("a"), _picture('quote " and ü')]

    for shown in (pictures, []):
        text = rendered(shown)

        plain = json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
        assert text == plain
