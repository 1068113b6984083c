"""What it costs to name pictures anew that are here already, and whether names stay.

    .venv/bin/python -m phx_pipeline_tests.bench.recategorize --photos FOLDER 1000 5000

For each number of photos, forty to a house: CPU time of `phx categorize run --all` when
the listings' words alone, of which there are none here, had named them; then again.
No source is asked and no picture is encoded. The photos of FOLDER are made unlike by a
comment in the file. `ratio` is of a photo's cost to that at the first number.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import click
from PIL import Image

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.model.address import Address
from phx_pipeline.model.identity import image_id
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Blob, Decision, PhotoRef, PictureHashes
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.recategorize import Recategorized, recategorize
from phx_pipeline.stages.views import refresh_views
from phx_pipeline_tests.deployment import Deployment

_PHOTOS: Final = 40
_LEAST_SIDE: Final = 200  # smaller ones are no pictures to the pipeline
_SIZE: Final = {"width": 1024, "height": 768}


@click.command()
@click.argument("sizes", nargs=-1, type=int, required=True)
@click.option(
    "--photos",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
)
@click.option("--backends", default="", help="As PHX_CATEGORIZERS; by default all.")
def main(sizes: tuple[int, ...], *, folder: Path, backends: str) -> None:
    """Measure at each of SIZES, a JSON line each."""
    files = [it for it in sorted(folder.glob("*.jpg")) if _is_large(it)]
    chosen = tuple(filter(None, backends.split(",")))
    first = 0.0
    for size in sizes:
        figures = _measured(files, size, chosen)
        first = first or figures["CPU ms a photo"]
        figures["ratio"] = figures["CPU ms a photo"] / first
        rounded = {name: round(value, 3) for name, value in figures.items()}
        click.echo(json.dumps({"photos": size, **rounded}))


def _is_large(path: Path) -> bool:
    with Image.open(path) as image:
        return min(image.size) >= _LEAST_SIDE


def _measured(
    files: Sequence[Path], size: int, backends: tuple[str, ...]
) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory() as root,
        Deployment(Path(root), {}, categorizers=backends) as made,
    ):
        with made.context() as context:
            slugs = fill(context, files, size)
            # As a version before that only knew the listings' words: all unknown.
            only_words = replace(context, categorizers=context.categorizers[:1])
            for slug in slugs:
                recategorize(only_words, slug)
        asked = len(made.standin.asked)
        first_s, first = _run(made, slugs)
        again_s, again = _run(made, slugs)
        return {
            "CPU s": first_s,
            "CPU ms a photo": 1000 * first_s / size,
            "CPU s again": again_s,
            "named": sum(it.report.named for it in first) / size,
            "renamed": sum(it.renamed for it in first),
            "renamed again": sum(it.renamed for it in again),
            "requests": len(made.standin.asked) - asked,
        }


def _run(made: Deployment, slugs: Sequence[str]) -> tuple[float, list[Recategorized]]:
    """Return the CPU time of naming all houses anew, and what came of it."""
    with made.context() as context:
        started = time.process_time()
        done = [recategorize(context, slug) for slug in slugs]
        refresh_views(context)
        return time.process_time() - started, done


def fill(context: StageContext, files: Sequence[Path], size: int) -> list[str]:
    """Store *size* kept photos of houses with forty each; return the houses."""
    bodies = islice(cycle(path.read_bytes() for path in files), size)
    houses = [
        Property.at(Address.parse(f"{100 + n} W Davis Rd, Glendale, AZ 85306"))
        for n in range((size + _PHOTOS - 1) // _PHOTOS)
    ]
    context.catalog.add_properties(houses, at=context.stamp().at)
    for number, house in enumerate(houses):
        some = list(islice(bodies, _PHOTOS))
        unlike = [
            _unlike(body, number * _PHOTOS + place) for place, body in enumerate(some)
        ]
        with context.holding(house.slug) as lease:
            _store(context, lease, house.slug, unlike)
    return [house.slug for house in houses]


def _unlike(body: bytes, number: int) -> bytes:
    """The same JPEG with a comment, so that it is another file."""
    return body[:2] + b"\xff\xfe\x00\x0a" + number.to_bytes(8, "big") + body[2:]


def _store(
    context: StageContext, lease: Lease, slug: str, bodies: Sequence[bytes]
) -> None:
    catalog, stamp = context.catalog, context.stamp()
    catalog.record_listing(lease, slug, _listing(slug, len(bodies)), stamp=stamp)
    decisions = {}
    for photo, body in zip(catalog.photos(slug), bodies, strict=True):
        sha = context.blobs.put_raw(body)
        facts = {"size_bytes": len(body), "media_type": "image/jpeg", **_SIZE}
        blob = Blob(sha256=sha, hashes=_hashes(sha), **facts)  # type: ignore[arg-type]  # each is of its kind
        catalog.record_download(
            lease, photo, blob, fetched_url=photo.ref.url, stamp=stamp
        )
        context.blobs.put_standardized(sha, context.recipe, sha.encode())
        png = {"png_sha256": sha[::-1], "size_bytes": 64, **_SIZE}
        catalog.record_picture(
            lease,
            StandardPicture(sha256=sha, recipe=context.recipe, **png),  # type: ignore[arg-type]  # as above
        )
        kept = Decision(verdict=Verdict.KEPT, cluster_id=image_id(slug, sha))
        decisions[photo.key] = kept
    catalog.record_decisions(lease, slug, decisions, stamp=stamp)


def _hashes(sha: str) -> PictureHashes:
    """Hashes by which no two of them look alike."""
    of = [int(sha[start : start + 16], 16) for start in range(0, 64, 16)]
    return PictureHashes(
        phash=of[0], dhash=of[1], trimmed_phash=of[2], trimmed_dhash=of[3]
    )


def _listing(slug: str, photos: int) -> Listing:
    return Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=tuple(
            PhotoRef(
                source=Source.REDFIN,
                photo_key=f"{slug}_{place}",
                url=f"https://ssl.cdn-redfin.com/photo/{slug}/{place}.jpg",
                position=place,
            )
            for place in range(photos)
        ),
        complete=True,
    )


if __name__ == "__main__":
    main()
