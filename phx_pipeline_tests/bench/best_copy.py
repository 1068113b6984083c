#!/usr/bin/env python
r"""How often the copy a person would choose is kept, by what is wrong with the other.

    python -m phx_pipeline_tests.bench.best_copy ../shared/photos --every 3

Only houses with even numbers: the limits were set on the others. Pairs that are not
taken for copies are counted apart. Kinds: `phx_pipeline.dedup.corpus.worse`.
"""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import click
from PIL import Image

from phx_pipeline.dedup.afresh import cluster_afresh
from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.corpus.pictures import decoded
from phx_pipeline.dedup.corpus.worse import choices
from phx_pipeline.dedup.hashes import picture_hashes
from phx_pipeline.dedup.proposals import Candidate


@click.command()
@click.argument("photos", type=click.Path(exists=True, path_type=Path))
@click.option("--every", default=1, show_default=True, help="Take one photo in N.")
@click.option("--upright", is_flag=True, help="Turn the photos on their sides.")
def main(photos: Path, *, every: int, upright: bool) -> None:
    """Ask for the best of pairs made of PHOTOS, the folder with `full`."""
    right, apart, total = Counter[str](), Counter[str](), Counter[str]()
    for name, photo in _judging_half(photos, every=every):
        image = photo.transpose(Image.Transpose.ROTATE_90) if upright else photo
        for pair in choices(image, name=name, seed=1):
            better, worse = _named(pair.better), _named(pair.worse)
            found = cluster_afresh([better, worse])
            total[pair.kind] += 1
            apart[pair.kind] += len(found) > 1
            right[pair.kind] += len(found) == 1 and found[0].best == better.sha256
    for kind, count in total.items():
        merged = count - apart[kind]
        click.echo(f"{kind}: {right[kind]} of {merged} right, {apart[kind]} apart")
    click.echo(f"all: {right.total()} of {total.total() - apart.total()} right")


def _judging_half(photos: Path, *, every: int) -> Iterator[tuple[str, Image.Image]]:
    files = sorted((photos / "full").glob("*.jpg"))
    even = [file for file in files if int(file.stem.partition("_")[0]) % 2 == 0]
    for file in even[::every]:
        with Image.open(file) as image:
            yield file.stem, image.convert("RGB")


def _named(body: bytes) -> Candidate:
    image = decoded(body)
    return Candidate(
        sha256=sha256(body).hexdigest(),
        width=image.width,
        height=image.height,
        hashes=picture_hashes(image),
        appearance=appearance(image),
        size_bytes=len(body),
    )


if __name__ == "__main__":
    main()
