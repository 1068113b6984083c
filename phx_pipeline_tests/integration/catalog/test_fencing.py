"""A lease that is no longer held writes nothing, whichever method is called."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.catalog.runs import RunBook
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import ImageError, StaleEpochError
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Decision
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.run import RunOutcome, RunResult
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Location, Subject
from phx_pipeline.model.vote import Named
from phx_pipeline_tests.integration.conftest import (
    MOSTLY_SQLITE,
    STAMP,
    Scene,
    all_rows,
    blob_of,
    expire,
    gallery,
)

KEY = (Source.REDFIN, "a")
POOL = Category(location=Location.EXTERIOR, subject=Subject.POOL, confidence=90)
LOOK = Appearance(
    thumbnail=bytes(64 * 64),
    left=0.0,
    top=0.25,
    right=1.0,
    bottom=0.75,
    low_information=True,
)


def _picture(sha256: str) -> StandardPicture:
    return StandardPicture(
        sha256=sha256,
        recipe="v1-1024",
        png_sha256="0" * 64,
        size_bytes=9,
        width=4,
        height=3,
    )


def _publication(scene: Scene) -> Publication:
    return Publication(
        slug=scene.slug,
        location=Location.EXTERIOR,
        subject=Subject.POOL,
        sequence=1,
        active=True,
        source=Source.REDFIN,
        photo_key="a",
        file_name="a.png",
        sha256=blob_of("first").sha256,
        recipe="v1-1024",
        processed_at=STAMP.at,
        run_id="run-2",
    )


def _start(catalog: Catalog, lease: Lease, scene: Scene, *, run_id: str) -> None:
    catalog.runs.record_started(
        lease,
        scene.slug,
        mode=Mode.FRESH,
        job_id=None,
        photos=[],
        interrupted={},
        stamp=replace(STAMP, run_id=run_id),
    )


Write = Callable[[Catalog, Lease, Scene], None]

WRITES: dict[str, Write] = {
    "record_listing": lambda catalog, lease, scene: catalog.record_listing(
        lease, scene.slug, gallery("b"), stamp=STAMP
    ),
    "record_download": lambda catalog, lease, scene: catalog.record_download(
        lease, scene.photo("a"), blob_of("second"), fetched_url="https://x", stamp=STAMP
    ),
    "record_failure": lambda catalog, lease, scene: catalog.record_failure(
        lease, scene.photo("a"), Verdict.GONE, detail="404", stamp=STAMP
    ),
    "record_published": lambda catalog, lease, scene: catalog.record_published(
        lease, scene.slug
    ),
    "record_decisions": lambda catalog, lease, scene: catalog.record_decisions(
        lease,
        scene.slug,
        {KEY: Decision(verdict=Verdict.KEPT, cluster_id="c")},
        stamp=STAMP,
    ),
    "record_no_pictures": lambda catalog, lease, scene: catalog.record_no_pictures(
        lease,
        scene.slug,
        {blob_of("first").sha256: ImageError("half", verdict=Verdict.DAMAGED)},
        stamp=STAMP,
    ),
    "record_picture": lambda catalog, lease, _scene: catalog.record_picture(
        lease, _picture(blob_of("first").sha256)
    ),
    "record_appearance": lambda catalog, lease, _scene: catalog.record_appearance(
        lease, blob_of("first").sha256, LOOK
    ),
    "record_examined": lambda catalog, lease, _scene: catalog.record_examined(
        lease, replace(blob_of("first"), width=1)
    ),
    "record_categories": lambda catalog, lease, scene: catalog.record_categories(
        lease, scene.slug, {KEY: Named(category=POOL)}
    ),
    "record_publications": lambda catalog, lease, scene: catalog.record_publications(
        lease, scene.slug, [_publication(scene)]
    ),
    "record_started": lambda catalog, lease, scene: _start(
        catalog, lease, scene, run_id="run-2"
    ),
    "record_ended": lambda catalog, lease, scene: catalog.runs.record_ended(
        lease,
        scene.slug,
        outcome=RunOutcome.COMPLETE,
        result=RunResult(),
        stamp=STAMP,
    ),
}

write = pytest.mark.parametrize("write", WRITES.values(), ids=list(WRITES))


@pytest.fixture
def written(scene: Scene) -> Scene:
    scene.list_photos("a")
    scene.download("a", "first")
    _start(scene.catalog, scene.lease, scene, run_id=STAMP.run_id)
    return scene


def _refused(scene: Scene, engine: sa.Engine, write: Write, lease: Lease) -> None:
    before = all_rows(engine)

    with pytest.raises(StaleEpochError, match=lease.name):
        write(scene.catalog, lease, scene)

    assert all_rows(engine) == before


def test_every_write_is_tried_here() -> None:
    classes = (Catalog, RunBook)
    names = {n for it in classes for n in vars(it) if n.startswith("record_")}

    assert names == set(WRITES)


@write
def test_the_holder_writes(engine: sa.Engine, written: Scene, write: Write) -> None:
    before = all_rows(engine)

    write(written.catalog, written.lease, written)

    assert all_rows(engine) != before


@write
def test_a_superseded_lease_writes_nothing(
    engine: sa.Engine, written: Scene, write: Write
) -> None:
    expire(engine, written.lease)
    written.catalog.leases.acquire(written.lease.name, owner="successor")

    _refused(written, engine, write, written.lease)


@MOSTLY_SQLITE
@write
def test_a_released_lease_writes_nothing(
    engine: sa.Engine, written: Scene, write: Write
) -> None:
    written.catalog.leases.release(written.lease)

    _refused(written, engine, write, written.lease)


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    "changes",
    [{"name": "property:never-taken"}, {"epoch": 2}, {"owner": "somebody"}],
    ids=["another name", "another epoch", "another owner"],
)
def test_a_made_up_lease_writes_nothing(
    engine: sa.Engine, written: Scene, changes: dict[str, Any]
) -> None:
    made_up = replace(written.lease, **changes)

    _refused(written, engine, WRITES["record_listing"], made_up)
