#!/usr/bin/env python
r"""The full evaluation of de-duplication, on photos that are not in the repository.

    python -m phx_pipeline_tests.bench.dedup ../shared/photos \
        --seeds 5 --cache NEW_FOLDER

Prints a line per part; what was hashed is cached, a part per seed, so that a second
run only compares. Labels and operations: `phx_pipeline.dedup.corpus`.
"""

import io
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
from PIL import Image

from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.cluster import cluster, copies
from phx_pipeline.dedup.corpus.cameras import moved_cameras
from phx_pipeline.dedup.corpus.copies import single_copies, site_copies
from phx_pipeline.dedup.corpus.pages import PAGES, pages
from phx_pipeline.dedup.corpus.pictures import Made, identity
from phx_pipeline.dedup.evaluate import Score, score_clusters, score_pairs
from phx_pipeline.dedup.hashes import picture_hashes
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.model.judgement import by_pair

PAGES_PER_KIND = 400
Known = tuple[str, str, Candidate]  # identity, kind, picture


@click.command()
@click.argument("photos", type=click.Path(exists=True, path_type=Path))
@click.option("--seeds", default=5, show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), required=True)
def main(photos: Path, *, seeds: int, cache: Path) -> None:
    """Evaluate on PHOTOS, the folder with `full` and `small`."""
    cache.mkdir(parents=True, exist_ok=True)
    numbers = range(1, seeds + 1)
    site = [_cached(cache, f"site-{n}", partial(_site, photos, n)) for n in numbers]
    for number, known in zip(numbers, site, strict=True):
        _report(f"site copies, seed {number}", known)
    others = _cached(cache, "small", partial(_small, photos))
    _report("site copies, all seeds, all photos", _joined([*site, others]))
    _report_moved(_cached(cache, "moved", partial(_moved, photos)))
    for kind in PAGES:
        _report(kind, _cached(cache, f"page-{kind}", partial(_pages, kind)))
    _report_singles(_cached(cache, "single", partial(_singles, photos)))


def _full(photos: Path) -> Iterator[tuple[str, bytes, Image.Image]]:
    for file in sorted((photos / "full").glob("*.jpg")):
        body = file.read_bytes()
        yield file.stem, body, Image.open(io.BytesIO(body)).convert("RGB")


def _original(name: str, body: bytes) -> Made:
    return Made(identity=identity(name), kind="original", body=body)


def _site(photos: Path, seed: int) -> Iterator[Made]:
    for name, body, image in _full(photos):
        yield _original(name, body)
        yield from site_copies(image, name=name, seed=seed)


def _singles(photos: Path) -> Iterator[Made]:
    for name, body, image in _full(photos):
        yield _original(name, body)
        yield from single_copies(image, name=name, seed=1)


def _moved(photos: Path) -> Iterator[Made]:
    for name, body, image in _full(photos):
        yield _original(name, body)
        image.thumbnail((800, 800))
        yield from moved_cameras(image, name=name, seed=1, count=4)


def _small(photos: Path) -> Iterator[Made]:
    for file in sorted((photos / "small").glob("*.jpg")):
        yield _original(file.stem, file.read_bytes())


def _pages(kind: str) -> Iterator[Made]:
    for number in range(PAGES_PER_KIND):
        yield from pages(kind, number=number, seed=1)


def _cached(
    cache: Path, name: str, make: Callable[[], Iterator[Made]]
) -> Sequence[Known]:
    file = cache / f"{name}.pickle"
    if not file.exists():
        known = [(it.identity, it.kind, _candidate(it.body)) for it in make()]
        file.write_bytes(pickle.dumps(known))
    found: Sequence[Known] = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
    return found


def _candidate(body: bytes) -> Candidate:
    image = Image.open(io.BytesIO(body)).convert("RGB")
    return Candidate(
        sha256="",
        width=image.width,
        height=image.height,
        hashes=picture_hashes(image),
        appearance=appearance(image),
    )


def _joined(parts: Sequence[Sequence[Known]]) -> list[Known]:
    """Put parts together; the originals are in each of them, and count once."""
    joined = list(parts[0])
    for part in parts[1:]:
        joined += [it for it in part if it[1] != "original" or part is parts[-1]]
    return joined


def _numbered(known: Sequence[Known]) -> list[Candidate]:
    return [replace(it[2], sha256=str(index)) for index, it in enumerate(known)]


def _copies(candidates: list[Candidate]) -> frozenset[tuple[int, int]]:
    return copies(candidates, judgements=by_pair(judged(candidates, {})))


def _report(name: str, known: Sequence[Known]) -> None:
    labels, candidates = [it[0] for it in known], _numbered(known)
    judgements = by_pair(judged(candidates, {}))
    clusters = cluster(candidates, judgements=judgements)
    _echo(f"{name}: clusters", score_clusters(labels, clusters))
    _echo(f"{name}: pairs", score_pairs(labels, _copies(candidates)))
    bare = [replace(it, appearance=None) for it in candidates]
    _echo(f"{name}: hashes only", score_pairs(labels, copies(bare, judgements={})))


def _echo(name: str, score: Score) -> None:
    click.echo(
        f"{name}: precision {score.precision:.6f} recall {score.recall:.5f} "
        f"true pairs {score.pairs} wrong {score.merged - score.right} "
        f"lost {score.lost} left in {score.left_in} "
        f"({score.pictures} pictures, {score.photos} photos)"
    )


def _report_moved(known: Sequence[Known]) -> None:
    """Count the views merged with their original, one view at a time."""
    merged, total = Counter[str](), Counter[str]()
    original = known[0]
    for it in known:
        if it[1] == "original":
            original = it
            continue
        total[it[1]] += 1
        merged[it[1]] += bool(_copies(_numbered([original, it])))
    for kind, count in total.items():
        click.echo(f"moved camera, {kind}: {merged[kind]} of {count} merged")


def _report_singles(known: Sequence[Known]) -> None:
    """Count the copies found by operation, each beside its own original."""
    pairs = set(_copies(_numbered(known)))
    found, total = Counter[str](), Counter[str]()
    original = 0
    for index, it in enumerate(known):
        if it[1] == "original":
            original = index
            continue
        total[it[1]] += 1
        found[it[1]] += (original, index) in pairs
    for kind, count in total.items():
        click.echo(f"one operation, {kind}: {found[kind] / count:.4f} found")
    wrong = sum(known[a][0] != known[b][0] for a, b in pairs)
    click.echo(f"one operation: {wrong} wrong pairs")


if __name__ == "__main__":
    main()
