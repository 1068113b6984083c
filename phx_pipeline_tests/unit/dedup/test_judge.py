"""What is said of one pair: copies that only features tell, and what looks alike."""

import logging
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from phx_pipeline.dedup import cluster, features, judge
from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.best import best_of
from phx_pipeline.dedup.hashes import picture_hashes
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.proof import MIN_INLIERS
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.sights import view_of
from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.model.judgement import Alike, Judgement, Method, Why, by_pair
from phx_pipeline_tests.corpus.cameras import VIEWS
from phx_pipeline_tests.corpus.copies import single_copies
from phx_pipeline_tests.corpus.pictures import decoded, draws, jpeg
from phx_pipeline_tests.corpus.tones import TONES
from phx_pipeline_tests.corpus.worse import choices


@pytest.fixture(scope="module")
def room() -> Image.Image:
    body = rooms.draw(RoomKind.KITCHEN, seed=4, size=(1024, 683))
    return Image.open(BytesIO(body)).convert("RGB")


@pytest.fixture(scope="module")
def photo(shared_dir: Path) -> Image.Image:
    body = (shared_dir / "photos/full/12_bathroom.jpg").read_bytes()
    return decoded(body)


def seen(name: str, image: Image.Image) -> Candidate:
    """What is known of a picture; its hashes are near to those of all others."""
    return Candidate(
        sha256=name * 64,
        width=image.width,
        height=image.height,
        hashes=picture_hashes(image),
        appearance=appearance(image),
        view=partial(view_of, image),
    )


def of_pair(a: Image.Image, b: Image.Image) -> Judgement:
    (found,) = judged([seen("a", a), seen("b", b)], {})
    return found


def copy(room: Image.Image, kind: str) -> Image.Image:
    (made,) = single_copies(room, name="room", seed=3, kinds=[kind])
    return decoded(made.body)


@pytest.mark.parametrize("kind", ["turned 1°", "text strip over", "square crop"])
def test_features_find_copies_that_aligned_pixels_do_not(
    room: Image.Image, kind: str
) -> None:
    found = of_pair(room, copy(room, kind))

    assert (found.method, found.verdict) == (Method.FEATURES, Alike.SAME)
    assert found.better == "a" * 64
    assert (found.inliers or 0) >= MIN_INLIERS


def test_what_differs_nowhere_is_a_copy_though_its_points_lie_in_a_corner() -> None:
    large = rooms.draw(RoomKind.YARD, seed=615, size=(1600, 1066))
    drawn = rooms.draw(RoomKind.YARD, seed=615, size=(1280, 853))
    cut = rooms.copy(rooms.copy(drawn, width=1200, cropped=0.02), width=1200)

    found = of_pair(decoded(large), decoded(cut))

    assert (found.verdict, found.method) == (Alike.SAME, Method.PIXELS)


@pytest.mark.parametrize(
    "kind",
    [
        *("parallax 4 %, room", "parallax 8 %, layers", "parallax 20 %, layers"),
        *("panned", "recoloured"),
    ],
)
def test_other_views_and_other_paint_are_no_copies(
    room: Image.Image, kind: str
) -> None:
    view = VIEWS[kind](room, draws("room", kind, seed=3))

    found = judged([seen("a", room), seen("b", view)], {})

    assert all(it.verdict is Alike.OTHER for it in found)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("57_frontal", "parallax 8 %, layers"),
        ("13_frontal", "parallax 20 %, layers"),
        ("4_bedroom", "rearranged"),
    ],
)
def test_what_moved_in_a_small_part_makes_another_picture_though_the_rest_agrees(
    shared_dir: Path, name: str, kind: str
) -> None:
    body = (shared_dir / f"photos/full/{name}.jpg").read_bytes()
    rng = draws(name, kind, seed=11)
    view = VIEWS[kind](decoded(body), rng)
    saved = decoded(jpeg(view, int(rng.integers(80, 93))))

    assert of_pair(decoded(body), saved).verdict is Alike.OTHER


def test_a_copy_that_lost_its_colours_is_not_the_better_one(
    room: Image.Image,
) -> None:
    grey = room.convert("L").convert("RGB").resize((1536, 1024))

    found = of_pair(room, grey)

    assert found.verdict is Alike.SAME
    assert (found.better, found.why) == ("a" * 64, Why.WHOLE)


def test_a_copy_of_which_a_part_is_missing_is_found_and_not_the_better_one(
    room: Image.Image,
) -> None:
    cut = room.copy()
    cut.paste((128, 128, 128), (0, 500, *room.size))

    found = of_pair(room, cut)

    assert found.verdict is Alike.SAME
    assert (found.better, found.why) == ("a" * 64, Why.WHOLE)


@pytest.mark.parametrize("kind", TONES)
def test_a_copy_with_other_tones_never_wins_over_the_untouched(
    photo: Image.Image, kind: str
) -> None:
    worse = TONES[kind](photo, draws("photo", kind, seed=1))

    found = of_pair(photo, decoded(jpeg(worse, 88)))

    assert (found.verdict, found.better) == (Alike.SAME, "a" * 64)


@pytest.mark.parametrize(
    ("name", "kind", "seed", "why"),
    [
        ("45_kitchen", "crop 4 % of finer", 3, Why.UNCROPPED),  # a wall fades there
        ("13_bathroom", "crop 4 % in bars", 1, Why.CLEAN),  # bars over what was cut
        ("44_bedroom", "sharpened a lot", 4, Why.DETAIL),
        ("45_frontal", "caption", 2, Why.CLEAN),
        ("38_frontal", "caption", 5, Why.CLEAN),  # the wall behind it is flat
        ("85_bathroom", "date stamp", 2, Why.CLEAN),
        ("54_kitchen", "date stamp", 3, Why.CLEAN),  # as light as what it lies on
        ("76_bathroom", "logo", 1, Why.CLEAN),
        ("57_frontal", "blurred box", 2, Why.CLEAN),
        ("89_frontal", "blurred box", 2, Why.CLEAN),
        ("38_frontal", "blurred box", 4, Why.CLEAN),
        ("72_kitchen", "gradient box", 1, Why.CLEAN),
        ("12_bathroom", "sharpened, 1.5", 1, Why.DETAIL),
        ("76_bathroom", "enlarged in steps", 1, Why.DETAIL),
        ("12_bathroom", "blurred bars", 1, Why.CLEAN),
        ("12_bathroom", "reflected bars", 1, Why.CLEAN),
        ("12_bathroom", "edge bars", 1, Why.CLEAN),
        ("12_bathroom", "checked bars", 1, Why.CLEAN),
        ("12_bathroom", "white gradient", 1, Why.CLEAN),
        ("13_bathroom", "denoised", 1, Why.DETAIL),
    ],
)
def test_the_clean_whole_copy_is_told_wherever_the_other_was_changed(
    shared_dir: Path, name: str, kind: str, seed: int, why: Why
) -> None:
    body = (shared_dir / f"photos/full/{name}.jpg").read_bytes()
    pair = next(choices(decoded(body), name=name, seed=seed, kinds=[kind]))

    found = of_pair(decoded(pair.better), decoded(pair.worse))

    assert (found.better, found.why) == ("a" * 64, why)


def test_a_blurred_copy_is_not_taken_for_the_one_the_other_was_sharpened_from(
    photo: Image.Image,
) -> None:
    found = of_pair(photo, photo.filter(ImageFilter.GaussianBlur(0.8)))

    assert (found.better, found.why) == ("a" * 64, Why.DETAIL)


def test_a_bright_copy_that_looks_like_a_page_is_a_copy_of_its_photo(
    shared_dir: Path,
) -> None:
    body = (shared_dir / "photos/full/46_bedroom.jpg").read_bytes()
    photo = decoded(body)
    bright = ImageEnhance.Brightness(photo).enhance(1.55)

    assert appearance(bright).low_information
    assert of_pair(photo, bright).better == "a" * 64


def test_a_clean_copy_wins_over_one_that_is_sharper_and_marked(
    photo: Image.Image,
) -> None:
    sharp = TONES["sharpened a lot"](photo, draws("photo", "sharp", seed=1))

    found = of_pair(photo, copy(sharp, "logo"))

    assert (found.better, found.why) == ("a" * 64, Why.CLEAN)


def test_equal_copies_are_a_tie_though_one_file_has_zeros_behind_its_end(
    room: Image.Image,
) -> None:
    first, second = (
        replace(seen(name, room), size_bytes=length, order=("", at, name))
        for at, (name, length) in enumerate((("a", 90_000), ("b", 90_050)))
    )

    (found,) = judged([second, first], {})

    assert (found.better, found.why) == (None, Why.TIE)
    assert best_of([second, first], by_pair([found])) == first


def test_without_opencv_one_line_says_so_and_the_pair_is_judged_later(
    room: Image.Image,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judge._tell_once.cache_clear()
    monkeypatch.setattr(features, "is_there", lambda: False)
    pictures = [seen("a", room), seen("b", copy(room, "turned 1°"))]
    soft = seen("c", room.filter(ImageFilter.GaussianBlur(1)))

    with caplog.at_level(logging.WARNING):
        found = by_pair(judged([*pictures, soft], {}))

    assert [it.levelname for it in caplog.records] == ["WARNING"]
    assert "opencv-python-headless" in caplog.text
    verdicts = {it.pair[0][0] + it.pair[1][0]: it.verdict for it in found.values()}
    assert verdicts == {"ab": Alike.UNSURE, "ac": Alike.SAME, "bc": Alike.UNSURE}
    assert list(judged(pictures, found)) == []

    monkeypatch.undo()
    (again,) = judged(pictures, found)
    assert (again.method, again.verdict) == (Method.FEATURES, Alike.SAME)


def unseen(picture: Candidate) -> Candidate:
    """The same, of which the original cannot be read."""
    return replace(picture, view=lambda: None)


def test_a_pair_that_could_not_be_seen_is_judged_again(room: Image.Image) -> None:
    a, b = seen("a", room), seen("b", room.resize((512, 341)))
    known = by_pair(judged([a, unseen(b)], {}))

    (first,) = known.values()
    assert (first.verdict, first.better) == (Alike.SAME, a.sha256)
    assert list(judged([a, unseen(b)], known)) == []
    (second,) = judged([a, b], known)
    assert (second.verdict, second.version) == (Alike.SAME, judge.VERSION)
    assert list(judged([a, b], by_pair([second]))) == []


@pytest.mark.parametrize("lacking", ["original", "OpenCV"])
@pytest.mark.parametrize("verdict", [Alike.SAME, Alike.OTHER])
def test_an_answer_of_older_rules_stays_where_now_less_can_be_told(
    lacking: str,
    verdict: Alike,
    room: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b = seen("a", room), seen("b", copy(room, "turned 1°"))
    (told,) = judged([a, b], {})
    older = by_pair([replace(told, version="0", verdict=verdict)])

    with monkeypatch.context() as without:
        if lacking == "OpenCV":
            without.setattr(features, "is_there", lambda: False)
        found = judged([a, unseen(b) if lacking == "original" else b], older)
        assert list(found) == []

    assert list(judged([a, b], older)) == [told]


def test_a_choice_made_by_pixels_is_not_replaced_by_one_made_without(
    room: Image.Image,
) -> None:
    grey = room.convert("L").convert("RGB").resize((1536, 1024))
    a, b = seen("a", room), seen("b", grey)
    older = by_pair(replace(it, version="0") for it in judged([a, b], {}))

    assert list(judged([a, unseen(b)], older)) == []


def test_pairs_beyond_the_most_are_told_in_one_line(
    room: Image.Image,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "MOST_LOOKS", 1)
    copies = [seen(name, room.resize((600 + at, 400))) for at, name in enumerate("abc")]

    with caplog.at_level(logging.WARNING):
        found = list(judged(copies, {}))

    assert len(found) == 1
    (line,) = caplog.messages
    assert "2 more were not" in line
    assert "phx duplicates join" in line
