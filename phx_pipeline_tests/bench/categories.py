"""What the embedded backend knows, and what it must not be believed about.

    python -m phx_pipeline_tests.bench.categories
    python -m phx_pipeline_tests.bench.categories --others ROOMS

Prints tables: cross-validation by house; what happens to photos of a class that heads
and words never met; how often stated probabilities are right where half of all photos
are such; the captured Zillow gallery, filled with photos of houses set aside; and CPU
time. ROOMS holds a folder of photos for each scene, named after its subject if it has
one, other scenes than the four among them: photos of another origin. Features are kept
in a folder for temporary files.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import click
import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize import drawing, heads
from phx_pipeline.categorize.base import Categorizer, Evidence, Said, Vote
from phx_pipeline.categorize.embedded import EmbeddedCategorizer
from phx_pipeline.categorize.fusion import NAMED_AT, SURELY_INSIDE, SURELY_OUTSIDE, fuse
from phx_pipeline.categorize.gate import SURE, Opinion, opinions, weighed
from phx_pipeline.categorize.listing_text import ListingTextCategorizer
from phx_pipeline.categorize.network.session import Network
from phx_pipeline.categorize.words import UNDECIDED, WORDS
from phx_pipeline.imaging.glimpse import glimpse
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.sources.zillow.gallery import parse_gallery
from phx_pipeline_tests.bench.houses import (
    CACHE,
    FOLDS,
    SHARED,
    SUBJECTS,
    InMemory,
    Photos,
    features_of,
    fit_heads,
    half_each,
    labelled,
    pixels,
)
from phx_pipeline_tests.bench.multinomial import fit_temperature, softmax
from phx_pipeline_tests.bench.pictures import different_jpegs

_GALLERY: Final = SHARED / "samples/zillow/property_2023-05_sf_zpid15192198.json"
_FILLINGS: Final = 200
_ROUNDS: Final = 5
_BINS: Final = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.01)
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_ALL: Final = tuple(range(len(SUBJECTS)))


@click.command()
@click.option("--cache", type=click.Path(path_type=Path), default=CACHE)
@click.option("--others", type=click.Path(path_type=Path), help="Folders of rooms.")
def main(*, cache: Path, others: Path | None) -> None:
    """Measure all of it and tell it."""
    photos = labelled(cache=cache)
    _tell("By house, five folds", _cross_validated(photos))
    _tell("Shipped heads on the houses set aside", _set_aside(photos))
    whole = [_left_out(photos, it) for it in _ALL]
    _tell("One class left out, its words too", _of_left_out(photos, whole))
    _tell("Half of all photos unseen: stated and right", _reliability(photos, whole))
    _tell("The captured Zillow gallery", _gallery(photos.only(photos.aside), cache))
    if others:
        _tell("Rooms the heads never saw", _of_others(others, cache=cache))
    _tell("CPU ms for one photo", _cost(cache))


def _tell(title: str, lines: Iterator[str]) -> None:
    click.echo(f"\n## {title}")
    for line in lines:
        click.echo(line)


def _cross_validated(photos: Photos) -> Iterator[str]:
    logits = photos.held_back(_ALL)
    chances = softmax(logits, temperature=fit_temperature(logits, photos.labels))
    right = chances.argmax(axis=1) == photos.labels
    folds = [right[photos.folds == fold].mean() for fold in range(FOLDS)]
    outdoors = SUBJECTS.index(Subject.EXTERIOR)
    outside = (chances[:, outdoors] > chances.sum(axis=1) / 2) == (
        photos.labels == outdoors
    )
    yield f"photos {len(right)}, houses {len(np.unique(photos.houses))}"
    yield f"accuracy {right.mean():.4f} (folds {np.std(folds):.4f})"
    yield f"ECE {_ece(chances.max(axis=1), right):.4f}"
    yield f"exterior against interior {outside.mean():.4f}"
    yield "rows true, columns said: " + " ".join(it.value for it in SUBJECTS)
    for truth in _ALL:
        said = np.bincount(chances[photos.labels == truth].argmax(axis=1), minlength=4)
        yield f"{SUBJECTS[truth].value:10} {said.tolist()}"


def _set_aside(photos: Photos) -> Iterator[str]:
    aside = photos.only(photos.aside)
    told = opinions(heads.shipped(), aside.features, aside.words)
    right = _right(told, aside.labels)
    sure = np.array([it.sure for it in told])
    p = np.array([_best(it) for it in told])
    yield f"photos {len(right)}, likeliest right {right.mean():.4f}"
    yield f"named (>= .5) {(p >= NAMED_AT).mean():.3f}, right {_mean(right, p >= 0.5)}"
    yield f"named at >= .85 {sure.mean():.3f}, right {_mean(right, sure)}"
    for truth in _ALL:
        own = aside.labels == truth
        yield (
            f"{SUBJECTS[truth].value:10} named {(p[own] >= NAMED_AT).mean():.3f}, "
            f"at >= .85 {sure[own].mean():.3f}"
        )
    outside = np.array([it.outside for it in told])
    outdoors = aside.labels == SUBJECTS.index(Subject.EXTERIOR)
    for name, rows in (("outdoors", outdoors), ("indoors", ~outdoors)):
        yield (
            f"{name}: surely outside {(outside[rows] >= SURELY_OUTSIDE).mean():.4f}, "
            f"surely inside {(outside[rows] <= SURELY_INSIDE).mean():.4f}"
        )


def _left_out(photos: Photos, left_out: int) -> list[Opinion]:
    """Return opinions on all photos where nobody knows a class, nor its words."""
    known = [it for it in _ALL if it != left_out]
    fitted = fit_heads(photos, known)
    logits = photos.held_back(known)
    rows = photos.labels != left_out
    temperature = fit_temperature(
        logits[rows], np.searchsorted(known, photos.labels[rows])
    )
    words = photos.words.copy()
    words[:, [*WORDS[SUBJECTS[left_out]], *UNDECIDED]] = 0
    return weighed(
        fitted,
        logits=logits / temperature,
        outdoors=photos.outdoors_held_back(known),
        words=words,
    )


def _of_left_out(photos: Photos, whole: Sequence[list[Opinion]]) -> Iterator[str]:
    everyone = np.ones(len(photos.labels), np.bool_)
    for name, rows in (
        ("all houses", everyone),
        ("houses trained on", ~photos.aside),
        ("houses set aside", photos.aside),
    ):
        yield f"{name}: named at >= .85 of the class left out, of the others, right"
        unseen, kept, right = [], [], []
        for left_out, told in enumerate(whole):
            sure = np.array([it.sure for it in told])
            own = rows & (photos.labels == left_out)
            rest = rows & (photos.labels != left_out)
            unseen.append(sure[own].mean())
            kept.append(sure[rest].mean())
            right.append(_right(told, photos.labels)[rest & sure].mean())
            yield (
                f"  {SUBJECTS[left_out].value:10} {unseen[-1]:.3f} "
                f"{kept[-1]:.3f} {right[-1]:.4f}"
            )
        yield (
            f"  mean {np.mean(unseen):.3f}, worst {max(unseen):.3f}; "
            f"kept {np.mean(kept):.3f}; right {np.mean(right):.4f}"
        )


def _reliability(photos: Photos, whole: Sequence[list[Opinion]]) -> Iterator[str]:
    p = np.concatenate([[_best(it) for it in told] for told in whole])
    right = np.concatenate([_right(told, photos.labels) for told in whole])
    weights = np.concatenate([half_each(photos.labels != it) for it in _ALL])
    yield from _bins(p, right, weights)
    yield f"ECE {_ece(p, right, weights):.4f}"


def _gallery(aside: Photos, cache: Path) -> Iterator[str]:
    if not _GALLERY.exists():
        yield f"left out: no {_GALLERY}"
        return
    told = _said_in_gallery()
    text = ListingTextCategorizer()
    pixels_too = EmbeddedCategorizer(cache_dir=cache, features=InMemory())
    both: list[tuple[str, list[Categorizer]]] = [
        ("text alone", [text]),
        ("with pixels", [text, pixels_too]),
    ]
    for name, backends in both:
        found = [_filled(told, aside, backends, seed=it) for it in range(_FILLINGS)]
        p, right = np.array(found).reshape(-1, 2).T
        right = right.astype(np.bool_)
        yield (
            f"{name}: {len(told)} photos, {_FILLINGS} fillings: named "
            f"{(p >= NAMED_AT).mean():.3f}, right {_mean(right, p >= NAMED_AT)}; "
            f"at >= .85 {(p >= SURE).mean():.3f}, right {_mean(right, p >= SURE)}"
        )


def _said_in_gallery() -> list[Said]:
    home = json.loads(_GALLERY.read_text(encoding="utf-8"))
    return [
        Said(
            source=Source.ZILLOW,
            photo_key=it.photo_key,
            position=it.position,
            caption=it.caption,
            tags=it.tags,
        )
        for it in parse_gallery(home).photos
    ]


def _filled(
    told: Sequence[Said],
    photos: Photos,
    backends: Sequence[Categorizer],
    *,
    seed: int,
) -> list[tuple[float, bool]]:
    """Return, per photo of a filled gallery, the probability of its name, and if right.

    Not named: 0.
    """
    rows = np.random.default_rng(seed).choice(
        len(photos.paths), len(told), replace=False
    )
    pictures = [
        Evidence(
            sha256=photos.paths[row].stem,
            said=(said,),
            pixels=partial(pixels, photos.paths[row]),
        )
        for said, row in zip(told, rows, strict=True)
    ]
    answers = zip(*(it.categorize(pictures) for it in backends), strict=True)
    knows = {it.name: it.knows for it in backends}
    fused = [
        fuse([it for it in one if isinstance(it, Vote)], knows=knows) for one in answers
    ]
    return [
        (
            it.probability if it.probability >= NAMED_AT else 0.0,
            it.category.subject is SUBJECTS[photos.labels[row]],
        )
        for it, row in zip(fused, rows, strict=True)
    ]


def _of_others(folder: Path, *, cache: Path) -> Iterator[str]:
    network = Network(cache)
    stated: list[float] = []
    right: list[bool] = []
    for room in sorted(it for it in folder.iterdir() if it.is_dir()):
        paths = sorted(it for it in room.iterdir() if it.suffix in _PICTURES)
        features = features_of(paths, network=network, cache=cache)
        told = opinions(heads.shipped(), features, network.words(features))
        yield f"{room.name}: {len(told)} photos, {_named(told)}"
        stated += [_best(it) for it in told]
        right += [_likeliest(it).value == room.name for it in told]
    yield "all of them together, stated and right:"
    p, is_right = np.array(stated), np.array(right)
    yield from _bins(p, is_right, np.ones(len(p)))
    yield f"ECE {_ece(p, is_right):.4f}"


def _named(told: Sequence[Opinion]) -> str:
    inside = np.mean([it.outside <= SURELY_INSIDE for it in told])
    outside = np.mean([it.outside >= SURELY_OUTSIDE for it in told])
    return (
        f"at >= .85 {_shares(told, SURE)}; named {_shares(told, NAMED_AT)}; "
        f"surely inside {inside:.3f}, surely outside {outside:.3f}"
    )


def _shares(told: Sequence[Opinion], least: float) -> str:
    """Return the share of each name among pictures that get one of *least* or more."""
    named = [_likeliest(it).value for it in told if _best(it) >= least]
    shares = {it: named.count(it) / len(told) for it in sorted(set(named))}
    return ", ".join(f"{it} {share:.3f}" for it, share in shares.items()) or "none"


def _cost(cache: Path) -> Iterator[str]:
    jpegs = different_jpegs(SHARED / "photos/full", count=24)
    network = Network(cache)
    network.features(glimpse(jpegs[0]))
    glimpses = [glimpse(it) for it in jpegs]
    features = network.features(glimpses[0])[None]
    yield f"glimpse of 1536 x 1152 {_ms(lambda: [glimpse(it) for it in jpegs], 24):.1f}"
    yield f"features {_ms(lambda: [network.features(it) for it in glimpses], 24):.1f}"
    yield f"words {_ms(lambda: network.words(features), 1):.2f}"
    yield f"ground {_ms(lambda: [drawing.ground(it) for it in glimpses], 24):.2f}"


def _bins(
    p: NDArray[np.floating], right: NDArray[np.bool_], weights: NDArray[np.floating]
) -> Iterator[str]:
    for low, high in pairwise(_BINS):
        rows = (p >= low) & (p < high)
        if rows.any():
            stated = np.average(p[rows], weights=weights[rows])
            seen = np.average(right[rows], weights=weights[rows])
            yield f"from {low:.2f}: {rows.sum():5} photos, {stated:.3f} {seen:.3f}"


def _ece(
    p: NDArray[np.floating],
    right: NDArray[np.bool_],
    weights: NDArray[np.floating] | None = None,
) -> float:
    """Return by how much stated probabilities miss, over 15 bins of equal width."""
    heavy = np.ones(len(p)) if weights is None else weights
    bins = np.minimum((p * 15).astype(int), 14)
    off = np.bincount(bins, weights=heavy * (p - right), minlength=15)
    return float(np.abs(off).sum() / heavy.sum())


def _right(told: Sequence[Opinion], labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    return np.array(
        [
            _likeliest(it) is SUBJECTS[label]
            for it, label in zip(told, labels, strict=True)
        ]
    )


def _likeliest(told: Opinion) -> Subject:
    return max(told.probabilities, key=told.probabilities.__getitem__)


def _best(told: Opinion) -> float:
    return max(told.probabilities.values())


def _mean(values: NDArray[np.bool_], rows: NDArray[np.bool_]) -> str:
    return f"{values[rows].mean():.4f}" if rows.any() else "-"


def _ms(work: Callable[[], object], items: int) -> float:
    """Return CPU ms for one item in the best of several rounds."""
    rounds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        work()
        rounds.append((time.process_time() - start) / items * 1000)
    return min(rounds)


if __name__ == "__main__":
    main()
