"""A picture nobody named is not said to be inside: not now, nor after an upgrade."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from phx_pipeline.catalog.engine import open_engine, writing
from phx_pipeline.categorize import fusion
from phx_pipeline.demo import rooms
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import UNCATEGORIZED, Location
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.rebuild import rebuild
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.stores import initialise
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.damage import execute
from phx_pipeline_tests.deployment import PHOTO_HOST, Deployment

# The tags of each photo, in gallery order.
GALLERY: Mapping[str, tuple[str, ...]] = {
    "cellar": ("All", "Interior"),
    "garden": (),
    "kitchen": ("Kitchen", "Interior"),
    "lawn": (),
}
DRAWN = {
    "cellar": (RoomKind.LAUNDRY, 1),
    "garden": (RoomKind.YARD, 3),
    "kitchen": (RoomKind.KITCHEN, 1),
    "lawn": (RoomKind.POOL, 4),
}
BODIES = {
    f"/{name}.jpg": rooms.draw(kind, seed=seed, size=(640, 480))
    for name, (kind, seed) in DRAWN.items()
}


def serve(asked: Asked) -> Answer:
    return Answer(body=BODIES[asked.target], headers={"Content-Type": "image/jpeg"})


def listing() -> Listing:
    photos = tuple(
        PhotoRef(
            source=Source.REDFIN,
            photo_key=name,
            url=f"https://{PHOTO_HOST}/{name}.jpg",
            position=position,
            tags=tags,
        )
        for position, (name, tags) in enumerate(GALLERY.items())
    )
    return Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=photos,
        complete=True,
    )


def fill(context: StageContext) -> str:
    (slug,) = context.catalog.slugs()
    with context.holding(slug) as lease:
        context.catalog.record_listing(lease, slug, listing(), stamp=context.stamp())
    asyncio.run(collect(context, slug))
    rebuild(context, slug)
    return slug


def kinds(made: Deployment) -> dict[str, str]:
    """Of each photo that is shown, the name of its file but for folder and date."""
    with made.context() as context:
        (slug,) = context.catalog.slugs()
        folder = context.layout.folder(context.house(slug).folder)
        shown = [row for row in context.catalog.publications(slug) if row.active]
        assert {it.name for it in folder.glob("*.png")} == {
            it.file_name for it in shown
        }
        day = f"{context.catalog.photos(slug)[0].first_seen_on:%Y%m%d}"
        return {
            row.photo_key: row.file_name.removeprefix(f"{folder.name}_")
            .removesuffix(".png")
            .replace(f"_r_{day}", "")
            for row in shown
        }


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, {PHOTO_HOST: serve}, sources=(Source.REDFIN,)) as made:
        made.add_houses(HOUSES[:1])
        yield made


@pytest.fixture
def of_0017(made: Deployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The house as the version before published it, in a catalogue of that version."""
    inside = replace(UNCATEGORIZED, location=Location.INTERIOR)
    with monkeypatch.context() as before, made.context() as context:
        before.setattr(fusion, "UNCATEGORIZED", inside)
        fill(context)
        refresh_views(context)
        assert execute(context, "update category set votes = '[]'")
    _downgrade(made, to="0017")
    return made


def _downgrade(made: Deployment, *, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", "phx_pipeline.catalog:migrations")
    file = Layout(made.settings.data_dir).catalogue
    engine = open_engine(f"sqlite:///{file}")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)
    engine.dispose()


def test_a_garden_nobody_named_is_not_said_to_be_inside(made: Deployment) -> None:
    with made.context() as context:
        fill(context)

    assert kinds(made) == {
        "cellar": "int_unknown_00",
        "garden": "feat_unknown_00",
        "kitchen": "int_kitchen_95",
        "lawn": "feat_unknown_00_02",
    }


@pytest.mark.parametrize(
    "run",
    [("rebuild",), ("extract", "--all", "--sync"), ()],
    ids=["rebuild", "extract", "manifest"],
)
def test_after_an_upgrade_the_next_run_renames_and_numbers_stay(
    of_0017: Deployment, phx_on: Phx, run: tuple[str, ...]
) -> None:
    made = of_0017
    initialise(made.settings)
    upgraded, before = phx_on(made, "verify"), kinds(made)
    asked = len(made.standin.asked)

    def go() -> str:
        if run:
            assert phx_on(made, *run).code == 0
        else:
            with made.context("later") as context:
                publish(context, context.catalog.slugs()[0])
                refresh_views(context)
        return phx_on(made, "verify", "--digest").out

    first, second = go(), go()

    assert (upgraded.code, upgraded.err) == (0, "")
    assert before == {
        "cellar": "int_unknown_00",
        "garden": "int_unknown_00_02",
        "kitchen": "int_kitchen_95",
        "lawn": "int_unknown_00_03",
    }
    assert kinds(made) == before | {
        "garden": "feat_unknown_00_02",
        "lawn": "feat_unknown_00_03",
    }
    assert first == second
    assert phx_on(made, "verify").code == 0
    assert len(made.standin.asked) == asked
