"""Bytes stored before their appearance was noted are looked at again, once."""

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.judgement import Alike, Why
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.source import Source
from phx_pipeline.sources.zillow.standin_photos import PHOTO_HOST
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import decide, dedupe
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.rebuild import rebuild
from phx_pipeline.workflows.verify import content_digest, verify_property
from phx_pipeline_tests.deployment import Deployment, slug_of

(HOUSE,) = (house for house in HOUSES if house.street == "Quail Lantern")
SLUG = slug_of(HOUSE)

pytestmark = pytest.mark.xdist_group("old_stores")  # all copy the same store

Rows = Sequence[sa.Row[Any]]


def cut(photos: Handler) -> Handler:
    """The photos cut so much that hashes alone no longer know them."""

    def answer(asked: Asked) -> Answer:
        given = photos(asked)
        if given.status != HTTPStatus.OK:
            return given
        with Image.open(BytesIO(given.body)) as image:
            width, height = image.size
            left, top = width * 6 // 100, height * 6 // 100
            part = image.crop((left, top, width - left // 4, height - top // 4))
        buffer = BytesIO()
        part.save(buffer, format="JPEG", quality=90)
        return replace(given, body=buffer.getvalue())

    return answer


class Store:
    """A collected house and its table `appearance`."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        file = deployment.root / "data" / "phx.db"
        self._engine = open_engine(f"sqlite:///{file}")

    def close(self) -> None:
        self._engine.dispose()

    def appearances(self) -> Rows:
        table = tables.appearance
        with self._engine.connect() as connection:
            return connection.execute(sa.select(table).order_by(table.c.sha256)).all()

    def forget_appearances(self) -> None:
        """Make it a store of the version before the table existed."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(tables.appearance))

    def forget_details(self) -> None:
        """Make it a store of a version that knew looks, but not how sharp they are."""
        with self._engine.begin() as connection:
            connection.execute(sa.update(tables.appearance).values(detail=None))

    def forget_judgements(self) -> None:
        """Make it a store of a version that judged all pairs in each run."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(tables.pair_judgement))

    def prefer(self, sha256: str) -> None:
        """Make it a store of a version that took a copy for better than all others."""
        table = tables.pair_judgement
        mine = sa.or_(table.c.first == sha256, table.c.second == sha256)
        copies = sa.and_(mine, table.c.verdict == Alike.SAME.value)
        worse = {"better": sha256, "why": Why.WHOLE.value}
        with self._engine.begin() as connection:
            connection.execute(sa.update(table).where(copies).values(**worse))

    def changes(self, photo: Photo) -> list[tuple[str, str]]:
        """The verdicts a photo had and got, the oldest first."""
        table = tables.change
        this = (table.c.photo_key == photo.ref.photo_key, table.c.what == "verdict")
        query = sa.select(table.c.before, table.c.after).where(*this)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(table.c.id)).all()
        return [(row.before, row.after) for row in rows]

    def judgements(self) -> Rows:
        table = tables.pair_judgement
        query = sa.select(table).order_by(table.c.first, table.c.second)
        with self._engine.connect() as connection:
            return connection.execute(query).all()


def deployment(root: Path) -> Deployment:
    sites = {**redfin_sites([HOUSE]), **zillow_sites([HOUSE])}
    sites[PHOTO_HOST] = cut(sites[PHOTO_HOST])
    return Deployment(root, sites, sources=(Source.ZILLOW, Source.REDFIN))


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation that has the house from both sources."""
    root = tmp_path_factory.mktemp("collected")
    with deployment(root) as made:
        made.add_houses([HOUSE])
        with made.context() as context:
            asyncio.run(extract(context, SLUG))
    return root


@pytest.fixture
def store(collected: Path, tmp_path: Path) -> Iterator[Store]:
    """The store of a copy of that installation."""
    root = shutil.copytree(collected, tmp_path / "copy")
    with deployment(root) as made, closing(Store(made)) as store:
        yield store


def clusters(context: StageContext) -> set[frozenset[str]]:
    """The photos of each picture."""
    found: dict[str | None, set[str]] = {}
    for photo in context.catalog.photos(SLUG):
        if photo.cluster_id is not None:
            found.setdefault(photo.cluster_id, set()).add(str(photo.key))
    return {frozenset(group) for group in found.values()}


@pytest.mark.parametrize("forget", [Store.forget_appearances, Store.forget_details])
def test_a_later_run_notes_what_an_old_store_lacks_and_decides_alike(
    store: Store, forget: Callable[[Store], None]
) -> None:
    before = store.appearances()
    with store.deployment.context() as context:
        undisturbed, digest = clusters(context), content_digest(context)
        asked = len(store.deployment.standin.asked)
        forget(store)

        report = dedupe(context, SLUG)

        assert len(before) > 15
        assert report.looked_at == len(before)
        assert store.appearances() == before
        assert clusters(context) == undisturbed
        assert content_digest(context) == digest
        assert dedupe(context, SLUG).looked_at == 0
        assert len(store.deployment.standin.asked) == asked


def test_pairs_of_an_old_store_are_judged_by_the_next_run_and_then_never_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    before = store.judgements()
    with store.deployment.context() as context:
        undisturbed, digest = clusters(context), content_digest(context)
        store.forget_judgements()

        dedupe(context, SLUG)

        assert len(before) > 8
        assert store.judgements() == before
        assert clusters(context) == undisturbed
        assert content_digest(context) == digest

        for original in (store.deployment.root / "data" / "raw").rglob("*"):
            if original.is_file():
                original.unlink()  # whoever looks again finds nothing
        with caplog.at_level(logging.WARNING):
            dedupe(context, SLUG)

        assert caplog.text == ""
        assert store.judgements() == before
        assert content_digest(context) == digest


def test_where_another_copy_is_found_better_its_file_takes_over_the_number(
    store: Store,
) -> None:
    with store.deployment.context() as context:
        photos = {photo.sha256: photo for photo in context.catalog.photos(SLUG)}
        pair = next(
            row
            for row in store.judgements()
            if row.verdict == Alike.SAME.value
            and photos[row.better].verdict is Verdict.KEPT
        )
        better = photos[pair.better]
        worse = photos[pair.second if pair.better == pair.first else pair.first]
        files, numbers = store.deployment.files(), shown(context)

        store.prefer(str(worse.sha256))
        rebuild(context, SLUG)
        before = shown(context)
        store.forget_judgements()
        rebuild(context, SLUG)

        assert [number for number in before if before[number] == worse.sha256] == [
            number for number in numbers if numbers[number] == better.sha256
        ]
        assert shown(context) == numbers
        assert pictures(store.deployment.files()) == pictures(files)
        kept, duplicate = Verdict.KEPT.value, Verdict.DUPLICATE.value
        assert store.changes(better)[-2:] == [(kept, duplicate), (duplicate, kept)]
        assert store.changes(worse)[-2:] == [(duplicate, kept), (kept, duplicate)]


def shown(context: StageContext) -> dict[object, str]:
    """The original behind each number that is shown."""
    rows = context.catalog.publications(SLUG)
    return {row.number: row.sha256 for row in rows if row.active}


def pictures(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the gallery."""
    return {name: body for name, body in files.items() if name.startswith("processed/")}


def decide_by_hashes_alone(context: StageContext) -> None:
    """Record what a version decided that knew no looks."""
    photos = [photo for photo in context.catalog.photos(SLUG) if photo.cluster_id]
    decisions = decide(SLUG, photos, context.catalog.blobs(SLUG), judgements={})
    with context.holding(SLUG) as lease:
        context.catalog.record_decisions(lease, SLUG, decisions, stamp=context.stamp())


def test_decisions_made_without_looks_are_corrected(store: Store) -> None:
    with store.deployment.context() as context:
        undisturbed = clusters(context)
        store.forget_appearances()
        decide_by_hashes_alone(context)
        by_hashes_alone = clusters(context)

        rebuild(context, SLUG)

        assert len(by_hashes_alone) > len(undisturbed)
        assert clusters(context) == undisturbed
        assert verify_property(context, SLUG) == []


def test_a_blob_that_cannot_be_read_is_left_out_with_a_warning(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    before = store.appearances()
    with store.deployment.context() as context:
        first, second = sorted(
            str(photo.sha256)
            for photo in context.catalog.photos(SLUG)
            if photo.verdict is Verdict.KEPT
        )[:2]
        context.layout.raw(first).unlink()
        rotten = context.layout.raw(second)
        rotten.chmod(0o644)
        rotten.write_bytes(b"rotten")
        store.forget_appearances()

        with caplog.at_level(logging.WARNING):
            report = dedupe(context, SLUG)

    assert report.looked_at == len(before) - 2
    assert {row.sha256 for row in store.appearances()} == {
        row.sha256 for row in before
    } - {first, second}
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "(1 more such): judged by what is known of it" in warning
