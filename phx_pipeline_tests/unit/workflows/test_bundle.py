"""A bundle is whole or not there, and never needs more memory than a few pictures."""

import asyncio
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.errors import StorageError
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.workflows.bundle import bundle
from phx_pipeline_tests.deployment import SMALLEST, Deployment, slug_of, with_shots

HOUSE = with_shots(SMALLEST, 0, 1, 2, 3)
SLUG = slug_of(HOUSE)
BIG = 4_000_000  # bytes


@pytest.fixture
def context(tmp_path: Path) -> Iterator[StageContext]:
    """A house with some published pictures."""
    with Deployment(tmp_path / "stores", redfin_sites([HOUSE])) as made:
        made.add_houses([HOUSE])
        with made.context() as context:
            asyncio.run(extract(context, SLUG))
            yield context


def published(context: StageContext) -> list[Path]:
    return [
        context.layout.images / image.local_path
        for image in context.catalog.published_images(SLUG)
    ]


def test_a_missing_picture_is_told_with_the_remedy(
    context: StageContext, tmp_path: Path
) -> None:
    target = tmp_path / "house.zip"
    target.write_bytes(b"the former one")
    missing = published(context)[-1]
    missing.unlink()

    with pytest.raises(StorageError, match="phx rebuild") as told:
        bundle(context, [SLUG], target)

    assert missing.name in str(told.value)
    assert target.read_bytes() == b"the former one"


def test_an_interrupt_leaves_nothing_half_written(
    context: StageContext, tmp_path: Path
) -> None:
    (folder := tmp_path / "out").mkdir()

    def interrupted(images: Sequence[PublishedImage]) -> Iterable[PublishedImage]:
        yield images[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bundle(context, [SLUG], folder / "house.zip", each=interrupted)

    assert list(folder.iterdir()) == []


def test_pictures_are_not_gathered_in_memory(
    context: StageContext, tmp_path: Path
) -> None:
    target = tmp_path / "house.zip"
    pictures = published(context)
    for path in pictures:
        path.write_bytes(bytes(BIG))
    bundle(context, [SLUG], target)  # imports what it needs

    tracemalloc.start()
    bundle(context, [SLUG], target)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    with ZipFile(target) as archive:
        held = sum(entry.file_size for entry in archive.infolist())
    assert held > len(pictures) * BIG
    assert len(pictures) >= 3
    assert peak < 2.5 * BIG
