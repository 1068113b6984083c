"""A house whose photos are drawn rooms, collected; nothing of them is decided yet."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from phx_pipeline.demo import rooms
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.stages.collect import collect
from phx_pipeline_tests.deployment import PHOTO_HOST, Deployment


@contextmanager
def drawn_house(folder: Path, gallery: Mapping[str, RoomKind]) -> Iterator[Deployment]:
    """An installation with one house of Redfin that has these photos, by their key."""

    def serve(asked: Asked) -> Answer:
        kind = gallery[asked.target.strip("/").removesuffix(".jpg")]
        body = rooms.draw(kind, seed=1, size=(640, 480))
        return Answer(body=body, headers={"Content-Type": "image/jpeg"})

    with Deployment(folder, {PHOTO_HOST: serve}) as made:
        (slug,) = made.add_houses(HOUSES[:1])
        with made.context() as context:
            with context.holding(slug) as lease:
                context.catalog.record_listing(
                    lease, slug, _listing(gallery), stamp=context.stamp()
                )
            asyncio.run(collect(context, slug))
        yield made


def _listing(gallery: Mapping[str, RoomKind]) -> Listing:
    photos = tuple(
        PhotoRef(
            source=Source.REDFIN,
            photo_key=name,
            url=f"https://{PHOTO_HOST}/{name}.jpg",
            position=position,
        )
        for position, name in enumerate(gallery)
    )
    return Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=photos,
        complete=True,
    )
