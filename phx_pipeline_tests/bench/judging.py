"""What finding copies takes in a house, decoding for it and choosing included.

Houses of different photos, of photos that two sources show, of cuts of one photo, and
the last with one cut more, where all else has been judged. Thumbnails are at hand, as
collecting makes them.

    python -m phx_pipeline_tests.bench.judging --pictures 60
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from phx_pipeline.cli.bench.looks import candidate
from phx_pipeline.dedup.cluster import cluster
from phx_pipeline.dedup.judge import judged
from phx_pipeline.dedup.proposals import Candidate, proposed
from phx_pipeline.model.judgement import Judgement, Method, Pair, by_pair
from phx_pipeline_tests.bench.pictures import PHOTOS, different_jpegs
from phx_pipeline_tests.corpus.copies import marked_copies, site_copies
from phx_pipeline_tests.corpus.pictures import jpeg

Known = dict[Pair, Judgement]

_CUT = 0.06  # of each side, at most


def main() -> None:
    """Print a row for each house."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--pictures", type=int, default=60)
    wish = parser.parse_args()
    count = wish.pictures
    photos = different_jpegs(wish.photos, count=count)
    _measure("warming up", _seen(photos[:2]), {})
    heads = ("pictures", "pairs near by hash", "compared", "by features", "clusters")
    _print("house", *heads, "CPU s")
    _measure("different photos", _seen(photos), {})
    _measure("two sources", _seen(_shown_twice(photos[: count // 2])), {})
    cuts = _seen(islice(_cuts(photos[0]), count + 1))
    known = _measure("cuts of one photo", cuts[:-1], {})
    _measure("one cut more", cuts, known)


def _measure(name: str, house: Sequence[Candidate], known: Known) -> Known:
    start_s = time.process_time()
    new = by_pair(judged(house, known))
    spent_s = time.process_time() - start_s
    pairs = len(proposed(sorted(house, key=lambda it: it.by_size)).pairs)
    by_features = sum(it.method is Method.FEATURES for it in new.values())
    clusters = len(cluster(house, judgements=known | new))
    figures = (len(house), pairs, len(new), by_features, clusters)
    _print(name, *map(str, figures), f"{spent_s:.1f}")
    return known | new


def _print(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")


def _seen(bodies: Iterable[bytes]) -> list[Candidate]:
    return [candidate(it, name=sha256(it).hexdigest()) for it in bodies]


def _shown_twice(photos: Sequence[bytes]) -> Iterator[bytes]:
    """Yield each photo and another site's copy, every second one branded."""
    for number, body in enumerate(photos):
        yield body
        image = Image.open(BytesIO(body))
        make = marked_copies if number % 2 else site_copies
        yield next(make(image, name=str(number), seed=1)).body


def _cuts(photo: bytes) -> Iterator[bytes]:
    random = np.random.default_rng(1)
    image = Image.open(BytesIO(photo))
    while True:
        left, top, right, bottom = random.uniform(0, _CUT, 4)
        box = (left, top, 1 - right, 1 - bottom)
        cut = image.crop(
            tuple(
                round(at * side) for at, side in zip(box, image.size * 2, strict=True)
            )
        )
        cut.thumbnail((round(cut.width * random.uniform(0.6, 1)),) * 2)
        yield jpeg(cut, int(random.integers(70, 92)))


if __name__ == "__main__":
    main()
