from collections import Counter
from functools import cache
from io import BytesIO
from itertools import combinations

import imagehash
import pytest
from PIL import Image, ImageOps

from phx_pipeline.demo import houses, rooms
from phx_pipeline.demo.houses import HOUSES, Flaw, House, Shot
from phx_pipeline.model.outcome import Verdict
from phx_pipeline_tests.expected import expected_verdicts

each_house = pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.street)


def uploaded(shot: Shot, *, shrunk: int) -> bytes:
    width, height = (side // shrunk for side in shot.size)
    jpeg = rooms.draw(
        shot.kind, seed=shot.seed, size=(width, height), orientation=shot.orientation
    )
    if shot.copied is None:
        return jpeg
    smaller = shot.copied.width // shrunk
    return rooms.copy(jpeg, width=smaller, cropped=shot.copied.cropped)


@cache
def hashes(
    house: House,
) -> list[tuple[Shot, imagehash.ImageHash, imagehash.ImageHash]]:
    """Every photo of a house, of the earlier record too, with pHash and dHash.

    Drawn with half the width, which changes the hashes hardly and takes a quarter of
    the time.
    """
    found = []
    for shot in (*house.record.shots, *house.earlier.shots):
        opened = Image.open(BytesIO(uploaded(shot, shrunk=2)))
        opened.draft("L", (512, 512))  # saves time and leaves the hashes as they are
        grey = ImageOps.exif_transpose(opened).convert("L")
        found.append((shot, imagehash.phash(grey), imagehash.dhash(grey)))
    return found


@each_house
def test_copies_are_near_and_all_other_photos_far(house: House) -> None:
    pairs = [
        (one.drawing, other.drawing, int(p - q), int(d - e))
        for (one, p, d), (other, q, e) in combinations(hashes(house), 2)
    ]

    copies = [pair for pair in pairs if pair[0] == pair[1]]
    others = [pair for pair in pairs if pair[0] != pair[1]]
    assert [pair for pair in copies if pair[2] > 8 or pair[3] > 10] == []
    assert [pair for pair in others if pair[2] < 14 or pair[3] <= 10] == []


def test_no_photo_of_one_house_looks_like_one_of_another() -> None:
    flat = [(house, *hashed) for house in HOUSES for hashed in hashes(house)]

    near = [
        (one.drawing, other.drawing)
        for (house, one, p, d), (second, other, q, e) in combinations(flat, 2)
        if house is not second and p - q <= 8 and d - e <= 10
    ]

    assert near == []


def test_each_flaw_occurs_once_and_some_houses_repeat_a_photo() -> None:
    shots = [shot for house in HOUSES for shot in house.record.shots]

    flaws = Counter(shot.flaw for shot in shots if shot.flaw is not Flaw.NONE)

    assert flaws == {
        Flaw.TRUNCATED: 1,
        Flaw.HTML: 1,
        Flaw.TINY: 1,
        Flaw.GONE: 1,
    }
    assert sum(shot.copied is not None for shot in shots) == 5
    assert [shot.size for shot in shots if shot.flaw is Flaw.TINY] == [(150, 100)]
    assert any(shot.orientation == 6 for shot in shots)


def test_some_photos_are_neither_tagged_nor_captioned() -> None:
    shots = [shot for house in HOUSES for shot in house.record.shots]

    bare = [shot for shot in shots if not shot.tags]

    assert len(bare) > 5
    assert not any(shot.caption for shot in bare)


@each_house
def test_expected_verdicts_name_every_photo_once(house: House) -> None:
    verdicts = expected_verdicts(house)

    assert len(verdicts) == len(house.record.shots)
    assert Verdict.PENDING not in verdicts.values()
    copies = sum(shot.copied is not None for shot in house.record.shots)
    assert list(verdicts.values()).count(Verdict.DUPLICATE) == copies


def test_identifiers_are_unique() -> None:
    records = [record for house in HOUSES for record in (house.record, house.earlier)]
    names = [
        record.photo_key(at) for record in records for at in range(len(record.shots))
    ]
    numbers = [
        record.first_photo_id + at
        for record in records
        for at in range(len(record.shots))
    ]

    assert len(set(names)) == len(names)
    assert len(set(numbers)) == len(numbers)
    for field in ("address", "path", "home_id", "listing_id", "apn"):
        assert len({getattr(house, field) for house in HOUSES}) == len(HOUSES)


@each_house
def test_the_earlier_listing_ended_before_this_one_began(house: House) -> None:
    sold = house.earlier.sold_on

    assert sold is not None
    assert house.earlier.listed_on < sold < house.record.listed_on
    assert house.record.listed_on.year == 2026


def test_file_names_leave_the_number_out_of_the_first() -> None:
    record = next(house.record for house in HOUSES if house.unit)

    assert record.file_name(0) == f"{record.mls_id}_0.jpg"
    assert record.file_name(1) == f"{record.mls_id}_1_1.jpg"
    assert record.photo_key(2) == f"{record.data_source_id}-{record.mls_id}_2_0"


@pytest.mark.parametrize(
    ("field", "value"), [("price", "489000"), ("listed_on", 2026), ("prise", 489000)]
)
def test_a_mistake_in_the_file_is_named(field: str, value: object) -> None:
    record = {"mls_id": "6981407", "shots": [], field: value}

    with pytest.raises(TypeError, match=field):
        houses._Read({"sizes": {}})._record(record)
