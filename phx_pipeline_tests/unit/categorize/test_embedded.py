"""What the backend says of real photos, and how little it must look at."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from phx_pipeline.categorize import heads
from phx_pipeline.categorize.base import Abstention, Evidence, Vote
from phx_pipeline.categorize.drawing import MEASURE
from phx_pipeline.categorize.embedded import EmbeddedCategorizer
from phx_pipeline.categorize.gate import UNJUDGED, UNSURE, weighed
from phx_pipeline.categorize.heads import HeadsError
from phx_pipeline.categorize.network.session import FEATURES, NETWORK, Network
from phx_pipeline.categorize.trained import Head, TrainedModel
from phx_pipeline.categorize.words import UNDECIDED, WORDS
from phx_pipeline.errors import ImageError
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline_tests.bench.houses import InMemory, is_aside, pixels

PHOTOS = 40
SHOWN = {
    "bathroom": Subject.BATHROOM,
    "bedroom": Subject.BEDROOM,
    "frontal": Subject.EXTERIOR,
    "kitchen": Subject.KITCHEN,
}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="session")
def photos(shared_dir: Path) -> list[Path]:
    """Photos of houses that no head was trained on, of all subjects alike."""
    found = [
        path
        for path in sorted((shared_dir / "photos/small").glob("*.jpg"))
        if is_aside(int(path.stem.split("_")[0]))
    ]
    if not found:
        pytest.skip("no labelled photos of houses in ../shared/photos/small")
    return found[:PHOTOS]


@pytest.fixture(scope="session")
def kept(photos: list[Path], cache: Path) -> InMemory:
    """What a first look at the photos has left in the catalogue."""
    features = InMemory()
    EmbeddedCategorizer(cache_dir=cache, features=features).categorize(
        [evidence(path, partial(pixels, path)) for path in photos]
    )
    return features


def evidence(path: Path, look: Callable[[], NDArray[np.uint8]]) -> Evidence:
    return Evidence(sha256=path.stem, said=(), pixels=look)


def never() -> NoReturn:
    raise AssertionError("looked at once more")


def shown(path: Path) -> Subject:
    return SHOWN[path.stem.split("_")[1]]


def best(vote: Vote | Abstention) -> tuple[Subject, float]:
    assert isinstance(vote, Vote)
    return max(vote.probabilities.items(), key=lambda it: it[1])


def test_names_of_85_and_more_are_right_and_most_have_one(
    photos: list[Path], kept: InMemory, cache: Path
) -> None:
    backend = EmbeddedCategorizer(cache_dir=cache, features=kept)

    votes = backend.categorize([evidence(path, never) for path in photos])

    named = [
        (best(vote), shown(path)) for vote, path in zip(votes, photos, strict=True)
    ]
    sure = [(subject, truth) for (subject, p), truth in named if p >= 0.85]
    assert sum(subject is truth for (subject, _), truth in named) >= 0.9 * len(photos)
    assert len(sure) >= 0.6 * len(photos)
    assert sum(subject is not truth for subject, truth in sure) <= 1
    for vote, path in zip(votes, photos, strict=True):
        assert isinstance(vote, Vote)
        assert vote.outside is not None
        assert (vote.outside > 0.5) == (shown(path) is Subject.EXTERIOR)


def test_a_room_that_heads_and_words_do_not_know_gets_no_name_of_85(
    photos: list[Path], kept: InMemory, cache: Path
) -> None:
    whole, network = heads.shipped(), Network(cache)
    stored = kept.get([path.stem for path in photos], NETWORK)
    rows = np.stack([np.frombuffer(stored[it.stem], np.float16) for it in photos])
    features = rows.astype(np.float32)
    logits = features @ whole.rooms[:, :-1].T + whole.rooms[:, -1]
    outdoors = features @ whole.outdoors[:-1] + whole.outdoors[-1]
    wrong = 0
    for at, left_out in enumerate(whole.subjects):
        words = network.words(features)
        words[:, [*WORDS[left_out], *UNDECIDED]] = 0
        told = weighed(
            heads.Heads(
                subjects=tuple(it for it in whole.subjects if it is not left_out),
                rooms=np.delete(whole.rooms, at, axis=0),
                outdoors=whole.outdoors,
                known=whole.known,
            ),
            logits=np.delete(logits, at, axis=1),
            outdoors=outdoors if left_out is not Subject.EXTERIOR else outdoors - 100,
            words=words,
        )
        wrong += sum(
            it.sure
            for it, path in zip(told, photos, strict=True)
            if shown(path) is left_out
        )
    assert wrong <= 2  # of 40 photos, each left out once


def test_no_answer_depends_on_the_pictures_asked_about_with_it(
    photos: list[Path], kept: InMemory, cache: Path
) -> None:
    backend = EmbeddedCategorizer(cache_dir=cache, features=kept)
    pictures = [evidence(path, never) for path in photos[:6]]

    together = backend.categorize(pictures)

    alone = [backend.categorize([it])[0] for it in pictures]
    fresh = EmbeddedCategorizer(cache_dir=cache, features=InMemory())
    seen = evidence(photos[0], lambda: pixels(photos[0]))
    assert together == alone
    assert backend.categorize(pictures[::-1]) == together[::-1]
    assert fresh.categorize([seen]) == together[:1]


@pytest.mark.parametrize(
    ("network", "damaged"),
    [
        (NETWORK, np.full(FEATURES, np.nan, np.float16).tobytes()),
        (NETWORK, np.full(FEATURES, np.inf, np.float16).tobytes()),
        (NETWORK, b"\0" * (2 * FEATURES + 1)),
        (MEASURE, np.float16(np.nan).tobytes()),
        (MEASURE, b"\0"),
    ],
    ids=["no numbers", "infinite", "half a number more", "no ground", "cut"],
)
def test_features_that_are_damaged_are_looked_for_anew_and_replaced(
    cache: Path, network: str, damaged: bytes
) -> None:
    features = InMemory()
    backend = EmbeddedCategorizer(cache_dir=cache, features=features)
    blank = evidence(Path("a"), lambda: np.full((224, 224, 3), 255, np.uint8))
    told = backend.categorize([blank])
    before = features.get(["a"], network)
    features.put(network, {"a": damaged})

    assert backend.categorize([blank]) == told
    assert features.get(["a"], network) == before


def test_a_picture_that_cannot_be_read_stops_no_other(cache: Path) -> None:
    def broken() -> NoReturn:
        raise ImageError("half of it is missing", verdict=Verdict.DAMAGED)

    backend = EmbeddedCategorizer(cache_dir=cache, features=InMemory())
    blank = np.full((224, 224, 3), 255, np.uint8)

    told = backend.categorize(
        [evidence(Path("a"), broken), evidence(Path("b"), lambda: blank)]
    )

    assert told[0] == Abstention(
        backend="embedded",
        version=backend.version,
        reason="the picture cannot be read: half of it is missing",
    )
    assert best(told[1]) == (Subject.DOCUMENT, UNJUDGED)


def model(*, judged: frozenset[Subject] = frozenset()) -> TrainedModel:
    """Return one that finds a pool in every picture."""
    head = Head(weights=np.zeros(1280, np.float32), bias=9.0)
    return TrainedModel(network=NETWORK, heads={Subject.POOL: head}, judged=judged)


def test_what_reviews_taught_counts_as_far_as_they_judged_it(
    photos: list[Path], kept: InMemory, cache: Path
) -> None:
    pictures = [evidence(photos[0], never)]

    def told(
        trained: TrainedModel | None,
    ) -> tuple[EmbeddedCategorizer, Vote | Abstention]:
        backend = EmbeddedCategorizer(cache_dir=cache, features=kept, trained=trained)
        return backend, backend.categorize(pictures)[0]

    shipped, _ = told(None)
    guessing, guess = told(model())
    judging, judged = told(model(judged=frozenset({Subject.POOL})))

    assert best(guess) == (Subject.POOL, UNJUDGED)
    assert best(judged)[1] > 0.99
    assert Subject.POOL in guessing.knows - shipped.knows
    versions = {shipped.version, guessing.version, judging.version}
    assert len(versions) == 3
    assert guessing.version.endswith(model().id)
    assert UNSURE < UNJUDGED


def test_heads_that_were_changed_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert len(heads.shipped().subjects) == 4
    heads.shipped.cache_clear()
    changed = tmp_path / "heads.npz"
    changed.write_bytes(heads.FILE.read_bytes() + b"\0")
    for file, told in (
        (changed, "was changed"),
        (tmp_path / "absent", "cannot be read"),
    ):
        monkeypatch.setattr(heads, "FILE", file)
        with pytest.raises(HeadsError, match=told):
            heads.shipped()
