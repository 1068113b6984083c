import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.cluster import cluster, copies
from phx_pipeline.dedup.evaluate import Score, score_clusters
from phx_pipeline.dedup.hashes import picture_hashes
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode
from phx_pipeline.model.judgement import Judgement, Pair, by_pair
from phx_pipeline_tests.corpus.cameras import VIEWS, moved_cameras, other_views, pan
from phx_pipeline_tests.corpus.copies import (
    SINGLES,
    UNPROMISED,
    single_copies,
    site_copies,
)
from phx_pipeline_tests.corpus.frames import damaged_file
from phx_pipeline_tests.corpus.halves import Half, half_of
from phx_pipeline_tests.corpus.pages import PAGES, pages
from phx_pipeline_tests.corpus.pictures import Made, draws, identity
from phx_pipeline_tests.corpus.rooms import ROOMS
from phx_pipeline_tests.corpus.worse import choices

MakePicture = Callable[..., Image.Image]


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body)).convert("RGB")


def candidates(made: Iterable[Made]) -> list[Candidate]:
    """The pictures, named by their place."""
    images = [opened(it.body) for it in made]
    return [
        Candidate(
            sha256=str(index),
            width=image.width,
            height=image.height,
            hashes=picture_hashes(image),
            appearance=appearance(image),
        )
        for index, image in enumerate(images)
    ]


def judgements(pictures: list[Candidate]) -> dict[Pair, Judgement]:
    return by_pair(judged(pictures, {}))


def scored(made: list[Made]) -> Score:
    return score_found(made, candidates(made))


def score_found(made: list[Made], found: list[Candidate]) -> Score:
    clusters = cluster(found, judgements=judgements(found))
    return score_clusters([it.identity for it in made], clusters)


@pytest.fixture(scope="module")
def photos(shared_dir: Path) -> dict[str, bytes]:
    """Some photos of every room and house, by name."""
    files = sorted((shared_dir / "photos/full").glob("*.jpg"))[::22]
    return {file.stem: file.read_bytes() for file in files}


@cache
def sixteen(kind: str) -> tuple[list[Made], list[Candidate]]:
    """Pages, each in two forms; hashes alone would merge some of the documents."""
    made = [page for number in range(16) for page in pages(kind, number=number, seed=2)]
    return made, candidates(made)


def original(name: str, body: bytes) -> Made:
    return Made(identity=identity(name), kind="original", body=body)


def test_equal_draws_give_equal_bytes(make_picture: MakePicture) -> None:
    photo = make_picture(1)

    first = list(site_copies(photo, name="1_kitchen", seed=1))

    assert list(site_copies(photo, name="1_kitchen", seed=1)) == first
    assert list(site_copies(photo, name="1_kitchen", seed=2)) != first
    assert list(site_copies(photo, name="2_kitchen", seed=1)) != first


def test_all_copies_of_a_photo_are_labelled_alike(make_picture: MakePicture) -> None:
    photo = make_picture(2)
    made = [
        *site_copies(photo, name="x", seed=1, rounds=2),
        *single_copies(photo, name="x", seed=1),
    ]

    assert {it.identity for it in made} == {"x"}
    assert len(made) == 6 + len(SINGLES)


def test_every_other_view_is_labelled_apart(make_picture: MakePicture) -> None:
    photo = make_picture(3)
    made = [
        *moved_cameras(photo, name="x", seed=1, count=3),
        *pan(photo, name="x", seed=1),
        *other_views(photo, name="x", seed=1),
    ]

    assert len({it.identity for it in made}) == len(made) == 8 + len(VIEWS)


@pytest.mark.parametrize("kind", ROOMS)
def test_twins_share_much_and_differ(kind: str) -> None:
    (one, _), (twin, _), (stranger, _) = (
        pages(kind, number=number, seed=1) for number in (0, 1, 2)
    )
    first, second, third = (
        np.asarray(opened(it.body).convert("L").resize((64, 48)), dtype=float)
        for it in (one, twin, stranger)
    )

    assert 0.5 < abs(first - second).mean() < abs(first - third).mean()


def test_houses_lie_in_one_half_by_their_numbers() -> None:
    halves = [half_of(str(house)) for house in range(1, 536)]

    assert 220 < halves.count(Half.JUDGING) < 315
    assert [half_of(house) for house in ("10", "12")] == [Half.JUDGING, Half.TUNING]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_damaged_file_looks_whole_to_lenient_decoders(
    seed: int, make_picture: MakePicture
) -> None:
    body = damaged_file(make_picture(1), draws("x", "damaged", seed=seed))

    assert opened(body).size == make_picture(1).size
    with pytest.raises(ImageError):
        decode(body)


def test_known_repeats_are_one_photo() -> None:
    assert identity("12_bedroom") == identity("12_bathroom")
    assert identity("13_bedroom") != identity("13_bathroom")


def test_a_photo_is_not_cut_to_the_shape_it_has(make_picture: MakePicture) -> None:
    kinds = ["16:9 crop", "square crop"]

    made = choices(make_picture(1).resize((640, 356)), name="x", seed=1, kinds=kinds)

    assert [it.kind for it in made] == ["square crop"]


def test_copies_as_sites_make_them_are_found(photos: dict[str, bytes]) -> None:
    made = []
    for name, body in photos.items():
        made.append(original(name, body))
        made += site_copies(opened(body), name=name, seed=1)

    score = scored(made)

    assert score.pairs > 75
    assert (score.merged - score.right, score.lost) == (0, 0)
    assert score.recall > 0.98


def test_a_moved_camera_makes_another_photo(photos: dict[str, bytes]) -> None:
    made = []
    for name, body in photos.items():
        image = opened(body)
        image.thumbnail((640, 640))
        made.append(original(name, body))
        made += moved_cameras(image, name=name, seed=1)

    score = scored(made)

    assert score.photos == score.pictures > 35
    assert (score.merged, score.lost) == (0, 0)


@pytest.mark.parametrize("kind", ["bracket", "relit 10 %", "4:3 from 3:2"])
def test_the_same_frame_in_other_light_or_shape_is_a_copy(
    kind: str, photos: dict[str, bytes]
) -> None:
    found = 0
    for name, body in photos.items():
        (one,) = single_copies(opened(body), name=name, seed=1, kinds=[kind])
        both = candidates([original(name, body), one])
        found += len(copies(both, judgements=judgements(both)))

    assert found >= len(photos) - 1


def test_what_is_not_promised_is_named() -> None:
    assert UNPROMISED.issubset(SINGLES)


@pytest.mark.parametrize("kind", sorted(set(PAGES) - {"blank"}))
def test_distinct_plans_and_documents_stay_apart(kind: str) -> None:
    made, found = sixteen(kind)

    score = score_found(made, found)

    assert (score.merged - score.right, score.lost) == (0, 0)
    assert score.recall > (0.5 if kind == "document" else 0.99)


def test_without_pixels_distinct_pages_would_be_merged() -> None:
    made, found = sixteen("document")
    bare = [replace(it, appearance=None) for it in found]

    assert any(
        made[a].identity != made[b].identity for a, b in copies(bare, judgements={})
    )
