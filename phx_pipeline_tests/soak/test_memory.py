"""Large photos go through collect and dedupe in little memory."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline_tests.deployment import PHOTO_HOST, Deployment

TWELVE_MEGAPIXELS = (4000, 3000)
FORTY_MEGAPIXELS = (7300, 5475)
ONE_MEGAPIXEL = (1200, 900)
MIB_ALLOWED = 300

PROGRAM = textwrap.dedent(
    """
    import asyncio
    from pathlib import Path
    from phx_pipeline.settings import load_settings
    from phx_pipeline.stages.collect import collect
    from phx_pipeline.stages.dedupe import dedupe
    from phx_pipeline.wiring.runs import build_context

    def peak_kib():
        # `ru_maxrss` of a child starts at the peak of the process that forked it.
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(l for l in lines if l.startswith("VmHWM:")).split()[1])

    context = build_context(load_settings(), run_id="memory")
    slug, = context.catalog.slugs()
    before = peak_kib()
    stored = asyncio.run(collect(context, slug)).stored
    encoded = dedupe(context, slug).encoded
    print(stored, encoded, (peak_kib() - before) // 1024)
    """
)


def large_jpegs(size: tuple[int, int], *, count: int) -> list[bytes]:
    """Make different pictures of *size*, of about 2 MB each at 12 megapixels."""
    width, height = size
    random = np.random.default_rng(width)
    grain = random.integers(0, 24, (height, width, 3), dtype=np.uint8)
    same_for_all = Image.fromarray(grain)
    found = []
    for _ in range(count):
        coarse = random.integers(0, 232, (12, 16, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR)
        buffer = BytesIO()
        ImageChops.add(image, same_for_all).save(buffer, format="JPEG", quality=85)
        found.append(buffer.getvalue())
    return found


def mixed_jpegs(*, count: int) -> list[bytes]:
    """Make *count* ordinary pictures, and two of the largest size side by side."""
    ordinary = large_jpegs(ONE_MEGAPIXEL, count=count)
    return [
        *ordinary[:8],
        *large_jpegs(FORTY_MEGAPIXELS, count=2),
        *ordinary[8:],
    ]


def gallery(count: int) -> Listing:
    photos = [
        PhotoRef(
            source=Source.REDFIN,
            photo_key=f"{number:03d}",
            url=f"https://{PHOTO_HOST}/{number}.jpg",
            position=number,
        )
        for number in range(count)
    ]
    return Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=tuple(photos),
        complete=True,
    )


def serve(jpegs: Sequence[bytes], asked: Asked) -> Answer:
    body = jpegs[int(Path(asked.target).stem)]
    return Answer(body=body, headers={"Content-Type": "image/jpeg"})


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads the peak from Linux's /proc"
)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            partial(large_jpegs, TWELVE_MEGAPIXELS, count=10), marks=pytest.mark.soak
        ),
        partial(mixed_jpegs, count=12),
        pytest.param(partial(mixed_jpegs, count=30), marks=pytest.mark.soak),
        pytest.param(
            partial(large_jpegs, TWELVE_MEGAPIXELS, count=100), marks=pytest.mark.soak
        ),
    ],
    ids=["twelve megapixels", "two of forty", "two among thirty", "a hundred"],
)
def test_a_gallery_of_large_photos_fits_in_little_memory(
    tmp_path: Path, make: Callable[[], list[bytes]]
) -> None:
    jpegs = make()
    count = len(jpegs)
    sites = {PHOTO_HOST: lambda asked: serve(jpegs, asked)}

    with Deployment(tmp_path, sites) as made:
        (slug,) = made.add_houses(HOUSES[:1])
        with made.context() as context, context.holding(slug) as lease:
            context.catalog.record_listing(
                lease, slug, gallery(count), stamp=context.stamp()
            )
        done = subprocess.run(  # noqa: S603  # our own interpreter and program
            [sys.executable, "-c", PROGRAM],
            env=made.env,
            capture_output=True,
            text=True,
            check=True,
        )

    stored, encoded, grown_mib = map(int, done.stdout.split())
    assert (stored, encoded) == (count, count)
    print("GROWN", count, grown_mib)  # noqa: T201 - a figure for the docs
    assert grown_mib < MIB_ALLOWED
