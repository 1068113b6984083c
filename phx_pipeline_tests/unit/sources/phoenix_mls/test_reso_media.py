"""Which media of a RESO record are photos that we may show; all are drawn."""

from typing import Any

import pytest

from phx_pipeline.model.reso import ImageOf
from phx_pipeline.sources.phoenix_mls.reso_media import media_of
from phx_pipeline_tests.hostile import TEXTS, VALUES

RECORD = "20250301070000000000000000"
KEYS = [f"2025030107000{number}000000000000" for number in range(6)]
HOSTILE = (*VALUES, *TEXTS[::7])
DENIED = "its licence lets it be shown to few"


def url_of(key: str, ending: str = "-o") -> str:
    return f"https://cdn.photos.sparkplatform.com/az/{key}{ending}.jpg"


def medium(number: int = 0, **changed: Any) -> dict[str, Any]:
    """A photo that all may see; what is None is left out."""
    given: dict[str, Any] = {
        "MediaKey": KEYS[number],
        "MediaURL": url_of(KEYS[number]),
        "MediaCategory": "Photo",
        "Order": number,
        "Permission": ["IDX"],
        "ResourceRecordKey": RECORD,
    }
    return {name: it for name, it in (given | changed).items() if it is not None}


def test_a_photo_has_the_words_and_the_size_of_its_medium() -> None:
    told = medium(
        ShortDescription="Heated pool",
        LongDescription="A long text",
        ImageOf="Pool",
        ImageWidth=3000,
        ImageHeight=2000,
    )

    (photo,) = media_of([told], record_key=RECORD).photos

    assert (photo.photo_key, photo.url) == (KEYS[0], url_of(KEYS[0]))
    assert (photo.caption, photo.tags) == ("Heated pool", ("Pool",))
    assert (photo.width, photo.height) == (3000, 2000)


@pytest.mark.parametrize(
    "said", [{"ResourceRecordKey": None}, {"ResourceName": "property"}]
)
def test_a_medium_of_the_record_need_not_say_so(said: dict[str, Any]) -> None:
    found = media_of([medium(**said)], record_key=RECORD)

    assert ([photo.photo_key for photo in found.photos], found.left_out) == (
        [KEYS[0]],
        {},
    )


@pytest.mark.parametrize("ending", ["", "-t", "-o"])
def test_any_size_names_the_original(ending: str) -> None:
    found = media_of([medium(MediaURL=url_of(KEYS[0], ending))], record_key=RECORD)

    assert [photo.url for photo in found.photos] == [url_of(KEYS[0])]


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ({"ImageOf": "Walk-In Closet(s)"}, (ImageOf.WALK_IN_CLOSETS,)),
        ({"ImageOf": ["Kitchen"]}, (ImageOf.KITCHEN,)),
        ({"ImageOf": "Horse Arena"}, ("Horse Arena",)),
        ({"ImageOf": None}, ()),
        ({"MediaCategory": "Floor Plan"}, (ImageOf.FLOOR_PLAN,)),
        ({"MediaCategory": "FloorPlan", "ImageOf": "FloorPlan"}, ("FloorPlan",)),
    ],
)
def test_what_it_is_of_becomes_a_tag(
    said: dict[str, Any], tags: tuple[str, ...]
) -> None:
    (photo,) = media_of([medium(**said)], record_key=RECORD).photos

    assert photo.tags == tags


def test_photos_come_by_their_order_each_once_and_those_without_last() -> None:
    told = [medium(2), medium(3, Order=None), medium(1), medium(0), medium(1, Order=9)]

    photos = media_of(told, record_key=RECORD).photos

    assert [photo.photo_key for photo in photos] == [KEYS[n] for n in (0, 1, 2, 3)]
    assert [photo.position for photo in photos] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "category",
    ["AgentPhoto", "Office Logo", "Video", "Document", "Branded Virtual Tour"],
)
def test_what_is_no_picture_of_the_house_is_passed_over(category: str) -> None:
    found = media_of([medium(MediaCategory=category)], record_key=RECORD)

    assert (found.photos, found.withdrawn, found.left_out) == ((), {}, {})


@pytest.mark.parametrize(
    "permission",
    [["IDX"], ["Idx"], "IDX", "IDX,OfficeInactive", ["VOW", "Public"], "Public; VOW"],
)
def test_a_word_that_lets_all_see_it_shows_it(permission: object) -> None:
    found = media_of([medium(Permission=permission)], record_key=RECORD)

    assert (len(found.photos), found.withdrawn, found.left_out) == (1, {}, {})


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"Permission": ["Private"]}, f"{DENIED} (Permission Private)"),
        ({"Permission": "VOW,Office Only"}, f"{DENIED} (Permission Vow, OfficeOnly)"),
        (
            {"Permission": ["AgentOnly"], "MediaURL": None},
            f"{DENIED} (Permission AgentOnly)",
        ),
        (
            {"MlgCanView": False},
            "the feed lets it be seen no more (MlgCanView is false)",
        ),
        (
            {"MediaStatus": "Deleted"},
            "the feed has deleted it (MediaStatus Deleted)",
        ),
    ],
)
def test_a_word_against_it_withdraws_it(said: dict[str, Any], why: str) -> None:
    found = media_of([medium(**said), medium(1)], record_key=RECORD)

    assert found.withdrawn == {KEYS[0]: why}
    assert [photo.photo_key for photo in found.photos] == [KEYS[1]]
    assert (len(found.keys), found.left_out) == (2, {})


def test_a_photo_that_is_named_twice_and_denied_once_is_denied() -> None:
    found = media_of([medium(), medium(Permission="Private")], record_key=RECORD)

    assert (found.photos, set(found.withdrawn)) == ((), {KEYS[0]})


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"Permission": None}, "without a word on permission"),
        ({"Permission": []}, "without a word on permission"),
        ({"Permission": "Friends"}, "with a permission in unknown words"),
        ({"Permission": "Private,?"}, "with a permission in unknown words"),
        ({"MediaCategory": "Hologram"}, "of an unknown kind"),
        ({"ResourceRecordKey": "1"}, "of another record"),
        ({"ResourceName": "Member"}, "of another record"),
        ({"ResourceName": "Office", "ResourceRecordKey": RECORD}, "of another record"),
        ({"ResourceRecordKey": "1", "Permission": "Private"}, "of another record"),
        ({"MediaURL": "https://photos.example/1.jpg"}, "not at Spark's hosts"),
        ({"MediaURL": "http://["}, "not at Spark's hosts"),
        ({"MediaURL": None}, "cannot be read"),
    ],
)
def test_what_says_nothing_that_is_understood_is_left_out_and_not_withdrawn(
    said: dict[str, Any], why: str
) -> None:
    found = media_of([medium(**said)], record_key=RECORD)

    assert (found.photos, found.withdrawn, found.left_out) == ((), {}, {why: 1})


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_no_value_in_any_field_stops_it(value: object) -> None:
    names = (*medium(), "ImageOf", "MediaStatus")
    told = [{**medium(), name: value} for name in names]

    found = media_of([value, *told], record_key=RECORD)

    assert {photo.photo_key for photo in found.photos} <= {KEYS[0]}
